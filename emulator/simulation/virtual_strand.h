#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "emulator/base/strand.h"

namespace cloudstate::simulation {

// A strand in virtual time: nothing runs until its driver says so, on the driver's thread, and time passes only from
// one timer to the next. It starts at a fixed instant and calls timers of the same instant in the order in which they
// were set, so that the same code does the same in each run. For one thread only, unlike other strands.
class VirtualStrand final : public base::Strand {
 public:
  VirtualStrand() = default;
  ~VirtualStrand() override { Clear(); }
  VirtualStrand(const VirtualStrand&) = delete;
  VirtualStrand& operator=(const VirtualStrand&) = delete;

  static absl::Time Beginning() { return absl::UnixEpoch() + absl::Hours(1); }

  void Post(base::Task task) override { tasks_.push_back(std::move(task)); }
  absl::Time Now() const override { return now_; }
  absl::Time WallTime() const override { return now_; }

  base::TimerId After(absl::Duration delay, base::Task task) override {
    const auto id = static_cast<base::TimerId>(++last_timer_);
    queue_.emplace_back(now_ + std::max(delay, absl::ZeroDuration()), id);
    std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
    timers_.emplace(id, std::move(task));
    return id;
  }

  void Cancel(base::TimerId timer) override {
    const auto found = timers_.find(timer);
    if (found == timers_.end()) return;
    const base::Task forgotten = std::move(found->second);  // what it lets go of may come back here
    timers_.erase(found);
    RemoveCancelled();
  }

  // ---- for a driver's loop

  // True while tasks wait, which run without letting time pass.
  bool has_tasks() const { return !tasks_.empty(); }
  // When the next timer is due; infinite without one.
  absl::Time next_timer() const { return queue_.empty() ? absl::InfiniteFuture() : queue_.front().first; }
  // Tasks and timers that have run.
  std::uint64_t ran() const { return ran_; }

  // Runs the next task or, where none waits, lets time pass until the next timer and runs that. False where there is
  // neither.
  bool RunOne() {
    if (!tasks_.empty()) {
      base::Task task = std::move(tasks_.front());
      tasks_.pop_front();
      ++ran_;
      std::move(task)();
      return true;
    }
    if (next_timer() == absl::InfiniteFuture()) return false;
    now_ = queue_.front().first;
    const auto first = timers_.find(queue_.front().second);
    base::Task task = std::move(first->second);
    timers_.erase(first);
    RemoveCancelled();
    ++ran_;
    std::move(task)();
    return true;
  }

  // Runs what there is until `done()`, which is asked before each task and timer. False where it did not come to that
  // within the time, which then has passed.
  template <typename Done>
  bool RunUntil(Done done, absl::Duration within) {
    const absl::Time end = now_ + within;
    while (!done()) {
      if (tasks_.empty() && next_timer() > end) {
        now_ = end;
        return false;
      }
      if (!RunOne()) return false;
    }
    return true;
  }

  // Forgets all tasks and timers, in their order, and those that come of forgetting them.
  void Clear() {
    while (!tasks_.empty() || !queue_.empty()) {
      while (!tasks_.empty()) {
        const base::Task forgotten = std::move(tasks_.front());
        tasks_.pop_front();
      }
      if (!queue_.empty()) Cancel(queue_.front().second);
    }
  }

  // ---- for tests

  // Runs what has been posted, and what that posts, without letting time pass.
  void Run() {
    while (!tasks_.empty()) RunOne();
  }

  // Lets `time` pass, running each timer at its instant.
  void Advance(absl::Duration time) {
    RunUntil([] { return false; }, time);
  }

 private:
  // Those that have run or been cancelled stay in the queue until they are its first, or most of it.
  void RemoveCancelled() {
    const auto gone = [this](const std::pair<absl::Time, base::TimerId>& each) {
      return !timers_.contains(each.second);
    };
    if (queue_.size() > 2 * timers_.size() + 64) {
      std::erase_if(queue_, gone);
      std::make_heap(queue_.begin(), queue_.end(), std::greater<>());
    }
    while (!queue_.empty() && gone(queue_.front())) {
      std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
      queue_.pop_back();
    }
  }

  absl::Time now_ = Beginning();
  std::deque<base::Task> tasks_;
  std::vector<std::pair<absl::Time, base::TimerId>> queue_;  // a heap, whose first has not been cancelled
  absl::flat_hash_map<base::TimerId, base::Task> timers_;    // never iterated
  std::uint64_t last_timer_ = 0;
  std::uint64_t ran_ = 0;
};

}  // namespace cloudstate::simulation
