#include "emulator/testing/case_result.h"

#include "absl/strings/str_cat.h"

namespace cloudstate::testing {

void Covered::Add(const Covered& other) {
  methods.insert(other.methods.begin(), other.methods.end());
  stored_events.insert(other.stored_events.begin(), other.stored_events.end());
  given_events.insert(other.given_events.begin(), other.given_events.end());
}

std::string FailureText(const CaseFailure& failure) {
  std::string text = absl::StrCat(failure.place, failure.place.empty() ? "" : ": ", failure.problem, "\n");
  if (!failure.difference.empty()) absl::StrAppend(&text, "\n- expected, + came\n");
  for (const std::string& line : failure.difference) absl::StrAppend(&text, line, "\n");
  if (!failure.steps.empty()) absl::StrAppend(&text, "\nwhat happened:\n");
  for (const std::string& line : failure.steps) absl::StrAppend(&text, "  ", line, "\n");
  return text;
}

}  // namespace cloudstate::testing
