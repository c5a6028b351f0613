#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "emulator/journal/archive_file.h"
#include "emulator/journal/browse.h"

namespace cloudstate::journal {

// A journal as one file: gzip around a line of JSON for everything that it holds. The same content is the same bytes,
// whatever the numbers of rows are, and in whatever version of SQLite and on what machine they lie:
//
//   {"archive":"cloudstate-dev journal","version":1}
//   {"types":…}      each descriptor set, oldest first
//   {"entity":…}     each entity, by its key
//   {"event":…}      each event, in the order of commits; without "cause" it has that of the line before
//   {"snapshot":…}   by the entity's key and sequence; without "cause" it has that of the event at its sequence
//   {"life":…}       the last life of each node that had CRDT entities
//   {"replica":…}    each piece of a node's replica, by node, key and the order in which they were kept
//   {"end":…}        how many of each, and zlib's CRC-32 of all lines before
//
// Positions are not in it: events that are imported count from 1.

inline constexpr int kArchiveVersion = 1;

struct ArchiveCounts {
  std::int64_t types = 0;
  std::int64_t entities = 0;
  std::int64_t events = 0;
  std::int64_t snapshots = 0;
  std::int64_t lives = 0;
  std::int64_t replicas = 0;  // pieces

  bool operator==(const ArchiveCounts&) const = default;
};

// Is told how far it has come, now and then; a status that is not OK ends it with that.
using ArchiveProgress = std::function<absl::Status(const ArchiveCounts&)>;

// Writes what the filter lets through, as it is at one moment; works beside an emulator that writes. CRDT entities have
// no service: a filter by one leaves them out. In memory is one row at a time. Errors as of OpenForReading and of
// `output`.
absl::StatusOr<ArchiveCounts> ExportJournal(const std::string& file, const EntityFilter& filter, ArchiveOutput output,
                                            const ArchiveProgress& progress);

// Makes a journal of the archive in a directory that has none, or one without entities: all of it, on the disk, or
// nothing. The directory is made if missing, and locked meanwhile. FAILED_PRECONDITION: there is a journal, or an
// emulator has the directory. INVALID_ARGUMENT, naming the line: no archive, of a newer version, or wrong in itself.
// DATA_LOSS: cut or damaged. Else as for Journal.
absl::StatusOr<ArchiveCounts> ImportJournal(ArchiveInput input, const std::string& directory,
                                            const ArchiveProgress& progress);

// Copies a journal as it is at one moment into `target`, a file that is not there yet. Works beside an emulator.
absl::Status CopyJournal(const std::string& file, const std::string& target);

}  // namespace cloudstate::journal
