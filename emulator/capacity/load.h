#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace cloudstate::capacity {

// Since a load began, or how long something takes. Plain, because an hour that is played adds up millions of them.
using Nanoseconds = std::int64_t;
inline constexpr Nanoseconds kSecond = 1'000'000'000;
inline double InSeconds(Nanoseconds time) { return static_cast<double>(time) / kSecond; }

// A time in which calls come at a rate that changes evenly, in calls a second.
struct Stretch {
  Nanoseconds length = 0;
  double from = 0;
  double to = 0;

  double Calls() const { return (from + to) / 2 * static_cast<double>(length) / kSecond; }
};

// When calls come: either stretches, one after the other, or the very times at which recorded calls came.
struct Load {
  std::vector<Stretch> stretches;
  std::vector<Nanoseconds> recorded;  // ascending, the first at 0
  double times = 1;                   // so many calls for each

  Nanoseconds Length() const;
  // As many calls are expected.
  double Calls() const;
};

// Phases, chained with commas; "over" may stand for "for":
//
//   constant 50/s for 10m
//   ramp 10/s to 200/s over 5m
//   step 10/s to 100/s by 30/s every 1m             10, 40, 70 and 100 calls a second, a minute each
//   sine 10/s to 100/s every 10m for 1h             begins at the first rate, is at the second after half of every 10m
//   burst 200/s for 10s every 5m over 1h            the last 10s of every 5m; nothing comes meanwhile
//   burst 20/s to 200/s for 10s every 5m over 1h    20/s come meanwhile
//   idle for 10m
//
// Rates are in calls per second (/s), minute (/m) or hour (/h). INVALID_ARGUMENT shows the place of what is wrong.
absl::StatusOr<Load> ParseLoad(const std::string& text);

}  // namespace cloudstate::capacity
