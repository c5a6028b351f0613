#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/simulation/seeds.h"
#include "emulator/simulation/simulator.h"

namespace cloudstate::cli {

// A scenario made shorter, in a file of its own.
struct ShrunkScenario {
  std::string file;
  int steps = 0;
  int steps_before = 0;
};

// One run: what was played, how it ended, and how to see it again.
struct PlayedSeed {
  std::string scenario;  // as it was named
  simulation::Outcome outcome;
  absl::Duration took;
  std::string replay;  // a command; only where something was violated
};

std::string PlayedText(const PlayedSeed& played, const Terminal& terminal);
std::string ShrunkText(const ShrunkScenario& shrunk, std::uint64_t seed);
// One document, with its end of line.
std::string PlayedJson(const PlayedSeed& played, const std::optional<ShrunkScenario>& shrunk);

// A seed with which something was violated, and what: names, each once.
struct FailedSeed {
  std::uint64_t seed = 0;
  std::vector<std::string> invariants;
};

// Many runs.
struct PlayedSeeds {
  std::string scenario;
  simulation::SeedRange seeds;
  simulation::Summary total;
  std::uint64_t played = 0;
  std::vector<FailedSeed> failed;  // by seed
  absl::Duration took;
  bool interrupted = false;
  std::string replay;  // of the first that failed
};

std::string PlayedText(const PlayedSeeds& played, const Terminal& terminal);
std::string PlayedJson(const PlayedSeeds& played);

// The names of what was violated, each once, in the order of the alphabet.
std::vector<std::string> Invariants(const simulation::Outcome& outcome);

// "1,234,567".
std::string Grouped(std::uint64_t number);

}  // namespace cloudstate::cli
