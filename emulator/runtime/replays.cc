#include "emulator/runtime/replays.h"

#include <utility>

namespace cloudstate::runtime {

void Replays::Start(userfunction::Connection& connection, entities::ReplayPlan plan, admin::Cancellation& cancellation,
                    absl::AnyInvocable<void(absl::StatusOr<entities::ReplayResult>)> done) {
  const std::uint64_t id = ++last_;
  // Not from within the run.
  auto remove = [this, id] { strand_.Post(lifetime_.Guard([this, id] { runs_.erase(id); })); };
  auto& run = runs_[id];
  run = std::make_unique<entities::ReplayRun>(std::move(plan), strand_, std::move(done), std::move(remove));
  auto cancel = lifetime_.Guard([this, id] {
    const auto found = runs_.find(id);
    if (found != runs_.end()) found->second->Cancel(absl::CancelledError("nobody waits for it any more"));
  });
  cancellation.Set([&strand = strand_, cancel = std::move(cancel)]() mutable { strand.Post(std::move(cancel)); });
  run->Start(connection);
}

void Replays::End(const absl::Status& reason) {
  for (const auto& [id, run] : runs_) run->Cancel(reason);
}

}  // namespace cloudstate::runtime
