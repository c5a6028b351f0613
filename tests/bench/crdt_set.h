#pragma once

#include <cstddef>

#include "absl/status/statusor.h"

// A large ORSet on two replicas, and behind an entity, all in this process.
namespace cloudstate::bench {

// Nanoseconds of the processor, and bytes, for each element.
struct SetFigures {
  double add = 0;          // one change, which makes a delta
  double take = 0;         // a delta becomes bytes, and these another replica's
  double keep = 0;         // what no set can do without: to put the same key into a plain sorted map
  double merge = 0;        // the whole becomes bytes, and these an empty replica's
  double delta_bytes = 0;  // of one addition
  double whole_bytes = 0;  // of the whole
};

// Replica A adds so many elements one by one, of which replica B takes each delta. An error where they end up
// different.
absl::StatusOr<SetFigures> MeasureSet(std::size_t elements);

// Nanoseconds of the processor for each command that adds one element to an entity that has so many, with a replica and
// a user function that take no time.
absl::StatusOr<double> MeasureEntityOfSet(std::size_t elements);

}  // namespace cloudstate::bench
