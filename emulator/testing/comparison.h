#pragma once

#include <string>
#include <vector>

#include "emulator/testing/json_value.h"

namespace cloudstate::testing {

// One place where something else came than was expected.
struct Mismatch {
  // The nearest part of what was expected, for its place in the file.
  const Json* expected = nullptr;
  std::string problem;  // "reply.items[1].quantity is 2, not 3"
};

struct Comparison {
  // In the order of the expected; empty where all is as expected.
  std::vector<Mismatch> mismatches;
  // What was expected as it would have come: where a matcher fits, it is what came. For people to compare.
  Json shown;

  bool equal() const { return mismatches.empty(); }
};

// Whether fields that are not named must have their default value, or are nobody's concern.
enum class Fields { kAll, kNamed };

// Holds what came against what is expected, of which matchers have been checked. A default that is named fits a field
// that is not there, but no key; null fits what is not there or at its default; numbers fit texts that are the same
// number; names of fields may be written as protobuf has them or as JSON has them. `path` is what the whole is called.
// `expected` outlives the answer.
Comparison Compare(const Json& expected, const Actual& actual, const std::string& path, Fields fields = Fields::kAll);

// The lines of both, as JSON: those of what was expected after "- ", those of what came after "+ ".
std::vector<std::string> DifferenceLines(const Comparison& comparison, const Json& came);

}  // namespace cloudstate::testing
