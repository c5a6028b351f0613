#pragma once

#include <mutex>
#include <utility>

#include "absl/functional/any_invocable.h"

namespace cloudstate::admin {

// What is to be done when the client of a call has no more use for it, whichever is known first. Any thread.
class Cancellation {
 public:
  // Runs `cancelled` once, when Cancel is called, or now if it has been.
  void Set(absl::AnyInvocable<void()> cancelled) {
    {
      std::lock_guard lock(mutex_);
      if (!gone_) {
        cancelled_ = std::move(cancelled);
        return;
      }
    }
    cancelled();
  }

  void Cancel() {
    absl::AnyInvocable<void()> cancelled;
    {
      std::lock_guard lock(mutex_);
      gone_ = true;
      cancelled = std::exchange(cancelled_, nullptr);
    }
    if (cancelled) cancelled();
  }

 private:
  std::mutex mutex_;
  bool gone_ = false;
  absl::AnyInvocable<void()> cancelled_;
};

}  // namespace cloudstate::admin
