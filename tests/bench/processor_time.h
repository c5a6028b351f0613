#pragma once

#include <sys/types.h>

#include <vector>

#include "absl/time/time.h"

namespace cloudstate::bench {

// What these processes have used of the processors since they began, all together, in steps of 10 ms for each.
absl::Duration ProcessorTime(const std::vector<pid_t>& pids);

}  // namespace cloudstate::bench
