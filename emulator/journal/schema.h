#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "emulator/journal/sqlite.h"

namespace cloudstate::journal {

// The layout of the file. Its version is in `user_version`; `application_id` tells a journal from other SQLite files.
inline constexpr std::int64_t kApplicationId = 0x43536476;  // "CSdv"
inline constexpr std::int64_t kSchemaVersion = 3;

// Brings an empty file, or one of an older version, to kSchemaVersion in one transaction.
// FAILED_PRECONDITION: another kind of SQLite file, or a newer version's; it is left as it is.
absl::Status Migrate(Connection& connection);

// OK where the file has this very version, as a reader needs, who must not change it. FAILED_PRECONDITION otherwise.
absl::Status CheckVersion(Connection& connection);

}  // namespace cloudstate::journal
