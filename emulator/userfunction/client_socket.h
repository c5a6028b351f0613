#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"

namespace cloudstate::userfunction {

// Ends a wait in poll, from any thread.
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

// A socket that is connected to HOST:PORT and does not block; nullopt if nothing accepts connections there, or `stop`
// is set. HOST is a name, an IPv4 address, or an IPv6 address in brackets; each of its addresses is given a second.
std::optional<int> ConnectTo(const std::string& address, const WakeEvent& stop);

// The timeout that poll takes; -1 for an infinite one.
int PollTimeout(absl::Duration time);

}  // namespace cloudstate::userfunction
