#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "emulator/journal/archive.h"

namespace cloudstate::cli {

// As journal::ImportJournal, of a file or, with "-", of standard input.
absl::StatusOr<journal::ArchiveCounts> ImportFile(const std::string& file, const std::string& directory,
                                                  const journal::ArchiveProgress& progress);

}  // namespace cloudstate::cli
