#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "emulator/testing/case_result.h"
#include "emulator/testing/coverage.h"

namespace cloudstate::testing {

// What came of a run, in the order of the files and their cases.
struct Report {
  std::vector<CaseResult> results;
  absl::Duration took;
  bool interrupted = false;
  std::string error = {};  // what kept all cases from being run, in a sentence and perhaps further lines
  Coverage coverage = {};

  std::size_t Count(Outcome outcome) const;
  // Every case that was run has passed, and none was kept from running.
  bool passed() const { return error.empty() && Count(Outcome::kFailed) == 0 && Count(Outcome::kNotRun) == 0; }
};

// "carts.yaml: a cart takes an item": as reports name it.
std::string CaseId(const CaseResult& result);

// Version 14 of the Test Anything Protocol: the first line, how many cases there are, and those of one case, by its
// number from 1; or what keeps them all from being run.
inline constexpr char kTapVersion[] = "TAP version 14\n";
std::string TapPlan(std::size_t cases);
std::string TapResult(const CaseResult& result, std::size_t number);
std::string TapBail(const std::string& error);

// The XML form that JUnit made common: a test suite for each file, and one for an error.
std::string JUnitXml(const std::string& name, const Report& report);

// One document for scripts; coverage too, where it was asked for.
enum class WithCoverage { kNo, kYes };
std::string ReportJson(const Report& report, WithCoverage coverage);

}  // namespace cloudstate::testing
