#pragma once

#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/time/clock.h"

namespace cloudstate::cli {

// One line on standard error that changes while something goes on, if there is a terminal. One thread at a time.
class ProgressLine {
 public:
  explicit ProgressLine(bool wanted) : on_(wanted && isatty(STDERR_FILENO) == 1) {}
  ~ProgressLine() { Clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(const std::string& text) {
    const absl::Time now = absl::Now();
    if (!on_ || now < next_) return;
    next_ = now + absl::Milliseconds(100);
    shown_ = true;
    std::fputs((kErase + text).c_str(), stderr);
    std::fflush(stderr);
  }

  // Makes way for something else that is printed.
  void Clear() {
    if (shown_) std::fputs(kErase, stderr);
    shown_ = false;
  }

 private:
  static constexpr char kErase[] = "\r\x1b[K";

  const bool on_;
  bool shown_ = false;
  absl::Time next_ = absl::InfinitePast();
};

}  // namespace cloudstate::cli
