#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace cloudstate::cli {

// What people write about a cluster. Errors are INVALID_ARGUMENT, with an example of what is right.

// "1,2/3,4,5": nodes that stay together, groups apart. No node twice.
absl::StatusOr<std::vector<std::vector<std::int32_t>>> ParseGroups(const std::string& text);

// "10%" or "0.1", from none to all.
absl::StatusOr<double> ParseShare(const std::string& text);

// Bytes: "1500", "64KiB", "1.5MB", with "/s" or without.
absl::StatusOr<std::int64_t> ParseBytes(const std::string& text);

}  // namespace cloudstate::cli
