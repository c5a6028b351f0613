#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "emulator/base/case_outcome.h"

namespace cloudstate::base {

struct JUnitCase {
  std::string classname;
  std::string name;
  absl::Duration took;
  CaseOutcome outcome = CaseOutcome::kPassed;
  std::string message = {};  // of one that did not pass, in a sentence
  std::string text = {};     // of what did not pass, at length
};

struct JUnitSuite {
  std::string name;
  std::vector<JUnitCase> cases;
};

// Results in the XML form that JUnit made common and build servers read; what was not run is an error there.
std::string JUnitXml(const std::string& name, const std::vector<JUnitSuite>& suites);

}  // namespace cloudstate::base
