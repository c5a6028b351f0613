#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/bench/load.h"
#include "tests/support/emulator_process.h"

namespace cloudstate::bench {

// From the start of an emulator's process, on a data directory that is not there yet, to the answer to the first call
// that was served; `times` times.
absl::StatusOr<std::vector<absl::Duration>> TimesToFirstCall(int times);

struct Memory {
  double idle = 0;        // bytes that are resident once the user function is connected and a call has been served
  double per_entity = 0;  // bytes by which that grows for each active entity that waits for commands
};

// Of the emulator's process alone, without the user function's: the emulator is run with `arguments`, and each of the
// `entities` is called once by what `connect` makes for its address.
absl::StatusOr<Memory> MeasureMemory(const std::vector<std::string>& arguments,
                                     const std::function<std::unique_ptr<Calls>(const std::string& address)>& connect,
                                     std::size_t entities);

// Of the user function that the emulator has started.
pid_t UserFunctionPid(const support::EmulatorProcess& emulator);

// Resident memory of a process.
double ResidentBytes(pid_t pid);

}  // namespace cloudstate::bench
