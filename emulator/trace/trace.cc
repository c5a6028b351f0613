#include "emulator/trace/trace.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"

namespace cloudstate::trace {
namespace {

constexpr std::size_t kUsualSteps = 8;  // a call without effects and forwards has no more

// The number of all commands that were too many.
constexpr CommandNumber kNotKept = ~CommandNumber{0};

}  // namespace

std::string_view StepName(StepKind kind) {
  switch (kind) {
    case StepKind::kReceived:
      return "received";
    case StepKind::kQueued:
      return "queued";
    case StepKind::kOpened:
      return "stream opened";
    case StepKind::kRouted:
      return "routed";
    case StepKind::kReplayed:
      return "replayed";
    case StepKind::kSent:
      return "sent";
    case StepKind::kReplied:
      return "replied";
    case StepKind::kStored:
      return "stored";
    case StepKind::kEffect:
      return "effect";
    case StepKind::kForwarded:
      return "forwarded";
    case StepKind::kFailed:
      return "failed";
    case StepKind::kAnswered:
      return "answered";
  }
  return "unknown";
}

CommandNumber Trace::AddCommand(CommandNumber parent, CommandOrigin origin, std::string caused_service,
                                std::string caused_method) {
  if (caused.size() >= kMaxCaused) return kNotKept;
  caused.push_back({parent, origin, std::move(caused_service), std::move(caused_method), ""});
  return static_cast<CommandNumber>(caused.size());
}

void Trace::SetEntity(CommandNumber command, std::string entity) {
  if (command == kNotKept) return;
  (command == kClientsCommand ? entity_id : caused[command - 1].entity_id) = std::move(entity);
}

void Trace::Add(absl::Time now, StepKind kind, CommandNumber command, std::string detail,
                const journal::Payload* payload) {
  if (steps.size() >= kMaxSteps || command == kNotKept) {
    ++dropped_steps;
    return;
  }
  Step step{now - begin, kind, command, std::move(detail), std::nullopt};
  if (payload != nullptr && payload->value.size() <= kMaxPayload) step.payload = *payload;
  steps.push_back(std::move(step));
}

std::shared_ptr<const Trace> SoFar(const Trace& open, absl::Time now) {
  auto so_far = std::make_shared<Trace>(open);
  // Side effects may still be under way when the client has its answer.
  if (open.duration == absl::ZeroDuration()) so_far->duration = now - open.begin;
  return so_far;
}

std::shared_ptr<Trace> Recorder::Begin(absl::Time now, absl::Time wall) {
  if (run_ == 0) run_ = static_cast<std::uint64_t>(absl::ToUnixMillis(wall)) & 0xffffffffU;
  auto trace = std::make_shared<Trace>();
  trace->steps.reserve(kUsualSteps);
  trace->id = absl::StrFormat("%08x%08x", run_, ++last_id_);
  trace->started = wall;
  trace->begin = now;
  trace->open = true;
  open_.emplace(trace->id, trace.get());
  return trace;
}

void Recorder::End(std::shared_ptr<Trace> trace) {
  open_.erase(trace->id);
  trace->open = false;
  ++ended_;
  for (auto& [id, watcher] : watchers_) watcher(trace);
  traces_.push_front(std::move(trace));
  if (traces_.size() > capacity_) traces_.pop_back();
}

std::shared_ptr<const Trace> Recorder::Find(std::string_view id) const {
  auto found = std::ranges::find_if(traces_, [&](const auto& trace) { return trace->id == id; });
  return found == traces_.end() ? nullptr : *found;
}

std::uint64_t Recorder::Watch(Watcher watcher) {
  watchers_.emplace(++last_watch_, std::move(watcher));
  return last_watch_;
}

void Recorder::Unwatch(std::uint64_t watch) { watchers_.erase(watch); }

}  // namespace cloudstate::trace
