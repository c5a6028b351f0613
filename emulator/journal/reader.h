#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "emulator/journal/journal.h"
#include "emulator/journal/sqlite.h"

namespace cloudstate::journal {

// Reads what entities are replayed from, through one connection. For one thread.
class Reader {
 public:
  // The connection's file has this version's schema.
  static absl::StatusOr<std::unique_ptr<Reader>> Make(Connection connection);

  // As Journal::Load says. Sees everything that was committed before. DATA_LOSS where the entity's events have a gap.
  // With `until` as if that had been the entity's last event, but for `last_sequence`.
  absl::StatusOr<Replay> Load(const EntityKey& key, std::optional<SequenceNumber> after, std::size_t max_bytes,
                              SequenceNumber until = kNoEnd);
  absl::StatusOr<Replay> LoadLast(const EntityKey& key);

 private:
  static constexpr SequenceNumber kNoEnd = std::numeric_limits<SequenceNumber>::max();

  struct Statements {
    Statement begin, commit;
    Statement find_entity, newest_snapshot, events, last_event;
  };

  Reader(Connection connection, Statements statements)
      : connection_(std::move(connection)), statements_(std::move(statements)) {}

  absl::StatusOr<Replay> LoadInTransaction(const EntityKey& key, std::optional<SequenceNumber> after,
                                           std::size_t max_bytes, SequenceNumber until);
  absl::StatusOr<Event> ReadEvent(const Cursor& found) const;
  absl::Status ReadSnapshot(std::int64_t entity, SequenceNumber until, Replay& replay);
  absl::Status ReadEvents(std::int64_t entity, SequenceNumber after, SequenceNumber until, std::size_t max_bytes,
                          Replay& replay);
  absl::Status Gap(const EntityKey& key, SequenceNumber missing) const;

  Connection connection_;  // outlives the statements
  Statements statements_;
};

}  // namespace cloudstate::journal
