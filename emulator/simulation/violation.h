#pragma once

#include <string>

namespace cloudstate::simulation {

// Something that must never happen, and did.
struct Violation {
  std::string invariant;  // its name, such as "acknowledged-write-lost"
  std::string text;       // what, where and when, for people

  bool operator==(const Violation&) const = default;
};

}  // namespace cloudstate::simulation
