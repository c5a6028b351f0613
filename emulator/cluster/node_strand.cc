#include "emulator/cluster/node_strand.h"

namespace cloudstate::cluster {

void NodeStrand::Post(base::Task task) {
  strand_.Post([this, task = std::move(task)]() mutable { Run(std::move(task)); });
}

base::TimerId NodeStrand::After(absl::Duration delay, base::Task task) {
  const auto timer = static_cast<base::TimerId>(++last_timer_);
  const base::TimerId shared = strand_.After(delay, [this, timer] { OnTimer(timer); });
  timers_.try_emplace(timer, Timer{.shared = shared, .task = std::move(task)});
  return timer;
}

void NodeStrand::Cancel(base::TimerId timer) {
  const auto found = timers_.find(timer);
  if (found == timers_.end()) return;
  const Timer cancelled = std::move(found->second);  // what its task lets go of may come back here
  timers_.erase(found);
  strand_.Cancel(cancelled.shared);
}

void NodeStrand::Run(base::Task task) {
  if (holding()) {
    held_.push_back({.timer = base::TimerId::kNone, .task = std::move(task)});
  } else {
    std::move(task)();
  }
}

void NodeStrand::OnTimer(base::TimerId timer) {
  if (holding()) {
    held_.push_back({.timer = timer, .task = {}});
  } else {
    RunTimer(timer);
  }
}

void NodeStrand::RunTimer(base::TimerId timer) {
  const auto found = timers_.find(timer);
  if (found == timers_.end()) return;
  base::Task task = std::move(found->second.task);
  timers_.erase(found);
  std::move(task)();
}

void NodeStrand::Resume() {
  if (!std::exchange(paused_, false) || held_.empty()) return;
  strand_.Post([this] { RunHeld(); });
}

// One at a time, as the shared strand would have run them: other nodes' tasks come in between, and this node may be
// paused or killed by one. Until all have run, what comes is held behind them.
void NodeStrand::RunHeld() {
  if (paused_ || held_.empty()) return;
  Held next = std::move(held_.front());
  held_.pop_front();
  if (!held_.empty()) strand_.Post([this] { RunHeld(); });
  if (next.timer != base::TimerId::kNone) {
    RunTimer(next.timer);
  } else {
    std::move(next.task)();
  }
}

void NodeStrand::Clear() {
  paused_ = false;
  // What the tasks let go of may come back here.
  const std::deque<Held> forgotten = std::exchange(held_, {});
  for (const Held& each : forgotten) {
    if (each.timer != base::TimerId::kNone) Cancel(each.timer);
  }
}

}  // namespace cloudstate::cluster
