#pragma once

namespace cloudstate::base {

// What came of a case of a kit or of a test.
enum class CaseOutcome {
  kPassed,
  kFailed,
  kSkipped,
  kNotRun,  // something came in between: it says nothing, which is no success
};

// "passed", "failed", "skipped", "notRun".
const char* OutcomeName(CaseOutcome outcome);

}  // namespace cloudstate::base
