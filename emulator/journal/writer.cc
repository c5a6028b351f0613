#include "emulator/journal/writer.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace cloudstate::journal {
namespace {

std::size_t BytesOf(const Payload& payload) { return payload.type_url.size() + payload.value.size(); }

std::size_t BytesOf(const Append& append) {
  constexpr std::size_t kPerRow = 100;
  std::size_t bytes = 2 * kPerRow + append.key.persistence_id.size() + append.key.entity_id.size() +
                      append.cause.trace_id.size() + BytesOf(append.cause.command);
  for (const Payload& event : append.events) bytes += kPerRow + BytesOf(event);
  if (append.snapshot) bytes += kPerRow + BytesOf(*append.snapshot);
  return bytes;
}

std::int64_t LastSequenceAfter(const Append& append) {
  return append.expected + static_cast<std::int64_t>(append.events.size());
}

// A claim must neither be undone with a transaction nor be there when a part of one is tried again. Where all is taken
// away, so are the claims, which those before and after it must not notice. An error of the temporary database, where
// copies are kept, undoes nobody's writes.
bool StandsAlone(const Change& change) {
  return std::holds_alternative<Claims>(change) || std::holds_alternative<CopyChange>(change);
}

absl::Status WrongSequence(const Append& append, SequenceNumber last) {
  if (last == 0) {
    return absl::AbortedError(absl::StrCat("entity ", append.key.ToString(), kDeletedMeanwhile));
  }
  return absl::AbortedError(absl::StrCat("entity ", append.key.ToString(), ": the writer's last sequence number is ",
                                         append.expected, ", the journal's is ", last,
                                         ": another writer was there in between. Load the entity again."));
}

absl::Status NotTheHolder(const Append& append, const absl::Status& reason) {
  return absl::AbortedError(absl::StrCat("entity ", append.key.ToString(), " was not written: ", reason.message()));
}

}  // namespace

std::size_t BytesOf(const Change& change) {
  if (const Append* append = std::get_if<Append>(&change)) return BytesOf(*append);
  if (const Claims* claims = std::get_if<Claims>(&change)) return claims->claims.size() * sizeof(ShardClaim);
  if (const ReplicaChange* replicas = std::get_if<ReplicaChange>(&change)) return BytesOf(*replicas);
  if (const Deletion* deletion = std::get_if<Deletion>(&change)) return deletion->key.ToString().size();
  if (std::holds_alternative<CopyChange>(change)) return sizeof(CopyChange);
  const DescriptorSet& set = std::get<DescriptorSet>(change);
  return set.name.size() + set.content.size();
}

absl::StatusOr<std::unique_ptr<Writer>> Writer::Make(Connection connection, Fences& fences) {
  absl::StatusOr<Statements> statements = PrepareAll(connection);
  if (!statements.ok()) return statements.status();
  absl::StatusOr<RowWriter> rows = RowWriter::Make(connection);
  if (!rows.ok()) return rows.status();
  absl::StatusOr<ReplicaWriter> replicas = ReplicaWriter::Make(connection);
  if (!replicas.ok()) return replicas.status();
  return std::unique_ptr<Writer>(
      new Writer(std::move(connection), *std::move(statements), *std::move(rows), *std::move(replicas), fences));
}

absl::StatusOr<Writer::Statements> Writer::PrepareAll(Connection& connection) {
  Preparer prepare(connection);
  Statements all{
      .begin = prepare("BEGIN IMMEDIATE"),
      .commit = prepare("COMMIT"),
      .rollback = prepare("ROLLBACK"),
      .find_entity = prepare("SELECT id, last_sequence FROM entity WHERE persistence_id = ? AND entity_id = ?"),
      .add_entity =
          prepare("INSERT INTO entity (persistence_id, entity_id, service, last_sequence, event_bytes, created, "
                  "updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)"),
      .update_entity = prepare("UPDATE entity SET service = ?2, last_sequence = ?3, event_bytes = event_bytes + ?4, "
                               "updated = ?5 WHERE id = ?1"),
      .put_snapshot = prepare("INSERT OR REPLACE INTO snapshot (entity, sequence, time, cause, type_url, payload) "
                              "VALUES (?, ?, ?, ?, ?, ?)"),
      // It may be the cause of the event there as well.
      .delete_snapshot_cause =
          prepare("DELETE FROM cause WHERE id IN (SELECT cause FROM snapshot WHERE entity = ?1 AND sequence = ?2 "
                  "EXCEPT SELECT cause FROM event WHERE entity = ?1 AND sequence = ?2)"),
      .touch_descriptor_set =
          prepare("UPDATE descriptor_set SET id = (SELECT max(id) FROM descriptor_set) + 1, name = ?1, "
                  "seen = ?2 WHERE content = ?3"),
      .add_descriptor_set = prepare("INSERT INTO descriptor_set (name, seen, content) VALUES (?, ?, ?)"),
      // Each append has a cause of its own, so nobody else's goes with these.
      .delete_causes = prepare("DELETE FROM cause WHERE id IN (SELECT cause FROM event WHERE entity = ?1 "
                               "UNION SELECT cause FROM snapshot WHERE entity = ?1)"),
      .delete_events = prepare("DELETE FROM event WHERE entity = ?"),
      .delete_snapshots = prepare("DELETE FROM snapshot WHERE entity = ?"),
      .delete_entity = prepare("DELETE FROM entity WHERE id = ?"),
  };
  if (!prepare.status().ok()) return prepare.status();
  return all;
}

