#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"

namespace cloudstate::base {

enum class JUnitOutcome { kPassed, kFailure, kSkipped, kError };

struct JUnitCase {
  std::string classname;
  std::string name;
  absl::Duration took;
  JUnitOutcome outcome = JUnitOutcome::kPassed;
  std::string message = {};  // of one that did not pass, in a sentence
  std::string text = {};     // of a failure, at length
};

struct JUnitSuite {
  std::string name;
  std::vector<JUnitCase> cases;
};

// Results in the XML form that JUnit made common and build servers read.
std::string JUnitXml(const std::string& name, const std::vector<JUnitSuite>& suites);

}  // namespace cloudstate::base
