#include "emulator/journal/reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace cloudstate::journal {
namespace {

std::size_t BytesOf(const Payload& payload) { return payload.type_url.size() + payload.value.size(); }

}  // namespace

absl::StatusOr<std::unique_ptr<Reader>> Reader::Make(Connection connection) {
  Preparer prepare(connection);
  Statements all{
      .begin = prepare("BEGIN"),
      .commit = prepare("COMMIT"),
      .find_entity = prepare("SELECT id, last_sequence FROM entity WHERE persistence_id = ? AND entity_id = ?"),
      .newest_snapshot = prepare("SELECT snapshot.sequence, name.text, snapshot.payload FROM snapshot "
                                 "JOIN name ON name.id = snapshot.type_url WHERE snapshot.entity = ? "
                                 "AND snapshot.sequence <= ? ORDER BY snapshot.sequence DESC LIMIT 1"),
      // A LEFT JOIN, so that an event whose name is lost is noticed and not skipped.
      .events = prepare("SELECT event.sequence, name.text, event.payload FROM event "
                        "LEFT JOIN name ON name.id = event.type_url WHERE event.entity = ? AND event.sequence > ? "
                        "AND event.sequence <= ? ORDER BY event.sequence"),
      // One statement sees one moment: the last event is the one with the entity's last sequence number.
      .last_event = prepare("SELECT event.sequence, name.text, event.payload, entity.last_sequence FROM entity "
                            "LEFT JOIN event ON event.entity = entity.id AND event.sequence = entity.last_sequence "
                            "LEFT JOIN name ON name.id = event.type_url "
                            "WHERE entity.persistence_id = ? AND entity.entity_id = ?"),
  };
  if (!prepare.status().ok()) return prepare.status();
  return std::unique_ptr<Reader>(new Reader(std::move(connection), std::move(all)));
}

absl::StatusOr<Replay> Reader::Load(const EntityKey& key, std::optional<SequenceNumber> after, std::size_t max_bytes,
                                    SequenceNumber until) {
  // One transaction, so that the page and the last sequence number are of the same moment.
  if (absl::Status status = statements_.begin.Run(); !status.ok()) return status;
  absl::StatusOr<Replay> replay = LoadInTransaction(key, after, max_bytes, until);
  if (connection_.InTransaction()) {
    absl::Status status = statements_.commit.Run();
    if (replay.ok() && !status.ok()) return status;
  }
  return replay;
}

absl::StatusOr<Replay> Reader::LoadInTransaction(const EntityKey& key, std::optional<SequenceNumber> after,
                                                 std::size_t max_bytes, SequenceNumber until) {
  Replay replay;
  std::int64_t entity = 0;
  {
    Cursor found = statements_.find_entity.Query(key.persistence_id, key.entity_id);
    if (!found.Next()) return found.status().ok() ? absl::StatusOr<Replay>(replay) : found.status();
    entity = found.Int(0);
    replay.last_sequence = found.Int(1);
  }
  if (!after) {
    if (absl::Status status = ReadSnapshot(entity, until, replay); !status.ok()) return status;
  }
  const SequenceNumber start = after.value_or(replay.snapshot ? replay.snapshot->sequence : 0);
  if (absl::Status status = ReadEvents(entity, start, until, max_bytes, replay); !status.ok()) return status;

  SequenceNumber next = start + 1;
  for (const Event& event : replay.events) {
    if (event.sequence != next) return Gap(key, next);
    ++next;
  }
  if (replay.complete && next <= std::min(until, replay.last_sequence)) return Gap(key, next);
  return replay;
}

absl::StatusOr<Replay> Reader::LoadLast(const EntityKey& key) {
  Replay replay;
  Cursor found = statements_.last_event.Query(key.persistence_id, key.entity_id);
  if (!found.Next()) return found.status().ok() ? absl::StatusOr<Replay>(replay) : found.status();
  replay.last_sequence = found.Int(3);
  if (replay.last_sequence == 0) return replay;
  if (found.IsNull(0)) return Gap(key, replay.last_sequence);
  absl::StatusOr<Event> event = ReadEvent(found);
  if (!event.ok()) return event.status();
  replay.events.push_back(*std::move(event));
  return replay;
}

absl::Status Reader::ReadSnapshot(std::int64_t entity, SequenceNumber until, Replay& replay) {
  Cursor found = statements_.newest_snapshot.Query(entity, until);
  if (found.Next()) replay.snapshot = Snapshot{found.Int(0), Payload{found.String(1), found.String(2)}};
  return found.status();
}

absl::Status Reader::ReadEvents(std::int64_t entity, SequenceNumber after, SequenceNumber until, std::size_t max_bytes,
                                Replay& replay) {
  std::size_t bytes = replay.snapshot ? BytesOf(replay.snapshot->payload) : 0;
  Cursor found = statements_.events.Query(entity, after, until);
  while (found.Next()) {
    absl::StatusOr<Event> event = ReadEvent(found);
    if (!event.ok()) return event.status();
    bytes += BytesOf(event->payload);
    if (bytes > max_bytes && !replay.events.empty()) {
      replay.complete = false;
      return absl::OkStatus();
    }
    replay.events.push_back(*std::move(event));
  }
  return found.status();
}

// Of a row that begins with sequence number, type URL and payload.
absl::StatusOr<Event> Reader::ReadEvent(const Cursor& found) const {
  if (!found.IsNull(1)) return Event{found.Int(0), Payload{found.String(1), found.String(2)}};
  return absl::DataLossError(absl::StrCat("journal ", connection_.file(),
                                          ": the type of an event is lost. Check the file with "
                                          "`cloudstate-dev doctor`."));
}

absl::Status Reader::Gap(const EntityKey& key, SequenceNumber missing) const {
  return absl::DataLossError(absl::StrCat("journal ", connection_.file(), ": event ", missing, " of entity ",
                                          key.ToString(),
                                          " is missing. The file is damaged; check it with `cloudstate-dev doctor`."));
}

}  // namespace cloudstate::journal
