#include "emulator/runtime/call_times.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "emulator/base/proto_time.h"
#include "emulator/routing/activator.h"

namespace cloudstate::runtime {
namespace {

// What a command is doing.
struct Underway {
  std::optional<absl::Duration> sent;     // and not answered yet
  std::optional<absl::Duration> replied;  // and not stored yet
};

bool IsStreamed(const serving::Services& services, const trace::Trace& trace) {
  for (const google::protobuf::ServiceDescriptor* service : services.services) {
    if (service->full_name() != trace.service) continue;
    const google::protobuf::MethodDescriptor* method = service->FindMethodByName(trace.method);
    return method != nullptr && (method->client_streaming() || method->server_streaming());
  }
  return false;
}

}  // namespace

PartsOfCall PartsOf(const trace::Trace& trace) {
  PartsOfCall parts;
  bool any_sent = false;
  absl::Duration before;  // when the step before was
  std::map<trace::CommandNumber, Underway> commands;
  for (const trace::Step& step : trace.steps) {
    if (step.kind == trace::StepKind::kQueued && absl::StartsWith(step.detail, routing::kHeldStep)) {
      parts.held += step.at - before;
    }
    before = step.at;
    if (step.kind == trace::StepKind::kSent) {
      if (!std::exchange(any_sent, true)) parts.until_sent = step.at;
      commands[step.command] = {.sent = step.at, .replied = std::nullopt};
    } else if (step.kind == trace::StepKind::kReplied || step.kind == trace::StepKind::kFailed) {
      Underway& command = commands[step.command];
      if (command.sent.has_value()) parts.user_function += step.at - *command.sent;
      command.sent.reset();
      command.replied = step.at;
    } else if (step.kind == trace::StepKind::kStored) {
      Underway& command = commands[step.command];
      if (command.replied.has_value()) parts.journal += step.at - *command.replied;
      command.replied.reset();
    }
  }
  for (const auto& [number, command] : commands) {
    if (command.sent.has_value()) parts.user_function += trace.duration - *command.sent;  // it had it to the end
  }
  return parts;
}

CallRecording::CallRecording(base::Strand& strand, trace::Recorder& recorder, CurrentServices services, Watcher watcher)
    : strand_(strand),
      recorder_(recorder),
      current_services_(std::move(services)),
      watcher_(std::move(watcher)),
      began_(strand.Now()),
      wall_began_(strand.WallTime()) {
  watch_ = recorder_.Watch([this](const std::shared_ptr<const trace::Trace>& trace) { Add(*trace); });
}

CallRecording::~CallRecording() {
  recorder_.Unwatch(watch_);
  strand_.Cancel(timer_);
}

void CallRecording::Add(const trace::Trace& trace) {
  if (trace.begin < began_ || Streams(trace)) return;
  const PartsOfCall parts = PartsOf(trace);
  int node = 0;
  const std::string& served_by = trace.served_by.empty() ? trace.node : trace.served_by;
  if (!absl::SimpleAtoi(served_by, &node)) node = 0;  // it got to none
  times_.add_at(absl::ToInt64Microseconds(trace.begin - began_));
  times_.add_total(absl::ToInt64Microseconds(trace.duration));
  times_.add_until_sent(absl::ToInt64Microseconds(parts.until_sent));
  times_.add_held(absl::ToInt64Microseconds(parts.held));
  times_.add_user_function(absl::ToInt64Microseconds(parts.user_function));
  times_.add_journal(absl::ToInt64Microseconds(parts.journal));
  times_.add_node(node);
  times_.add_code(static_cast<std::int32_t>(trace.outcome.code()));
  if (times_.at_size() >= kMostAtOnce) return HandOver();
  if (timer_ == base::TimerId::kNone) timer_ = strand_.After(kMoment, [this] { HandOver(); });
}

bool CallRecording::Streams(const trace::Trace& trace) {
  std::shared_ptr<const serving::Services> current = current_services_();
  if (current != services_) {
    services_ = std::move(current);
    streams_.clear();
  }
  if (services_ == nullptr) return false;
  const auto [known, is_new] = streams_.try_emplace(absl::StrCat(trace.service, ".", trace.method), false);
  if (is_new) known->second = IsStreamed(*services_, trace);
  return known->second;
}

void CallRecording::HandOver() {
  strand_.Cancel(std::exchange(timer_, base::TimerId::kNone));
  *times_.mutable_began() = base::ToTimestamp(wall_began_);
  watcher_(std::exchange(times_, dev::v1::CallTimes()));
}

}  // namespace cloudstate::runtime