std::vector<absl::Status> Writer::Commit(absl::Span<const Change> changes) {
  std::vector<absl::Status> outcomes;
  while (!changes.empty()) {
    const auto alone = std::ranges::find_if(changes, StandsAlone);
    const auto stored = static_cast<std::size_t>(alone - changes.begin());
    if (stored == 0) {
      outcomes.push_back(CommitAlone(changes.front()));
      changes.remove_prefix(1);
      continue;
    }
    std::ranges::move(CommitStored(changes.first(stored)), std::back_inserter(outcomes));
    changes.remove_prefix(stored);
  }
  return outcomes;
}

absl::Status Writer::CommitAlone(const Change& change) {
  if (const Claims* claims = std::get_if<Claims>(&change)) {
    Grant(*claims);
    return absl::OkStatus();
  }
  absl::Status status = CommitStored({&change, 1}).front();
  if (status.ok() && std::holds_alternative<ClearStored>(std::get<CopyChange>(change))) fences_.Vacate();
  return status;
}

void Writer::Grant(const Claims& claims) {
  for (const ShardClaim& claim : claims.claims) claims.holders->push_back(fences_.Claim(claim));
}

std::vector<absl::Status> Writer::CommitStored(absl::Span<const Change> changes) {
  std::vector<absl::Status> outcomes;
  absl::Status status = CommitTogether(changes, outcomes);
  if (status.ok()) return outcomes;
  if (!absl::IsDataLoss(status) || changes.size() == 1) return std::vector<absl::Status>(changes.size(), status);
  outcomes.clear();
  for (const Change& change : changes) outcomes.push_back(CommitStored({&change, 1}).front());
  return outcomes;
}

absl::Status Writer::CommitTogether(absl::Span<const Change> changes, std::vector<absl::Status>& outcomes) {
  if (connection_.InTransaction()) Undo();  // the last one's rollback failed, too
  if (absl::Status status = statements_.begin.Run(); !status.ok()) return status;
  for (const Change& change : changes) {
    absl::Status status = Apply(change);
    // These are the change's own failures and come before it changes anything; errors of the file never have these
    // codes.
    if (!status.ok() && !absl::IsAborted(status) && !absl::IsNotFound(status)) {
      Undo();
      return status;
    }
    outcomes.push_back(std::move(status));
  }
  absl::Status status = statements_.commit.Run();
  if (!status.ok()) Undo();
  return status;
}

void Writer::Undo() {
  rows_.ForgetNames();
  // SQLite has rolled back by itself after most errors. If this one fails, the next transaction tries again.
  if (connection_.InTransaction()) statements_.rollback.Run().IgnoreError();
}

absl::Status Writer::Apply(const Change& change) {
  if (const Append* append = std::get_if<Append>(&change)) return ApplyAppend(*append);
  if (const ReplicaChange* replicas = std::get_if<ReplicaChange>(&change)) return replicas_.Apply(*replicas);
  if (const Deletion* deletion = std::get_if<Deletion>(&change)) return ApplyDeletion(*deletion);
  if (const CopyChange* copies = std::get_if<CopyChange>(&change)) return ApplyCopyChange(*copies, connection_);
  return ApplyDescriptorSet(std::get<DescriptorSet>(change));
}

