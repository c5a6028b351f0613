#pragma once

#include <deque>
#include <map>
#include <utility>

#include "emulator/base/strand.h"

namespace cloudstate::testing {

// A strand in virtual time: nothing runs until the test says so.
class VirtualStrand final : public base::Strand {
 public:
  void Post(base::Task task) override { tasks_.push_back(std::move(task)); }
  absl::Time Now() const override { return now_; }
  absl::Time WallTime() const override { return now_; }

  base::TimerId After(absl::Duration delay, base::Task task) override {
    const auto id = static_cast<base::TimerId>(++last_timer_);
    timers_.emplace(std::pair(now_ + delay, id), std::move(task));
    return id;
  }

  void Cancel(base::TimerId timer) override {
    std::erase_if(timers_, [&](const auto& each) { return each.first.second == timer; });
  }

  // Runs what has been posted, and what that posts, without letting time pass.
  void Run() {
    while (!tasks_.empty()) {
      base::Task task = std::move(tasks_.front());
      tasks_.pop_front();
      std::move(task)();
    }
  }

  // Lets `time` pass, running each timer at its instant.
  void Advance(absl::Duration time) {
    Run();
    const absl::Time end = now_ + time;
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      auto due = timers_.extract(timers_.begin());
      now_ = due.key().first;
      std::move(due.mapped())();
      Run();
    }
    now_ = end;
  }

 private:
  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  std::deque<base::Task> tasks_;
  std::map<std::pair<absl::Time, base::TimerId>, base::Task> timers_;
  std::uint64_t last_timer_ = 0;
};

}  // namespace cloudstate::testing
