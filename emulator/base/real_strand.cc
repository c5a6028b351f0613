#include "emulator/base/real_strand.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <limits>

#include "absl/time/clock.h"
#include "emulator/base/turn.h"

namespace cloudstate::base {
namespace {

absl::Time MonotonicNow() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

std::chrono::steady_clock::time_point ToSteady(absl::Time time) {
  return std::chrono::steady_clock::time_point(absl::ToChronoNanoseconds(time - absl::UnixEpoch()));
}

constexpr std::size_t kTasksForAnyThread = 256;
// What tasks defer waits for no more than so many others.
constexpr std::size_t kTasksInATurn = 32;
// While time jumps: tasks that lead to others are followed so far before the next timer. More than what a timer sets
// off takes, and an end where somebody always has something to do.
constexpr int kRoundsBetweenTimers = 16;
// While a jump holds. Of what it waits for there may be one for each of thousands of entities.
constexpr absl::Duration kLookAgain = absl::Microseconds(200);

}  // namespace

TimerThread::TimerThread() : thread_([this] { Run(); }) {}

TimerThread::~TimerThread() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void TimerThread::WakeAt(Client& client, absl::Time when) {
  std::unique_lock lock(mutex_);
  const bool withdraws = when == absl::InfiniteFuture();
  // First, since a Wake that is running may ask for the next one.
  if (withdraws && std::this_thread::get_id() != thread_.get_id()) {
    changed_.wait(lock, [&] { return waking_ != &client; });
  }
  auto known = when_.find(&client);
  if (known != when_.end()) {
    requests_.erase({known->second, &client});
    when_.erase(known);
  }
  if (withdraws) return;
  when_[&client] = when;
  requests_.insert({when, &client});
  const bool first = requests_.begin()->second == &client;
  lock.unlock();
  if (first) changed_.notify_all();
}

void TimerThread::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (requests_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto [when, client] = *requests_.begin();
    if (when > MonotonicNow()) {
      changed_.wait_until(lock, ToSteady(when));
      continue;
    }
    requests_.erase(requests_.begin());
    when_.erase(client);
    waking_ = client;
    lock.unlock();
    client->Wake();
    lock.lock();
    waking_ = nullptr;
    changed_.notify_all();
  }
}

RealStrand::~RealStrand() {
  {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return !running_; });
    stopping_ = true;
  }
  // Not before: a task that was still running may have asked to be woken. What a Wake posts from now on does not run.
  timer_thread_.WakeAt(*this, absl::InfiniteFuture());
  relief_wanted_.notify_all();
  if (relief_.joinable()) relief_.join();
}

void RealStrand::Post(Task task) {
  std::unique_lock lock(mutex_);
  tasks_.push_back(std::move(task));
  if (running_ || stopping_) return;
  running_ = true;
  if (RunTasks(lock, kTasksForAnyThread)) return;
  handed_over_ = true;
  if (!relief_.joinable()) relief_ = std::thread([this] { Relieve(); });
  relief_wanted_.notify_all();
}

bool RealStrand::RunTasks(std::unique_lock<std::mutex>& lock, std::size_t most) {
  Turn turn;
  for (std::size_t ran = 0;; ++ran) {
    const bool enough = ran >= most;
    if (tasks_.empty() || enough || ran % kTasksInATurn == kTasksInATurn - 1) {
      lock.unlock();
      turn.RunDeferred();
      lock.lock();
      if (tasks_.empty()) break;
    }
    if (enough) return false;
    {
      Task next = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      std::move(next)();
    }  // what the task held is let go of outside the lock
    lock.lock();
  }
  running_ = false;
  idle_.notify_all();
  return true;
}

void RealStrand::Relieve() {
  std::unique_lock lock(mutex_);
  while (true) {
    relief_wanted_.wait(lock, [&] { return handed_over_ || stopping_; });
    if (!handed_over_) return;
    handed_over_ = false;
    RunTasks(lock, std::numeric_limits<std::size_t>::max());
  }
}

absl::Time RealStrand::Now() const { return MonotonicNow() + Ahead(); }

