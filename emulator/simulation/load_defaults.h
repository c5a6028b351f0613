#pragma once

#include "cloudstate/dev/v1/scenario.pb.h"

namespace cloudstate::simulation {

// What a load has where it leaves something out.
inline constexpr int kClientsUnlessGiven = 10;
inline constexpr int kCallsPerSecondUnlessGiven = 20;
inline constexpr int kEntitiesUnlessGiven = 5;
inline constexpr int kDeadlineSecondsUnlessGiven = 5;
inline constexpr double kEventSourcedWritesUnlessGiven = 0.4;
inline constexpr double kValueWritesUnlessGiven = 0.2;
inline constexpr double kForwardsUnlessGiven = 0.1;
inline constexpr double kEffectsUnlessGiven = 0.1;

// The load with everything given.
inline dev::v1::Load WithDefaults(dev::v1::Load load) {
  if (load.clients() <= 0) load.set_clients(kClientsUnlessGiven);
  if (!load.has_calls_per_second()) load.set_calls_per_second(kCallsPerSecondUnlessGiven);
  if (load.entities() <= 0) load.set_entities(kEntitiesUnlessGiven);
  if (!load.has_deadline()) load.mutable_deadline()->set_seconds(kDeadlineSecondsUnlessGiven);
  if (!load.has_event_sourced_writes()) load.set_event_sourced_writes(kEventSourcedWritesUnlessGiven);
  if (!load.has_value_writes()) load.set_value_writes(kValueWritesUnlessGiven);
  if (!load.has_forwards()) load.set_forwards(kForwardsUnlessGiven);
  if (!load.has_effects()) load.set_effects(kEffectsUnlessGiven);
  return load;
}

// The part of its calls that does anything but read.
inline double SharesOf(const dev::v1::Load& load) {
  const dev::v1::Load whole = WithDefaults(load);
  return whole.event_sourced_writes() + whole.value_writes() + whole.forwards() + whole.effects();
}

}  // namespace cloudstate::simulation
