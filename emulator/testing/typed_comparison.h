#pragma once

#include <string>

#include "emulator/testing/comparison.h"

namespace cloudstate::testing {

// A message that was stored, and what it is one of.
struct TypedActual {
  std::string type;  // full name
  Actual message;
};

// Holds it against {ItemAdded: {…}}, the type alone, or matchers around those: $partial leaves out fields, but never
// the type. `expected` outlives the answer.
Comparison CompareTyped(const Json& expected, const TypedActual& came, const std::string& path);

// Both as {ItemAdded: {…}}, for people to compare.
Json ShownTyped(const TypedActual& came);
Json ShownExpected(const Json& expected);

}  // namespace cloudstate::testing
