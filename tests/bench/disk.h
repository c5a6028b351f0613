#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cloudstate::bench {

// How long the disk takes, at the median of `times`, to make one appended page durable: what bounds durable commands
// from below. On the file system on which the emulators of the benchmarks keep their data.
absl::StatusOr<absl::Duration> MedianSyncTime(int times);

}  // namespace cloudstate::bench
