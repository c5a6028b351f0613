#pragma once

#include <iostream>
#include <string>

#include "absl/strings/str_format.h"

namespace cloudstate::bench {

// One line: what was reached, and what was to be.
inline void PrintGoal(const std::string& what, bool met, const std::string& goal) {
  std::cout << (met ? "PASS  " : "MISS  ") << absl::StrFormat("%-52s goal: %s\n", what, goal);
}

}  // namespace cloudstate::bench
