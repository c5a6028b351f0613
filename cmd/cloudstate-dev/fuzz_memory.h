#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cmd/cloudstate-dev/fuzz_emulator.h"
#include "emulator/fuzzing/memory_trend.h"
#include "emulator/fuzzing/sequence.h"

namespace cloudstate::cli {

// Resident memory of a process and of those that it started, in KiB. 0 where there is no such process.
std::int64_t ResidentKibibytes(int pid);

// Plays the calls of the sequences over and over, each time until nothing is stored and no stream open any more, and
// measures the user function's process after each: at most so long as it may be a leak. CANCELLED when interrupted.
absl::StatusOr<fuzzing::MemoryRounds> MeasureMemory(FuzzEmulator& emulator,
                                                    const std::vector<fuzzing::Sequence>& sequences,
                                                    absl::Duration deadline, const std::function<bool()>& interrupted);

}  // namespace cloudstate::cli
