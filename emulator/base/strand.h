#pragma once

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace cloudstate::base {

using Task = absl::AnyInvocable<void()>;

// Tells two instants apart: `Now` of a strand never goes back, wall time is for people and for what is stored.
enum class TimerId : std::uint64_t { kNone = 0 };

// Where a node's state lives: tasks run one after another, in the order they were posted, never two at once. All logic
// takes its notion of time, and of "later", from here, so that the same code runs on real threads and in virtual time.
//
// Threads: `Post`, `Now`, `WallTime` and `Ahead` may be called from any thread; `After` and `Cancel` only from a task
// of this strand.
class Strand {
 public:
  virtual ~Strand() = default;

  // Runs `task` after all tasks posted before it. It may run before `Post` returns, on the calling thread, unless the
  // caller is itself a task of this strand. Callers hold no lock.
  virtual void Post(Task task) = 0;

  // Monotonic; its zero is unspecified. For durations and deadlines.
  virtual absl::Time Now() const = 0;

  // The time of day, for records.
  virtual absl::Time WallTime() const = 0;

  // How far WallTime is ahead of the clock that clients' deadlines are on: of absl::Now(), where threads are real.
  virtual absl::Duration Ahead() const { return absl::ZeroDuration(); }

  // Runs `task` once, no earlier than `delay` from now.
  virtual TimerId After(absl::Duration delay, Task task) = 0;

  // Forgets a timer. One that has run, or kNone, is ignored. After Cancel the task does not run.
  virtual void Cancel(TimerId timer) = 0;
};

}  // namespace cloudstate::base
