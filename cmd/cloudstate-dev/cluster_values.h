#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cloudstate::cli {

// What people write about a cluster. Errors are INVALID_ARGUMENT, with an example of what is right.

// The number of a node, from 1.
absl::StatusOr<std::int32_t> ParseNode(const std::string& text);
// The number of a shard, from 0.
absl::StatusOr<std::int32_t> ParseShard(const std::string& text);

// "1,2/3,4,5": nodes that stay together, groups apart. No node twice.
absl::StatusOr<std::vector<std::vector<std::int32_t>>> ParseGroups(const std::string& text);

// "10%" or "0.1", from none to all.
absl::StatusOr<double> ParseShare(const std::string& text);

// Bytes: "1500", "64KiB", "1.5MB", with "/s" or without.
absl::StatusOr<std::int64_t> ParseBytes(const std::string& text);

// "2s", "-500ms" or "0", at most a day either way.
absl::StatusOr<absl::Duration> ParseSkew(const std::string& text);

// A latency as cluster::Latency reads it, which stays a text.
absl::StatusOr<std::string> ParseLatency(const std::string& text);

}  // namespace cloudstate::cli
