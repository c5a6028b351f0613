#include "emulator/userfunction/discovery.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/log.h"

namespace cloudstate::userfunction {
namespace {

constexpr std::string_view kDiscover = "/cloudstate.EntityDiscovery/discover";
constexpr std::string_view kReportError = "/cloudstate.EntityDiscovery/reportError";
constexpr int kProtocolMajor = 0;
constexpr int kProtocolMinor = 2;
constexpr absl::Duration kReportErrorTimeout = absl::Seconds(5);

std::string ProxyInfoMessage(const std::string& version) {
  ProxyInfo info;
  info.set_protocol_major_version(kProtocolMajor);
  info.set_protocol_minor_version(kProtocolMinor);
  info.set_proxy_name("cloudstate-dev");
  info.set_proxy_version(version);
  for (const std::string& type : SupportedEntityTypes()) info.add_supported_entity_types(type);
  return info.SerializeAsString();
}

}  // namespace

Discovery::Discovery(Options options, base::Strand& strand, base::Random& random, Listener& listener)
    : options_(std::move(options)),
      strand_(strand),
      random_(random),
      listener_(listener),
      since_(strand.WallTime()),
      backoff_(options_.first_backoff) {}

Discovery::~Discovery() { strand_.Cancel(timer_); }

void Discovery::Connected(std::shared_ptr<Connection> connection) {
  connection_ = std::move(connection);
  backoff_ = options_.first_backoff;
  Ask();
}

void Discovery::Disconnected(const absl::Status& reason) {
  connected_.Renew();
  strand_.Cancel(timer_);
  connection_ = nullptr;
  const bool was_ready = state_ == State::kReady;
  specification_ = nullptr;
  Enter(State::kWaiting, std::string(reason.message()));
  if (was_ready) listener_.OnLost(reason);
}

void Discovery::Unreachable(std::string problem) {
  problem_ = std::move(problem);
  listener_.OnTrouble(problem_);
}

void Discovery::Ask() {
  timer_ = strand_.After(options_.slow, [this] {
    listener_.OnTrouble(
        "the user function accepted the connection but has not answered discovery yet; a library whose few worker "
        "threads "
        "are all held by open entity streams looks like this: restart it, and see --max-active-entities");
  });
  connection_->Call(kDiscover, ProxyInfoMessage(options_.proxy_version), options_.timeout,
                    connected_.Guard([this](const absl::StatusOr<std::string>& answer) { Answered(answer); }));
}

void Discovery::Answered(const absl::StatusOr<std::string>& answer) {
  strand_.Cancel(timer_);
  EntitySpec spec;
  if (!answer.ok()) {
    problem_ = absl::StrCat("discovery failed: ", answer.status().ToString());
    listener_.OnTrouble(problem_);
    AskLater();
  } else if (!spec.ParseFromString(*answer)) {
    problem_ = "discovery answered bytes that are no cloudstate.EntitySpec";
    listener_.OnTrouble(problem_);
    AskLater();
  } else {
    Accept(spec);
  }
}

void Discovery::AskLater() {
  const double spread = std::uniform_real_distribution<double>(0.8, 1.2)(random_);
  timer_ = strand_.After(backoff_ * spread, [this] { Ask(); });
  backoff_ = std::min(backoff_ * 2, options_.last_backoff);
}

void Discovery::Accept(const EntitySpec& spec) {
  auto specification = ParseSpecification(spec, options_.dialect, options_.version_check);
  if (!specification.ok()) {
    Enter(State::kRejected, std::string(specification.status().message()));
    ReportError(problem_);
    listener_.OnRejected(problem_);
    return;
  }
  specification_ = *std::move(specification);
  Enter(State::kReady, "");
  listener_.OnReady(connection_, specification_);
}

void Discovery::ReportError(const std::string& message) {
  if (connection_ == nullptr) return;
  UserFunctionError error;
  error.set_message(message);
  connection_->Call(kReportError, error.SerializeAsString(), kReportErrorTimeout,
                    [message](const absl::StatusOr<std::string>& answer) {
                      if (!answer.ok())
                        base::LogDebug(absl::StrCat("reportError failed: ", answer.status().ToString()));
                    });
}

void Discovery::Enter(State state, std::string problem) {
  state_ = state;
  since_ = strand_.WallTime();
  problem_ = std::move(problem);
}

}  // namespace cloudstate::userfunction
