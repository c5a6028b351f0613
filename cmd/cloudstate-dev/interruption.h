#pragma once

#include <signal.h>

#include <functional>
#include <thread>

#include "absl/time/time.h"

namespace cloudstate::cli {

// Some senders, timeout(1) among them, tell a signal to the process and to its group: what comes so soon is the same.
inline constexpr absl::Duration kTheSameSignal = absl::Milliseconds(500);

// While it lives, the first signal that is to end the program calls `interrupt` instead, on a thread of its own; a
// second one ends the program at once. Threads that start meanwhile leave the signals alone.
class Interruption {
 public:
  explicit Interruption(std::function<void()> interrupt);
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

 private:
  void Wait(const std::function<void()>& interrupt);

  sigset_t signals_;
  sigset_t before_;           // what was blocked
  bool interrupted_ = false;  // the thread's until it has ended
  std::thread thread_;
};

}  // namespace cloudstate::cli
