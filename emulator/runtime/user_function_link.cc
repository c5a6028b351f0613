#include "emulator/runtime/user_function_link.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/log.h"
#include "emulator/base/real_strand.h"
#include "emulator/runtime/faulty_connection.h"
#include "emulator/userfunction/utf8.h"

namespace cloudstate::runtime {
namespace {

dev::v1::UserFunction::State ToProto(userfunction::Discovery::State state) {
  switch (state) {
    case userfunction::Discovery::State::kWaiting:
      return dev::v1::UserFunction::WAITING;
    case userfunction::Discovery::State::kRejected:
      return dev::v1::UserFunction::REJECTED;
    case userfunction::Discovery::State::kReady:
      return dev::v1::UserFunction::READY;
  }
  return dev::v1::UserFunction::STATE_UNSPECIFIED;
}

// Python's library 0.1.1 sends snapshots but fails on every one that it is given, so that an entity which has one could
// never be opened again. Its events say the same.
entities::ReplayFrom ReplayFor(const ServiceInfo& info) {
  return info.support_library_name() == "cloudstate-python-support" ? entities::ReplayFrom::kFirstEvent
                                                                    : entities::ReplayFrom::kNewestSnapshot;
}

userfunction::Discovery::Options DiscoveryOptions(const Settings& settings) {
  userfunction::Discovery::Options options;
  options.proxy_version = settings.version;
  options.dialect = settings.dialect;
  options.version_check = settings.version_check;
  return options;
}

}  // namespace

UserFunctionLink::UserFunctionLink(const Settings& settings, UserFunctionPlace place, base::Strand& strand,
                                   journal::SqliteJournal& journal, FaultBook& faults, Observer& observer,
                                   Listener listener)
    : settings_(settings),
      place_(std::move(place)),
      strand_(strand),
      journal_(journal),
      faults_(faults),
      observer_(observer),
      listener_(std::move(listener)),
      discovery_(std::make_unique<userfunction::Discovery>(DiscoveryOptions(settings), strand, random_,
                                                           static_cast<userfunction::Discovery::Listener&>(*this))) {}

void UserFunctionLink::Retire() {
  if (supervisor_ != nullptr) supervisor_->Stop();
  // It may be its own callback that led here.
  strand_.Post([discovery = std::move(discovery_)] {});
}

void UserFunctionLink::Stop() {
  if (supervisor_ != nullptr) supervisor_->Stop();
  // Discovery first: its timer would ask once more over a connection that is going.
  base::RunOn(strand_, [this] { discovery_ = nullptr; });
  transport_ = nullptr;
  supervisor_ = nullptr;
  base::RunOn(strand_, [] {});  // what they posted last has run
}

absl::Status UserFunctionLink::Start() {
  if (!settings_.command.empty()) {
    if (absl::Status status = StartCommand(); !status.ok()) return status;
  }
  transport_ = userfunction::GrpcTransport::Start(
      address(), settings_.max_message_bytes, strand_,
      {.up =
           [this](std::shared_ptr<userfunction::Connection> connection) {
             if (discovery_ != nullptr) discovery_->Connected(std::move(connection));
           },
       .down =
           [this](const absl::Status& reason) {
             if (discovery_ == nullptr) return;
             const bool was_ready = is_ready();
             discovery_->Disconnected(reason);
             if (!was_ready) listener_.lost(Unavailable("was lost"));
           },
       .foreign =
           [this] {
             if (discovery_ == nullptr) return;
             discovery_->Unreachable(
                 absl::StrCat("what listens at ", address(),
                              " does not speak gRPC (HTTP/2 without TLS): is it the user function's port?"));
           }});
  return absl::OkStatus();
}

absl::Status UserFunctionLink::StartCommand() {
  userfunction::Supervisor::Options options;
  options.command = settings_.command;
  options.watch_directory = settings_.watch_directory;
  options.grace = settings_.termination_grace;
  options.environment = {{"HOST", settings_.user_function_host}, {"PORT", address().substr(address().rfind(':') + 1)}};
  userfunction::Supervisor::Handler handler;
  handler.on_output = [this](std::string_view line) { observer_.OnOutput(line); };
  handler.on_changed = [this](const std::string& path) { observer_.OnChanged(path); };
  handler.on_started = [this](pid_t pid, int restarts) {
    strand_.Post([this, pid, restarts] {
      pid_ = pid;
      restarts_ = restarts;
    });
    observer_.OnStarted("", pid, restarts);
  };
  handler.on_ended = [this](const std::string& how, absl::Duration again_in) {
    strand_.Post([this] {
      pid_ = 0;
      ReleasePort();  // it may be one that cannot listen on a port that is reserved
    });
    observer_.OnEnded("", how, again_in);
  };
  auto supervisor = userfunction::Supervisor::Start(std::move(options), std::move(handler));
  if (!supervisor.ok()) return supervisor.status();
  supervisor_ = *std::move(supervisor);
  return absl::OkStatus();
}

void UserFunctionLink::ReleasePort() {
  if (place_.port != nullptr) place_.port->Release();
}

void UserFunctionLink::ReportError(const std::string& text) {
  observer_.OnComplaint(text);
  if (discovery_ != nullptr) discovery_->ReportError(text);
}

dev::v1::UserFunction UserFunctionLink::Describe() const {
  dev::v1::UserFunction result;
  result.set_state(ToProto(discovery_->state()));
  result.set_address(address());
  result.mutable_since()->set_seconds(absl::ToUnixSeconds(discovery_->since()));
  result.set_problem(discovery_->problem());
  for (const std::string& word : settings_.command) result.add_command(userfunction::ToUtf8(word));
  result.set_pid(pid_);
  result.set_restarts(restarts_);
  if (specification() == nullptr) return result;
  const ServiceInfo& info = specification()->info;
  result.set_dialect(specification()->dialect == userfunction::Dialect::k0_1 ? "0.1" : "0.2");
  result.set_service_name(info.service_name());
  result.set_service_version(info.service_version());
  result.set_service_runtime(info.service_runtime());
  result.set_support_library_name(info.support_library_name());
  result.set_support_library_version(info.support_library_version());
  return result;
}

void UserFunctionLink::OnReady(std::shared_ptr<userfunction::Connection> connection,
                               std::shared_ptr<const userfunction::Specification> specification) {
  if (discovery_ == nullptr) return;  // retired
  ReleasePort();                      // it has it
  journal_.StoreDescriptorSet(specification->info.service_name(), specification->descriptors, [](absl::Status status) {
    if (!status.ok()) base::LogWarning(absl::StrCat("the descriptors could not be stored: ", status.ToString()));
  });
  const entities::ReplayFrom replay_from = ReplayFor(specification->info);
  faults_.SetServices(specification);
  auto faulty = std::make_shared<FaultyConnection>(std::move(connection), strand_, faults_, specification->dialect);
  listener_.ready(std::move(faulty), std::move(specification), replay_from);
}

void UserFunctionLink::OnLost(const absl::Status& reason) {
  if (discovery_ == nullptr) return;
  listener_.lost(Unavailable("was lost"));
  observer_.OnLost(std::string(reason.message()));
}

void UserFunctionLink::OnRejected(const std::string& problem) {
  if (discovery_ == nullptr) return;
  listener_.lost(Unavailable(absl::StrCat("declares what cannot be served: ", problem)));
  observer_.OnRejected(problem);
}

void UserFunctionLink::OnTrouble(const std::string& trouble) { observer_.OnTrouble(trouble); }

absl::Status UserFunctionLink::Unavailable(const std::string& why) const {
  return absl::UnavailableError(absl::StrCat("the user function at ", address(), " ", why, " (since ",
                                             absl::FormatTime("%H:%M:%S", discovery_->since(), absl::LocalTimeZone()),
                                             ")"));
}

}  // namespace cloudstate::runtime
