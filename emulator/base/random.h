#pragma once

#include <random>

namespace cloudstate::base {

// The only source of chance: seeded by the system in real runs, by the seed in simulated ones.
using Random = std::mt19937_64;

}  // namespace cloudstate::base
