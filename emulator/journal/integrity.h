#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace cloudstate::journal {

struct IntegrityReport {
  std::int64_t entities = 0;
  std::int64_t events = 0;
  std::int64_t snapshots = 0;
  std::vector<std::string> problems;  // one sentence each, at most kMaxProblems; empty for a sound journal
};

inline constexpr int kMaxProblems = 20;

// Reads the whole file, which may take seconds: its structure, that nothing refers to what is missing, that each
// entity's events are exactly 1, 2, … up to its last sequence number, and that no snapshot is ahead of them. Works
// beside a running emulator. Errors: the file can't be read at all, as of OpenForReading.
absl::StatusOr<IntegrityReport> CheckIntegrity(const std::string& file);

}  // namespace cloudstate::journal
