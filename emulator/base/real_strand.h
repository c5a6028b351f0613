#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "emulator/base/strand.h"

namespace cloudstate::base {

// One thread that wakes strands when their next timer is due. Outlives the strands that use it.
class TimerThread {
 public:
  TimerThread();
  ~TimerThread();
  TimerThread(const TimerThread&) = delete;
  TimerThread& operator=(const TimerThread&) = delete;

  class Client {
   public:
    virtual ~Client() = default;
    virtual void Wake() = 0;
  };

  // Calls client.Wake() at `when` (on absl::Now()'s scale of the monotonic clock), replacing an earlier request of the
  // same client. absl::InfiniteFuture() withdraws it; after that returns, Wake is not running.
  void WakeAt(Client& client, absl::Time when);

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::pair<absl::Time, Client*>> requests_;
  std::map<Client*, absl::Time> when_;
  Client* waking_ = nullptr;
  bool stopping_ = false;
  std::thread thread_;
};

// Whoever posts to an idle strand runs its tasks until none is left: a command that comes on one of gRPC's threads is
// thus handled without waking another. But it may be a thread that others wait for, such as the journal's: after some
// tasks a thread of the strand's own takes over, until none is left again.
class RealStrand final : public Strand, private TimerThread::Client {
 public:
  explicit RealStrand(TimerThread& timers) : timer_thread_(timers) {}
  // Tasks that have not run are dropped. Nobody may post any more.
  ~RealStrand() override;

  void Post(Task task) override;
  absl::Time Now() const override;
  absl::Time WallTime() const override;
  TimerId After(absl::Duration delay, Task task) override;
  void Cancel(TimerId timer) override;
  absl::Duration Ahead() const override { return absl::Nanoseconds(ahead_.load(std::memory_order_relaxed)); }

  // Lets this strand's time go on by `by`, not below zero, at once: its timers run in their order, each when `Now` says
  // that it is due, and what is posted meanwhile has its turn between them. Then `done` runs, as a task. Real time goes
  // on, and what others do in it does not become faster. One asked for meanwhile comes behind. From a task of this
  // strand.
  void Advance(absl::Duration by, Task done);

  // While `others` says that others are at what time should not leave behind, which they do in real time, jumps hold:
  // until it is done, but no longer than `at_most` of real time. A jump that has been kept for so long holds no more up
  // to its end, so that many of whom nobody hurries cannot make it endless. Asked on this strand. Set before there is a
  // jump.
  void HoldJumpsWhile(std::function<bool()> others, absl::Duration at_most);

 private:
  struct Jump {
    absl::Duration by;
    absl::Duration until;  // what Ahead is at its end; set when it begins
    Task done;
    bool holds = true;
  };

  void BeginJump();
  // Whether the jump waits for others now.
  bool Holds();
  void LookAgainSoon();
  // Goes on to the next timer, once there are no other tasks, or they have had their turn `rounds` times.
  void GoOn(int rounds);
  void EndJump();
  bool HasTasks();

  void Wake() override;
  // True when none is left, and the strand idle; false when it has run `most`.
  bool RunTasks(std::unique_lock<std::mutex>& lock, std::size_t most);
  void Relieve();
  void RunDueTimers();
  void AskForWake();

  TimerThread& timer_thread_;
  std::mutex mutex_;
  std::deque<Task> tasks_;
  std::condition_variable idle_;
  bool running_ = false;
  std::condition_variable relief_wanted_;
  bool handed_over_ = false;
  bool stopping_ = false;
  std::thread relief_;  // started when it is first wanted

  // Touched by tasks of this strand only.
  std::map<std::pair<absl::Time, TimerId>, Task> timers_;
  absl::flat_hash_map<TimerId, absl::Time> due_;
  absl::Time asked_for_ = absl::InfiniteFuture();  // on the timer thread's clock, which does not jump
  std::uint64_t last_timer_ = 0;
  std::deque<Jump> jumps_;  // the first is under way
  std::function<bool()> others_;
  absl::Duration hold_at_most_;
  absl::Time held_since_ = absl::InfiniteFuture();  // in real time, like what follows
  bool looks_again_ = false;                        // the next wake-up goes on with the jump

  // In nanoseconds; grows only, by tasks of this strand. Read from any thread.
  std::atomic<std::int64_t> ahead_ = 0;
};

// Runs `task` on the strand and waits until it has run. Not from a task of that strand.
void RunOn(Strand& strand, Task task);

}  // namespace cloudstate::base
