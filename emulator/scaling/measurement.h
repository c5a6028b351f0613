#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace cloudstate::scaling {

// How much of something there was in an interval.
struct Usage {
  double concurrency = 0;  // under way on average: the integral over the interval by its length
  absl::Duration time;     // of those that ended, summed
  std::int64_t count = 0;  // that ended

  bool operator==(const Usage&) const = default;
};

// What one node did between two ticks.
struct NodeReport {
  std::uint32_t node = 0;  // from 1; 0 for the activator, which has requests only: those that it holds
  absl::Time end;
  absl::Duration length;
  Usage requests;
  Usage user_function;
  Usage journal;
};

// All that a decision is made of, besides the settings and what was decided before.
struct Measurement {
  absl::Time now;
  int ready = 0;                    // replicas that serve
  int wanted = 0;                   // replicas that there are to be, as was decided or set last
  bool upgrading = false;           // nodes are being replaced by ones of another version
  std::vector<NodeReport> reports;  // of the time since the tick before; none of a node that is not ready
};

// A number that a decision was made of, named for people.
struct Figure {
  std::string name;
  double value = 0;

  bool operator==(const Figure&) const = default;
};

struct Decision {
  int wanted = 0;
  std::string phase;   // the algorithm's own state: "stable", "panic" …
  std::string reason;  // a sentence
  std::vector<Figure> figures;
  // Knative: calls go through the activator, which spreads them by the replicas' free places.
  bool activator_in_path = false;
};

}  // namespace cloudstate::scaling
