#pragma once

#include <cstdint>
#include <ostream>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cloudstate/dev/v1/scenario.pb.h"
#include "emulator/simulation/violation.h"

namespace cloudstate::simulation {

// What a run was like.
struct Summary {
  absl::Duration simulated;  // time
  std::uint64_t calls = 0;
  std::uint64_t ok = 0;
  std::uint64_t failed = 0;    // surely without effect, or answered by the user function with a failure
  std::uint64_t unknown = 0;   // failed, and may have had its effect
  std::uint64_t events = 0;    // stored
  std::uint64_t messages = 0;  // between nodes
  std::uint64_t steps = 0;     // of the scenario, those made up included
};

struct Outcome {
  std::uint64_t seed = 0;
  Summary summary;
  std::vector<Violation> violations;
  // The scenario with the steps that chaos made up written out, and no chaos: it plays the same with this seed.
  dev::v1::Scenario played;
};

// Plays a scenario on this thread, in virtual time, with the code of real runs: the same seed and scenario give the
// same outcome and, where `trace` is set, the same text, byte for byte. The scenario has been checked (LoadScenario
// does).
Outcome Simulate(const dev::v1::Scenario& scenario, std::uint64_t seed, std::ostream* trace = nullptr);

}  // namespace cloudstate::simulation
