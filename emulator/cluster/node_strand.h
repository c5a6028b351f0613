#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "emulator/base/strand.h"

namespace cloudstate::cluster {

// One node's share of the strand that all nodes of an emulator live on: it can be paused, as by a long garbage
// collection, and its time of day can be wrong. While paused, tasks and timers that become due wait, in their order,
// and so does what comes by way of Run. It outlives everything that was given it.
class NodeStrand final : public base::Strand {
 public:
  explicit NodeStrand(base::Strand& strand) : strand_(strand) {}

  void Post(base::Task task) override;
  absl::Time Now() const override { return strand_.Now(); }
  absl::Time WallTime() const override { return strand_.WallTime() + skew(); }
  absl::Duration Ahead() const override { return strand_.Ahead() + skew(); }
  base::TimerId After(absl::Duration delay, base::Task task) override;
  void Cancel(base::TimerId timer) override;

  // ---- on the shared strand

  // Now, or after the pause.
  void Run(base::Task task);
  // Run would not run it now: there is a pause, or what waited for its end has not all run yet.
  bool holding() const { return paused_ || !held_.empty(); }
  bool paused() const { return paused_; }
  void Pause() { paused_ = true; }
  // What waits runs in further tasks of the shared strand, one in each, unless there is another pause.
  void Resume();
  // Forgets what waits: the node has been killed. Ends the pause.
  void Clear();
  // What is added to the time of day.
  void SetSkew(absl::Duration skew) { skew_ = absl::ToInt64Nanoseconds(skew); }
  absl::Duration skew() const { return absl::Nanoseconds(skew_.load()); }  // any thread

 private:
  struct Timer {
    base::TimerId shared = base::TimerId::kNone;  // of the shared strand
    base::Task task;
  };
  struct Held {
    base::TimerId timer = base::TimerId::kNone;  // none for tasks; else it has the task, unless it has been cancelled
    base::Task task;
  };

  void OnTimer(base::TimerId timer);
  void RunTimer(base::TimerId timer);
  void RunHeld();

  base::Strand& strand_;
  std::atomic<std::int64_t> skew_ = 0;  // in nanoseconds; read from any thread
  bool paused_ = false;
  std::deque<Held> held_;
  // By numbers of its own: so cancelling one finds it wherever it waits. Never iterated.
  absl::flat_hash_map<base::TimerId, Timer> timers_;
  std::uint64_t last_timer_ = 0;
};

}  // namespace cloudstate::cluster
