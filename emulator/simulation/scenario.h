#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cloudstate/dev/v1/scenario.pb.h"

namespace cloudstate::simulation {

// What a scenario that leaves it out has.
inline constexpr int kNodesUnlessGiven = 3;
inline constexpr int kSecondsUnlessGiven = 30;
// That a scenario can have, those that are added included.
inline constexpr int kMostScenarioNodes = 100;

// Reads a scenario from YAML with the field names of cloudstate.dev.v1.Scenario, and checks it. Durations are written
// "1.5s", "200ms", "2m". `file` is what errors call it. INVALID_ARGUMENT, such as
//   rolling.yaml:12:7: there is no 'latncy' in 'network'; did you mean 'latency'?
absl::StatusOr<dev::v1::Scenario> ParseScenario(absl::string_view yaml, absl::string_view file);
// NOT_FOUND where there is no such file, UNAVAILABLE where it can't be read, INVALID_ARGUMENT also for one of more than
// 1 MiB.
absl::StatusOr<dev::v1::Scenario> LoadScenario(const std::string& file);

// Whether a scenario that was changed after it was read still makes sense. INVALID_ARGUMENT.
absl::Status CheckScenario(const dev::v1::Scenario& scenario, absl::string_view name);

// In YAML, as a person would write it; ParseScenario reads the same scenario back.
std::string ScenarioText(const dev::v1::Scenario& scenario);

// A condition as a scenario has it, in one line: "not: {nodes_up: 3}".
std::string ConditionText(const dev::v1::Condition& condition);

// The names that Chaos.faults takes.
const std::vector<std::string>& ChaosFaults();

}  // namespace cloudstate::simulation
