#pragma once

#include <cstdint>
#include <string>

#include "emulator/simulation/seeds.h"

namespace cloudstate::cli {

// What --seed and --seeds take: a number, and "A..B". They throw CLI::ValidationError.
std::uint64_t ParseSeed(const std::string& text);
simulation::SeedRange ParseSeeds(const std::string& text);

}  // namespace cloudstate::cli
