#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "emulator/journal/copy_writer.h"
#include "emulator/journal/journal.h"
#include "emulator/journal/replica_writer.h"
#include "emulator/journal/row_writer.h"
#include "emulator/journal/sqlite.h"

namespace cloudstate::journal {

// A user function's descriptors. Content that is there already is not stored twice, but becomes the newest.
struct DescriptorSet {
  std::string name;
  std::string content;
  absl::Time seen;
};

// Claims of shards, and who holds them afterwards. What it writes to is shared with whoever answers the claimant.
struct Claims {
  std::vector<ShardClaim> claims;
  std::shared_ptr<std::vector<ShardHolder>> holders;
};

// The end of an entity. What it writes to is shared with whoever answers those who asked for it.
struct Deletion {
  EntityKey key;
  std::shared_ptr<Deleted> deleted;
};

using Change = std::variant<Append, DescriptorSet, Claims, ReplicaChange, Deletion, CopyChange>;

// Its size in memory and on disk, roughly.
std::size_t BytesOf(const Change& change);

// Stores changes through one connection. For one thread.
class Writer {
 public:
  // The connection's file has been migrated. The fences outlive the writer.
  static absl::StatusOr<std::unique_ptr<Writer>> Make(Connection connection, Fences& fences);

  // Stores all in one transaction and tells for each what became of it, in their order. A wrong `expected` or `fence`
  // fails only its own append, and what is not there only its own deletion. An error of the disk fails all of them, and
  // nothing is stored; the next call starts afresh. Where damage in the file stops the transaction, each is tried
  // alone, so that only those which touch it fail. Claims are not stored and never fail. What stands before and after a
  // claim, or a change of copies, goes into transactions of its own.
  std::vector<absl::Status> Commit(absl::Span<const Change> changes);

  // As ReplicaStore says, by now.
  absl::StatusOr<std::map<std::uint32_t, std::uint64_t>> FormerLives() { return replicas_.FormerLives(); }

  // Moves what was committed from the write-ahead log into the main file. Failing is harmless: readers look into both.
  void Checkpoint();

 private:
  struct Statements {
    Statement begin, commit, rollback;
    Statement find_entity, add_entity, update_entity;
    Statement put_snapshot, delete_snapshot_cause;
    Statement touch_descriptor_set, add_descriptor_set;
    Statement delete_causes, delete_events, delete_snapshots, delete_entity;
  };

  Writer(Connection connection, Statements statements, RowWriter rows, ReplicaWriter replicas, Fences& fences)
      : connection_(std::move(connection)),
        statements_(std::move(statements)),
        rows_(std::move(rows)),
        replicas_(std::move(replicas)),
        fences_(fences) {}
  static absl::StatusOr<Statements> PrepareAll(Connection& connection);

  void Grant(const Claims& claims);
  absl::Status CommitAlone(const Change& change);
  std::vector<absl::Status> CommitStored(absl::Span<const Change> changes);
  absl::Status CommitTogether(absl::Span<const Change> changes, std::vector<absl::Status>& outcomes);
  void Undo();
  absl::Status Apply(const Change& change);
  absl::Status ApplyAppend(const Append& append);
  absl::Status ApplyDescriptorSet(const DescriptorSet& set);
  absl::Status ApplyDeletion(const Deletion& deletion);
  struct Found {
    std::optional<std::int64_t> entity;
    SequenceNumber last = 0;
  };
  absl::StatusOr<Found> FindEntity(const EntityKey& key);
  absl::StatusOr<std::int64_t> PutEntity(const Append& append, std::int64_t entity, const RowTarget& target);
  absl::Status AddEvents(const Append& append, const RowTarget& target);
  absl::Status PutSnapshot(const Append& append, const RowTarget& target);

  Connection connection_;  // outlives the statements
  Statements statements_;
  RowWriter rows_;
  ReplicaWriter replicas_;
  Fences& fences_;
};

}  // namespace cloudstate::journal
