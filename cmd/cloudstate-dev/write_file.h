#pragma once

#include <string>

#include "absl/status/status.h"

namespace cloudstate::cli {

// The whole text, in place of what is there. UNAVAILABLE names the file.
absl::Status WriteFile(const std::string& file, const std::string& text);

// Before the work for a file begins: it is no directory and, without `force`, not there yet, but its directory is, and
// this user may write there. The errors say what to do.
absl::Status CheckMayWrite(const std::string& file, bool force);

}  // namespace cloudstate::cli
