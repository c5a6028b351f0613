#include "emulator/base/case_outcome.h"

namespace cloudstate::base {

const char* OutcomeName(CaseOutcome outcome) {
  switch (outcome) {
    case CaseOutcome::kPassed:
      return "passed";
    case CaseOutcome::kFailed:
      return "failed";
    case CaseOutcome::kSkipped:
      return "skipped";
    case CaseOutcome::kNotRun:
      return "notRun";
  }
  return "";
}

}  // namespace cloudstate::base
