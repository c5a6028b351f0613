#pragma once

#include <signal.h>

#include <functional>
#include <thread>

namespace cloudstate::cli {

// While it lives, the first signal that is to end the program calls `interrupt` instead, on a thread of its own; the
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
  sigset_t before_;  // what was blocked
  std::thread thread_;
};

}  // namespace cloudstate::cli
