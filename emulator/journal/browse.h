#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "emulator/journal/journal.h"

namespace cloudstate::journal {

struct EntityFilter {
  std::string service;         // full name; empty for any
  std::string persistence_id;  // empty for any
  std::string id_contains;     // part of the entity id, case-sensitive; empty for any
};

struct EntityRow {
  EntityKey key;
  std::string service;
  SequenceNumber last_sequence = 0;
  std::int64_t event_bytes = 0;  // of all payloads
  std::optional<SequenceNumber> snapshot_sequence;
  absl::Time created;
  absl::Time updated;
};

struct EntityPage {
  std::vector<EntityRow> rows;  // by persistence id, then entity id
  std::string next;             // opaque; empty at the end
  std::int64_t total = 0;       // rows that the filter lets through, over all pages; 0 on later pages of a filter
};

struct EventRow {
  std::int64_t position = 0;  // in the whole journal: grows with every event, the order of commits
  EntityKey key;
  std::string service;
  SequenceNumber sequence = 0;
  Payload payload;
  absl::Time time;
  Cause cause;
};

inline std::size_t BytesOf(const EventRow& row) { return row.payload.value.size() + row.cause.command.value.size(); }

// Events are read in lists that end early once they hold so many bytes, so that a list of large ones is no larger than
// one that anybody can hold. Each has at least one event, if there is one.
inline constexpr std::size_t kMostEventBytes = std::size_t{4} << 20;

struct SnapshotRow {
  SequenceNumber sequence = 0;
  Payload payload;
  absl::Time time;
};

struct SnapshotRange {
  SequenceNumber from = 0;   // those taken there or later
  std::optional<int> limit;  // none: all
  bool payloads = true;      // false: they are not read, and empty
};

// Read-only looks into a journal for people and tools. Each call blocks on the disk and sees the last commit at its
// start; one object may be used by one thread at a time. Works on a file that an emulator is writing to and on one that
// none is.
class Browser {
 public:
  virtual ~Browser() = default;

  // `page` is empty for the first one, an EntityPage's `next`, or "@5000" for the one that begins behind 5,000 rows.
  virtual absl::StatusOr<EntityPage> Entities(const EntityFilter& filter, const std::string& page, int page_size) = 0;

  // NOT_FOUND where nothing was ever stored under the key.
  virtual absl::StatusOr<EntityRow> Entity(const EntityKey& key) = 0;

  // Events of one entity with from <= sequence, at most `limit` and of about kMostEventBytes, in order.
  virtual absl::StatusOr<std::vector<EventRow>> Events(const EntityKey& key, SequenceNumber from, int limit) = 0;

  // What the entity is replayed from if `until` is its last event: as Journal::Load says, with the newest snapshot up
  // to there.
  virtual absl::StatusOr<Replay> LoadUntil(const EntityKey& key, SequenceNumber until,
                                           std::optional<SequenceNumber> after, std::size_t max_bytes) = 0;

  // Events of the whole journal behind `position` that the filter lets through, at most `limit` and of about
  // kMostEventBytes, in order of position.
  virtual absl::StatusOr<std::vector<EventRow>> EventsAfter(std::int64_t position, const EntityFilter& filter,
                                                            int limit) = 0;

  // The position of the newest event; 0 in an empty journal.
  virtual absl::StatusOr<std::int64_t> LastPosition() = 0;

  // How many events are stored. Looks at every entity: about 0.1 s for a million of them.
  virtual absl::StatusOr<std::int64_t> CountEvents() = 0;

  // Kept snapshots of an entity, oldest first.
  virtual absl::StatusOr<std::vector<SnapshotRow>> Snapshots(const EntityKey& key, const SnapshotRange& range) = 0;

  // Serialized google.protobuf.FileDescriptorSets of the user functions seen so far, newest first.
  virtual absl::StatusOr<std::vector<std::string>> DescriptorSets() = 0;
};

}  // namespace cloudstate::journal
