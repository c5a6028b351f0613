#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "emulator/scaling/measurement.h"

namespace cloudstate::scaling {

// The newest reports of the nodes, and what both algorithms take from them. A value. Numbers that are no numbers, or
// negative, count as nothing.
//
// There are two rules of what is within a window, one for each algorithm, since the two that they emulate differ: the
// published autoscaler takes whole intervals by when they ended, and Knative's averages over a stretch of time, of
// which an interval at its edge has only the part that is inside.
class MetricWindow {
 public:
  // Of one replica, on average.
  struct Concurrency {
    double requests = 0;
    double user_function = 0;
    double journal = 0;
  };

  void Add(const NodeReport& report);
  // Forgets what ended longer than `window` ago.
  void Keep(absl::Time now, absl::Duration window);

  // When the first interval began that was ever reported.
  std::optional<absl::Time> began() const { return began_; }
  // Nodes that have reported within what is kept.
  std::size_t nodes() const;

  // Each interval has the weight of its length, whichever node's it is.
  Concurrency PerReplica() const;
  // Requests that ended in a second: over the intervals that ended less than `window` ago, each node's requests by its
  // time, summed.
  double RateOfNodes(absl::Time now, absl::Duration window) const;

  // Requests under way in all replicas together, and requests that ended in a second: on average over the time before
  // `now`, as long as `window`, or as there have been reports. An interval that is older in part counts in part. What
  // the activator holds is under way, but ends with a replica, which counts it.
  double TotalConcurrency(absl::Time now, absl::Duration window) const;
  double TotalRate(absl::Time now, absl::Duration window) const;

 private:
  struct Sample {
    std::uint32_t node = 0;
    std::int64_t end = 0;     // nanoseconds since the epoch, which are quicker to reckon with
    std::int64_t length = 0;  // nanoseconds
    Concurrency concurrency;
    double ended = 0;  // requests
  };
  enum class Of { kConcurrency, kRate };

  double Total(Of what, absl::Time now, absl::Duration window) const;

  std::deque<Sample> samples_;  // as they came
  std::optional<absl::Time> began_;
};

// Arithmetic of doubles is off in the last digits: what is above or rounded up by no more than that is not.
bool IsAbove(double value, double limit);
// At most 1'000'000'000; of what is no number, 0.
int RoundedUp(double value);

// For people: at most two digits after the point, or the first two that are not 0.
std::string NumberText(double value);

}  // namespace cloudstate::scaling
