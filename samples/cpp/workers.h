#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

#include "absl/time/time.h"

namespace cloudstate::samples {

// What a command costs besides being handled, so that scaling has something to do.
struct Work {
  // How long the next command is worked on, without using the processor. Asked on any thread, once at a time. Empty: no
  // work at all.
  std::function<absl::Duration()> time;
  int workers = 0;  // commands that are worked on at once, the others wait in the order they came; 0: no limit
};

// Those who do it. Any thread.
class Workers {
 public:
  explicit Workers(Work work);
  // What is still to be done is done at once.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Calls `done` once somebody has worked on it: on a thread of its own, or right here where there is no work.
  void Take(std::function<void()> done);
  // From now on all work takes no time, also that which is under way: for the end of the program.
  void Hurry();

 private:
  using Clock = std::chrono::steady_clock;
  struct Job {
    Clock::time_point end;
    std::function<void()> done;

    bool operator<(const Job& other) const { return end > other.end; }  // the first to end is on top
  };

  void Begin(std::function<void()> done);
  void Run();

  const Work work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::priority_queue<Job> under_way_;
  std::deque<std::function<void()>> waiting_;
  bool hurries_ = false;
  bool ends_ = false;
  std::thread thread_;  // only where there is work
};

}  // namespace cloudstate::samples
