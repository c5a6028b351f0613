#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "emulator/base/case_outcome.h"

namespace cloudstate::testing {

using Outcome = base::CaseOutcome;  // skipped: the file says so

// Why a case failed: the first thing that did not hold ends it.
struct CaseFailure {
  std::string place;    // of what was expected: "carts.yaml:12:7"
  std::string problem;  // in a sentence or two
  // Of what was expected and what was there, where there are both: lines after "- ", "+ " or "  ".
  std::vector<std::string> difference = {};
  // What happened to the call that was looked at, step by step.
  std::vector<std::string> steps = {};
};

// What a case has made the user function do. Full names.
struct Covered {
  std::set<std::string> methods;        // "com.example.ShoppingCart.AddItem": that were called, or that a call caused
  std::set<std::string> stored_events;  // types that commands have stored
  std::set<std::string> given_events;   // types that the test files have stored before

  void Add(const Covered& other);
};

struct CaseResult {
  std::string file;
  int line = 0;
  std::string name;
  Outcome outcome = Outcome::kPassed;
  absl::Duration took;
  CaseFailure failure = {};  // of one that failed
  std::string reason = {};   // of one that was skipped or not run
  Covered covered = {};
};

// A failure as text for people, in several lines, without its case's name.
std::string FailureText(const CaseFailure& failure);

}  // namespace cloudstate::testing
