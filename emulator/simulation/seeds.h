#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "emulator/simulation/simulator.h"

namespace cloudstate::simulation {

struct SeedRange {
  std::uint64_t first = 1;
  std::uint64_t last = 1;  // inclusive
};

// Plays a scenario with each seed, on `threads` threads. `played` is told of each outcome, on one thread at a time, in
// no order; it returns false to stop early. Returns when the threads have ended.
void SimulateSeeds(const dev::v1::Scenario& scenario, SeedRange seeds, int threads,
                   const std::function<bool(const Outcome&)>& played);

}  // namespace cloudstate::simulation
