#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "emulator/tck/message_text.h"
#include "emulator/tck/waiting.h"

namespace cloudstate::tck {

// Why a case failed. The verbs throw it and only the runner catches it: a case reads as a list of steps, and the first
// one that does not hold ends it.
struct CaseFailure {
  std::string problem;
  Diff diff = {};  // of the expected and the received, where there are both
  bool timed_out = false;
};

// What one case has said and heard so far, and how long it may take.
struct Conversation {
  Waiting& waiting;
  absl::Time deadline;
  std::vector<std::string> steps = {};

  void Note(std::string step) { steps.push_back(std::move(step)); }
};

// Nothing may come for so long after what a case expects.
inline constexpr absl::Duration kQuiet = absl::Milliseconds(10);

}  // namespace cloudstate::tck
