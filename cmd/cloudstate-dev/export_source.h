#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cmd/cloudstate-dev/commands.h"
#include "emulator/journal/archive.h"

namespace cloudstate::cli {

// The file of the journal that the settings mean: of the emulator that --admin names, which must be on this machine, or
// else in the data directory, whether or not an emulator has it. NOT_FOUND where there is none, UNAVAILABLE where no
// emulator answers, both saying what to do.
absl::StatusOr<std::string> FindJournalFile(const Settings& settings);

// "3 entities, 12 events, 1 snapshot", and CRDT replicas where there are any.
std::string ArchiveCountsText(const journal::ArchiveCounts& counts);

// Members of a JSON object, without braces.
std::string ArchiveCountsJson(const journal::ArchiveCounts& counts);

}  // namespace cloudstate::cli
