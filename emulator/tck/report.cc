#include "emulator/tck/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "emulator/base/junit_xml.h"

namespace cloudstate::tck {
namespace {

base::JUnitCase ToJUnit(const CaseResult& result) {
  base::JUnitCase junit;
  junit.classname = result.section;
  junit.name = result.id;
  junit.took = result.took;
  junit.message = result.outcome == Outcome::kFailed ? result.failure.problem : result.reason;
  junit.outcome = result.outcome;
  if (result.outcome == Outcome::kFailed) junit.text = FailureText(result);
  return junit;
}

}  // namespace

int Report::Count(Outcome outcome) const {
  return static_cast<int>(
      std::count_if(results.begin(), results.end(), [&](const CaseResult& each) { return each.outcome == outcome; }));
}

std::string FailureText(const CaseResult& result) {
  std::string text = absl::StrCat(result.title, "\n", result.failure.problem, "\n");
  if (!result.failure.diff.empty()) {
    absl::StrAppend(&text, "\n- expected, + received\n", DiffText(result.failure.diff));
  }
  if (!result.steps.empty()) absl::StrAppend(&text, "\nsteps:\n");
  for (const std::string& step : result.steps) absl::StrAppend(&text, "  ", step, "\n");
  if (!result.hint.empty()) absl::StrAppend(&text, "\nhint: ", result.hint, "\n");
  return text;
}

std::string JUnitXml(const Report& report) {
  std::vector<base::JUnitSuite> suites;
  for (const CaseResult& each : report.results) {
    if (suites.empty() || suites.back().name != each.section) suites.push_back({each.section, {}});
    suites.back().cases.push_back(ToJUnit(each));
  }
  return base::JUnitXml("cloudstate-dev tck", suites);
}

}  // namespace cloudstate::tck
