#pragma once

#include "absl/time/time.h"
#include "cloudstate/dev/v1/scenario.pb.h"
#include "emulator/base/proto_time.h"
#include "emulator/simulation/scenario.h"

namespace cloudstate::simulation {

// How long the scenario plays.
inline absl::Duration DurationOf(const dev::v1::Scenario& scenario) {
  return scenario.has_duration() ? base::FromDuration(scenario.duration()) : absl::Seconds(kSecondsUnlessGiven);
}

inline int NodesOf(const dev::v1::Scenario& scenario) {
  return scenario.nodes() == 0 ? kNodesUnlessGiven : scenario.nodes();
}

}  // namespace cloudstate::simulation
