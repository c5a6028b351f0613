#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "emulator/capacity/player.h"

namespace cloudstate::capacity {

// A setting and the values to try. "replicas" is the number of them at the beginning, in mode "manual" all the time;
// other names are those of scaling::Set.
struct Variation {
  std::string name;
  std::vector<std::string> values;
};

// What is varied where nobody says what: the target and the window of the mode, or in mode "manual" the replicas.
std::vector<Variation> UsualVariations(scaling::Mode mode);

// What was tried, and what came of it.
struct Trial {
  std::vector<std::string> values;  // one of each variation
  PlayOptions options;

  absl::Duration p50, p99, mean;
  double replica_seconds = 0;
  double average_replicas = 0;
  int most_replicas = 0;
  std::int64_t calls = 0, held = 0, refused = 0, unanswered = 0, cold_starts = 0;
  std::int64_t changes = 0;  // of what was wanted
  // No other has both a lower p99 and fewer replica-seconds.
  bool best = false;
};

// Every combination, not played yet. INVALID_ARGUMENT names the variation that does not fit, or says that these are too
// many. What does nothing in the mode does not fit, nor does the same twice. Combinations of settings that contradict
// each other are left out, unless none is left.
absl::StatusOr<std::vector<Trial>> Combine(const std::vector<Variation>& variations, const PlayOptions& options);

// Plays the load with the trial's settings and takes down what came of it; false if it was interrupted, and so is not
// to be judged by that. For any thread.
bool PlayTrial(const Load& load, Trial& trial);

struct Recommendation {
  std::optional<std::size_t> trial;  // none if no trial was played
  std::string reason;                // a sentence
};

// Marks the best ones and chooses one of them: with `p99`, the one of fewest replica-seconds that is as fast, or else
// the fastest. Without, the knee: of the best ones, both measures scaled to what there is between their extremes (the
// latency by its logarithm), the one nearest to the corner that is best in both. Trials that left calls refused or
// unanswered come last. Where all came out alike, it says so.
Recommendation Recommend(std::vector<Trial>& trials, std::optional<absl::Duration> p99);

}  // namespace cloudstate::capacity
