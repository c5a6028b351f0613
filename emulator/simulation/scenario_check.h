#pragma once

#include "absl/status/status.h"
#include "cloudstate/dev/v1/scenario.pb.h"
#include "emulator/simulation/yaml_message.h"

namespace cloudstate::simulation {

// Whether a scenario makes sense: its values are within their limits, names are known, nodes exist, steps do something,
// in the order of their times. INVALID_ARGUMENT, with the place where that is known.
absl::Status CheckScenario(const dev::v1::Scenario& scenario, const YamlPlaces& places);

}  // namespace cloudstate::simulation
