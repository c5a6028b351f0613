#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "cloudstate/dev/v1/scenario.pb.h"
#include "emulator/simulation/scenario.h"
#include "google/protobuf/duration.pb.h"

namespace cloudstate::simulation {

inline absl::Duration ToAbsl(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

inline google::protobuf::Duration ToProto(absl::Duration time) {
  google::protobuf::Duration duration;
  duration.set_seconds(absl::IDivDuration(time, absl::Seconds(1), &time));
  duration.set_nanos(static_cast<std::int32_t>(absl::ToInt64Nanoseconds(time)));
  return duration;
}

// How long the scenario plays.
inline absl::Duration DurationOf(const dev::v1::Scenario& scenario) {
  return scenario.has_duration() ? ToAbsl(scenario.duration()) : absl::Seconds(kSecondsUnlessGiven);
}

inline int NodesOf(const dev::v1::Scenario& scenario) {
  return scenario.nodes() == 0 ? kNodesUnlessGiven : scenario.nodes();
}

}  // namespace cloudstate::simulation
