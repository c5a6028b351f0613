#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cloudstate::bench {

// A real run whose replicas are processes: the sample, whose commands wait for their turn.
struct TruthOptions {
  int replicas = 2;
  std::string work = "exponential(20ms)";
  int workers = 1;
  double per_second = 60;  // calls, by chance, each to an entity of its own
  absl::Duration time = absl::Seconds(60);
  std::uint64_t seed = 1;
};

// What clients saw, and what `scale simulate` makes of the recording of the same run.
struct Truth {
  std::size_t calls = 0;
  int workers = 0;  // that the model found
  absl::Duration measured_p50, measured_p99;
  absl::Duration modelled_p50, modelled_p99;  // the medians of several seeds

  // Shares of what was measured: 0.1 is ten percent too much.
  double OffAtP50() const { return absl::FDivDuration(modelled_p50, measured_p50) - 1; }
  double OffAtP99() const { return absl::FDivDuration(modelled_p99, measured_p99) - 1; }
};

// Starts the emulator, calls it, records that, and has the recording simulated.
absl::StatusOr<Truth> CompareWithTruth(const TruthOptions& options);

}  // namespace cloudstate::bench