absl::Time RealStrand::WallTime() const { return absl::Now() + Ahead(); }

TimerId RealStrand::After(absl::Duration delay, Task task) {
  const auto id = static_cast<TimerId>(++last_timer_);
  const absl::Time due = Now() + delay;
  timers_.emplace(std::pair(due, id), std::move(task));
  due_.emplace(id, due);
  AskForWake();
  return id;
}

void RealStrand::Cancel(TimerId timer) {
  auto found = due_.find(timer);
  if (found == due_.end()) return;
  timers_.erase({found->second, timer});
  due_.erase(found);
}

void RealStrand::Wake() {
  Post([this] {
    RunDueTimers();
    if (std::exchange(looks_again_, false)) GoOn(kRoundsBetweenTimers);
  });
}

void RealStrand::RunDueTimers() {
  asked_for_ = absl::InfiniteFuture();
  const absl::Time now = Now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    auto due = timers_.extract(timers_.begin());
    due_.erase(due.key().second);
    std::move(due.mapped())();
  }
  AskForWake();
}

// The earliest timer is often cancelled before it is due: a wake-up that finds nothing is cheaper than telling the
// timer thread about every change.
void RealStrand::AskForWake() {
  if (timers_.empty() || !jumps_.empty()) return;  // whoever jumps comes by anyway
  const absl::Time due = timers_.begin()->first.first - Ahead();
  if (due >= asked_for_) return;
  asked_for_ = due;
  timer_thread_.WakeAt(*this, asked_for_);
}

// ---- time that jumps

void RealStrand::Advance(absl::Duration by, Task done) {
  jumps_.push_back({.by = by, .until = absl::ZeroDuration(), .done = std::move(done)});
  if (jumps_.size() == 1) BeginJump();
}

void RealStrand::HoldJumpsWhile(std::function<bool()> others, absl::Duration at_most) {
  others_ = std::move(others);
  hold_at_most_ = at_most;
}

void RealStrand::BeginJump() {
  jumps_.front().until = Ahead() + jumps_.front().by;
  Post([this] { GoOn(kRoundsBetweenTimers); });
}

bool RealStrand::Holds() {
  Jump& jump = jumps_.front();
  if (jump.holds && others_ && others_()) {
    const absl::Time now = MonotonicNow();
    held_since_ = std::min(held_since_, now);
    if (now - held_since_ < hold_at_most_) return true;
    jump.holds = false;
  }
  held_since_ = absl::InfiniteFuture();
  return false;
}

// What is due meanwhile by real time runs then as well.
void RealStrand::LookAgainSoon() {
  looks_again_ = true;
  asked_for_ = MonotonicNow() + kLookAgain;
  timer_thread_.WakeAt(*this, asked_for_);
}

// One timer's instant in each task, so that others' tasks never wait for the whole.
void RealStrand::GoOn(int rounds) {
  if (rounds > 0 && HasTasks()) return Post([this, rounds] { GoOn(rounds - 1); });
  if (Holds()) return LookAgainSoon();
  const absl::Duration until = jumps_.front().until;
  const bool there = Ahead() == until;  // but what the last timers set off had not run
  if (!timers_.empty()) {
    const absl::Duration for_next = timers_.begin()->first.first - MonotonicNow();
    ahead_.store(absl::ToInt64Nanoseconds(std::clamp(for_next, Ahead(), until)), std::memory_order_relaxed);
  } else {
    ahead_.store(absl::ToInt64Nanoseconds(until), std::memory_order_relaxed);
  }
  RunDueTimers();
  if (there) return EndJump();
  Post([this] { GoOn(kRoundsBetweenTimers); });
}

void RealStrand::EndJump() {
  Task done = std::move(jumps_.front().done);
  jumps_.pop_front();
  if (jumps_.empty()) {
    AskForWake();
  } else {
    BeginJump();
  }
  std::move(done)();
}

bool RealStrand::HasTasks() {
  const std::lock_guard lock(mutex_);
  return !tasks_.empty();
}

void RunOn(Strand& strand, Task task) {
  std::promise<void> done;
  strand.Post([&] {
    std::move(task)();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace cloudstate::base
