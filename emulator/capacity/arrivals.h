#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "emulator/base/random.h"
#include "emulator/capacity/load.h"

namespace cloudstate::capacity {

// By chance, as calls of many clients come that know nothing of each other (a Poisson process), or as evenly as the
// rate allows. Recorded calls come when they came.
enum class Spacing { kPoisson, kEven };

// The calls of a load, one after the other: the same for the same seed.
class Arrivals {
 public:
  // The load outlives this.
  Arrivals(const Load& load, Spacing spacing, std::uint64_t seed);

  // When the next call comes; false at the end.
  bool Next(Nanoseconds& at);

 private:
  bool NextOfStretches(Nanoseconds& at);
  bool NextRecorded(Nanoseconds& at);

  const Load& load_;
  const Spacing spacing_;
  base::Random random_;
  std::size_t place_ = 0;  // in the stretches, or in what was recorded

  Nanoseconds begin_ = 0;  // of the stretch
  double passed_ = 0;      // calls of the stretch, or parts of them, that have come
  bool any_ = false;

  double due_ = 0;                   // copies of the recorded call, or parts of them, that are still to come
  std::vector<Nanoseconds> copies_;  // of it, the last one first
};

}  // namespace cloudstate::capacity
