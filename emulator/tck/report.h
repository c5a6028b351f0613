#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "emulator/base/case_outcome.h"
#include "emulator/tck/conversation.h"

namespace cloudstate::tck {

using Outcome = base::CaseOutcome;  // skipped: the user function does not declare what the case is about

struct CaseResult {
  std::string id;  // whole: "event-sourced/snapshot-after-five"
  std::string title;
  std::string section;
  Outcome outcome = Outcome::kPassed;
  absl::Duration took;
  // Of a case that failed: why, how far it came, and what may be wrong.
  CaseFailure failure = {};
  std::vector<std::string> steps = {};
  std::string hint = {};
  std::string reason = {};  // of one that was skipped or not run
};

struct Report {
  std::string user_function;  // HOST:PORT
  std::string service_name;   // as it calls itself, and its library
  std::string library;
  std::string dialect;  // "0.2", "0.1"
  std::vector<CaseResult> results;
  absl::Duration took;
  bool interrupted = false;

  int Count(Outcome outcome) const;
  // Every case that was run has passed, and none was kept from running.
  bool passed() const { return Count(Outcome::kFailed) == 0 && Count(Outcome::kNotRun) == 0; }
};

// A failure as text for people: what was done, what came of it, the difference, the hint. Several lines.
std::string FailureText(const CaseResult& result);

// The report in the XML form that JUnit made common: a test suite for each section.
std::string JUnitXml(const Report& report);

}  // namespace cloudstate::tck
