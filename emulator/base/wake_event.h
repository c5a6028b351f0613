#pragma once

#include "absl/time/time.h"

namespace cloudstate::base {

// Ends a wait in poll, from any thread. Where the system has no descriptor for one, the process ends: a thread that
// nobody can wake would be waited for for ever.
class WakeEvent {
 public:
  WakeEvent();
  ~WakeEvent();
  WakeEvent(const WakeEvent&) = delete;
  WakeEvent& operator=(const WakeEvent&) = delete;

  int descriptor() const { return descriptor_; }
  void Set() const;
  void Clear() const;
  // True if it was set within this time.
  bool SetWithin(absl::Duration time) const;

 private:
  const int descriptor_;
};

// The timeout that poll takes; -1 for an infinite one.
int PollTimeout(absl::Duration time);

}  // namespace cloudstate::base
