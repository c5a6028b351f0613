#pragma once

#include <string>

#include "absl/status/status.h"

namespace cloudstate::journal {

// Waits until what a file holds is on the disk, or the names in a directory: a file that is there is of no use if its
// name is not. PERMISSION_DENIED if it may not be read.
absl::Status MakeDurable(const std::string& path);

}  // namespace cloudstate::journal
