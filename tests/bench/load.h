#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace cloudstate::bench {

// One kind of call, which can be made many at a time.
class Calls {
 public:
  using Done = std::function<void(const absl::Status&)>;

  virtual ~Calls() = default;
  // Makes one call to an entity. `lane` tells the calls apart that are under way at the same time: there is one at most
  // for each lane and for each entity. `done` runs once, on any thread, and not from within Make.
  virtual void Make(std::size_t lane, std::size_t entity, Done done) = 0;
};

struct Figures {
  std::size_t calls = 0;
  absl::Duration took;
  std::vector<absl::Duration> latencies;  // of each call
  absl::Status failure;                   // the first one, after which there are no more calls

  double PerSecond() const { return static_cast<double>(calls) / absl::ToDoubleSeconds(took); }
};

// Keeps `lanes` calls under way for `time`: each lane makes its next call when the one before has been answered. The
// entities are shared out evenly among the lanes. Blocks.
Figures Measure(Calls& calls, std::size_t lanes, std::size_t entities, absl::Duration time);

// Begins `per_second` calls a second for `time`, whether or not those before have been answered, as long as there are
// lanes left; a call that had to wait for one counts as longer. The entities are called in turn. Blocks.
Figures MeasureAtRate(Calls& calls, std::size_t lanes, std::size_t entities, absl::Duration time, double per_second);

// The same, with calls at these times after the beginning.
Figures MeasureAtTimes(Calls& calls, std::size_t lanes, std::size_t entities, const std::vector<absl::Duration>& times);

// One call to each entity, `lanes` at a time. Blocks.
absl::Status CallEachOnce(Calls& calls, std::size_t lanes, std::size_t entities);

// Of latencies in any order; `share` is 0.5 for the median.
absl::Duration Percentile(std::vector<absl::Duration> latencies, double share);

// Of figures in any order, of which there is at least one.
double Median(std::vector<double> figures);

}  // namespace cloudstate::bench
