#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "emulator/capacity/recording.h"
#include "emulator/capacity/service_model.h"

namespace cloudstate::capacity {

// How long calls were in the hands of the user function: waiting for a worker, and served.
struct Stay {
  Nanoseconds p50 = 0;
  Nanoseconds p99 = 0;
  Nanoseconds mean = 0;
  // Of those that came while others were there, each counted as often as there were others. What tells a user function
  // that has too few workers from one that is slow: only in the first do calls take longer that come together.
  Nanoseconds crowded = 0;
};

struct Candidate {
  int workers = 0;  // 0: as many as there are calls
  Stay played;
  double impossible = 0;  // share of the calls that ended before a worker could have begun
  double difference = 0;  // the largest among the four, as a share of what was measured; and `impossible` on top
};

struct Fit {
  ServiceModel model;
  Stay measured;
  Candidate chosen;
  std::vector<Candidate> candidates;  // all that were tried, `chosen` among them
  std::int64_t calls = 0;             // that the user function was asked in
  int most_at_once = 0;               // that one replica had
};

// The model that plays what was recorded best. Of a number of workers it follows when each of them was free, and so how
// long each call was really worked on: from when it came and a worker was free until it was answered. Each number is
// tried: the calls come again when they came, take what others took, drawn at random, and stay for some time. The
// number whose calls stay as those did that were measured is taken, unless the caller knows it.
//
// FAILED_PRECONDITION where the recording does not say how long calls took.
absl::StatusOr<Fit> FitModel(const Recording& recording, std::optional<int> workers = std::nullopt,
                             std::uint64_t seed = 1);

}  // namespace cloudstate::capacity
