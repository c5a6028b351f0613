#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cloudstate::bench {

// From the start of an emulator's process, on a data directory that is not there yet, to the answer to the first call
// that was served; `times` times.
absl::StatusOr<std::vector<absl::Duration>> TimesToFirstCall(int times);

struct Memory {
  double idle = 0;        // bytes that are resident once the user function is connected and a call has been served
  double per_entity = 0;  // bytes by which that grows for each active entity that waits for commands
};

// Of the emulator's process alone, without the user function's.
absl::StatusOr<Memory> MeasureMemory(std::size_t entities);

}  // namespace cloudstate::bench
