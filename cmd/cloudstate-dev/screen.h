#pragma once

#include <termios.h>

#include <cstddef>
#include <mutex>
#include <string>

#include "absl/time/time.h"
#include "emulator/base/wake_event.h"

namespace cloudstate::cli {

// The whole terminal, for something that is drawn anew again and again: what stood there before comes back at the end.
// Keys are not echoed meanwhile. Only where standard output is a terminal.
class Screen {
 public:
  Screen();
  ~Screen() { End(); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // In lines, as the terminal is now.
  static std::size_t Height();
  // Nothing once it has ended.
  void Draw(const std::string& text);
  // Waits for this long; false if it has ended, or the user wants that with q.
  bool Wait(absl::Duration time);
  // Gives the terminal back, and ends Wait. Any thread.
  void End();

 private:
  // Whether the user wants it to end.
  bool ReadKeys();

  std::mutex mutex_;
  bool ended_ = false;
  bool reads_keys_ = false;
  termios before_{};
  base::WakeEvent end_;
};

}  // namespace cloudstate::cli
