#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace cloudstate::tck {

// Thrown where the kit waits once its user wants it to end. The runner catches it, and nobody else.
struct Interrupted {};

// Where the thread that runs the cases waits for what other threads bring. One mutex guards all of that.
class Waiting {
 public:
  // Runs `change` so that whoever waits looks again. Any thread; `change` must not wait.
  template <typename Change>
  void Apply(Change change) {
    absl::MutexLock lock(&mutex_);
    change();
  }

  // False when `deadline` passes before `condition` holds, which is read under the mutex.
  template <typename Condition>
  bool Until(absl::Time deadline, const Condition& condition) {
    absl::MutexLock lock(&mutex_);
    const auto over = [&] { return interrupted_ || condition(); };
    mutex_.AwaitWithDeadline(absl::Condition(&over), deadline);
    if (interrupted_) throw Interrupted();
    return condition();
  }

  // From now on nobody waits. Any thread.
  void Interrupt() {
    absl::MutexLock lock(&mutex_);
    interrupted_ = true;
  }

 private:
  absl::Mutex mutex_;
  bool interrupted_ = false;
};

}  // namespace cloudstate::tck
