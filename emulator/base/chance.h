#pragma once

#include <cstdint>

#include "emulator/base/random.h"

namespace cloudstate::base {

// The standard's distributions draw differently from one library to the next; these give the same everywhere, so that a
// seed means the same run.

// At least 0 and less than 1, in steps of 2^-53. One draw.
inline double Uniform(Random& random) { return static_cast<double>(random() >> 11) * 0x1.0p-53; }

// Whether what happens in this share of the cases happens now. Without a draw where there is nothing to decide.
inline bool Happens(Random& random, double share) { return share >= 1 || (share > 0 && Uniform(random) < share); }

// One of 0 … count - 1. Without a draw where there is only one.
inline std::uint64_t Below(Random& random, std::uint64_t count) { return count <= 1 ? 0 : random() % count; }

}  // namespace cloudstate::base