absl::Status Writer::ApplyAppend(const Append& append) {
  if (absl::Status status = fences_.Check(append.fence); !status.ok()) return NotTheHolder(append, status);
  absl::StatusOr<Found> found = FindEntity(append.key);
  if (!found.ok()) return found.status();
  if (found->last != append.expected) return WrongSequence(append, found->last);
  if (append.events.empty() && !append.snapshot) return absl::OkStatus();

  RowTarget target{.entity = 0, .service = 0, .cause = 0, .time = absl::ToUnixNanos(append.time)};
  absl::StatusOr<std::int64_t> id = rows_.NameId(append.service);
  if (!id.ok()) return id.status();
  target.service = *id;
  if (id = PutEntity(append, found->entity.value_or(0), target); !id.ok()) return id.status();
  target.entity = *id;
  if (id = rows_.AddCause(append.cause); !id.ok()) return id.status();
  target.cause = *id;
  if (absl::Status status = AddEvents(append, target); !status.ok()) return status;
  return append.snapshot ? PutSnapshot(append, target) : absl::OkStatus();
}

absl::StatusOr<Writer::Found> Writer::FindEntity(const EntityKey& key) {
  Found result;
  Cursor found = statements_.find_entity.Query(key.persistence_id, key.entity_id);
  if (found.Next()) result = {found.Int(0), found.Int(1)};
  if (!found.status().ok()) return found.status();
  return result;
}

absl::Status Writer::ApplyDeletion(const Deletion& deletion) {
  absl::StatusOr<Found> found = FindEntity(deletion.key);
  if (!found.ok()) return found.status();
  if (!found->entity.has_value()) {
    return absl::NotFoundError(absl::StrCat("the journal ", connection_.file(), " has no entity ",
                                            deletion.key.ToString(),
                                            ". `cloudstate-dev journal ls` lists those that it has."));
  }
  const std::int64_t entity = *found->entity;
  if (absl::Status status = statements_.delete_causes.Run(entity); !status.ok()) return status;
  if (absl::Status status = statements_.delete_events.Run(entity); !status.ok()) return status;
  deletion.deleted->events = connection_.ChangedRows();
  if (absl::Status status = statements_.delete_snapshots.Run(entity); !status.ok()) return status;
  deletion.deleted->snapshots = connection_.ChangedRows();
  return statements_.delete_entity.Run(entity);
}

absl::StatusOr<std::int64_t> Writer::PutEntity(const Append& append, std::int64_t entity, const RowTarget& target) {
  std::int64_t bytes = 0;
  for (const Payload& event : append.events) bytes += static_cast<std::int64_t>(event.value.size());
  const std::int64_t last = LastSequenceAfter(append);
  if (entity != 0) {
    absl::Status status = statements_.update_entity.Run(entity, target.service, last, bytes, target.time);
    if (!status.ok()) return status;
    return entity;
  }
  return statements_.add_entity.Insert(append.key.persistence_id, append.key.entity_id, target.service, last, bytes,
                                       target.time);
}

absl::Status Writer::AddEvents(const Append& append, const RowTarget& target) {
  SequenceNumber sequence = append.expected;
  for (const Payload& event : append.events) {
    if (absl::Status status = rows_.AddEvent(target, ++sequence, event); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Writer::PutSnapshot(const Append& append, const RowTarget& target) {
  absl::StatusOr<std::int64_t> type_url = rows_.NameId(append.snapshot->type_url);
  if (!type_url.ok()) return type_url.status();
  if (append.events.empty()) {  // there may be one at this place already
    absl::Status status = statements_.delete_snapshot_cause.Run(target.entity, append.expected);
    if (!status.ok()) return status;
  }
  return statements_.put_snapshot.Run(target.entity, LastSequenceAfter(append), target.time, target.cause, *type_url,
                                      Blob{append.snapshot->value});
}

absl::Status Writer::ApplyDescriptorSet(const DescriptorSet& set) {
  const std::int64_t seen = absl::ToUnixNanos(set.seen);
  absl::Status status = statements_.touch_descriptor_set.Run(set.name, seen, Blob{set.content});
  if (!status.ok() || connection_.ChangedRows() > 0) return status;
  return statements_.add_descriptor_set.Run(set.name, seen, Blob{set.content});
}

void Writer::Checkpoint() { connection_.Execute("PRAGMA wal_checkpoint(PASSIVE)").IgnoreError(); }

}  // namespace cloudstate::journal
