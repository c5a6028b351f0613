#include "cmd/cloudstate-dev/shrunk_failure.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/paste_lines.h"
#include "cmd/cloudstate-dev/write_file.h"
#include "emulator/simulation/scenario.h"
#include "emulator/simulation/shrink.h"
#include "google/protobuf/util/message_differencer.h"

namespace cloudstate::cli {
namespace {

using dev::v1::Scenario;
using simulation::Outcome;

// The name that violations of a scenario's own conditions have.
constexpr char kCondition[] = "condition";

bool Violates(const Outcome& outcome, const std::string& invariant) {
  const std::vector<std::string> names = Invariants(outcome);
  return std::find(names.begin(), names.end(), invariant) != names.end();
}

std::string WhatToKeep(const Outcome& failed) {
  for (const simulation::Violation& each : failed.violations) {
    if (each.invariant != kCondition) return each.invariant;
  }
  return kCondition;
}

// Whether all steps of `part` are among those of `whole`, in this order.
bool HasSteps(const Scenario& whole, const Scenario& part) {
  int found = 0;
  for (const dev::v1::ScenarioStep& step : whole.steps()) {
    if (found == part.steps_size()) return true;
    if (google::protobuf::util::MessageDifferencer::Equals(step, part.steps(found))) ++found;
  }
  return found == part.steps_size();
}

}  // namespace

absl::StatusOr<std::optional<ShrunkScenario>> ShrinkFailure(const Scenario& asked, const Outcome& failed,
                                                            const std::string& name, const std::string& file,
                                                            const std::function<void(const std::string&)>& progress) {
  const std::string violated = WhatToKeep(failed);
  const bool keep_own = violated == kCondition;
  if (keep_own && asked.steps_size() == failed.played.steps_size()) return std::nullopt;
  if (absl::Status status = CheckMayWrite(file, true); !status.ok()) return status;
  int runs = 0;
  int steps = failed.played.steps_size();
  const auto fails = [&](const Scenario& candidate) {
    if (keep_own && !HasSteps(candidate, asked)) return false;
    progress(absl::StrCat("shrinking: ", Counted(++runs, "run"), ", ", Counted(steps, "step"), " left"));
    const bool does = Violates(simulation::Simulate(candidate, failed.seed), violated);
    if (does) steps = candidate.steps_size();
    return does;
  };
  const Scenario scenario = simulation::Shrink(failed.played, fails);
  const std::string head = absl::StrCat("# Shrunk from ", Printable(name), ", which violates ", violated,
                                        "; this does as well.\n# Play it:  cloudstate-dev simulate --scenario ",
                                        ShellWord(file), " --seed ", failed.seed, "\n");
  if (absl::Status status = WriteFile(file, head + simulation::ScenarioText(scenario)); !status.ok()) return status;
  return ShrunkScenario{file, scenario.steps_size(), failed.played.steps_size()};
}

}  // namespace cloudstate::cli
