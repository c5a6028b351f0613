#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "emulator/journal/replica_store.h"
#include "emulator/journal/sqlite.h"

namespace cloudstate::journal {

// What ReplicaStore is asked for.
struct InheritReplicas {
  std::uint32_t nodes = 0;
};
struct BeginReplicaLife {
  std::uint32_t node = 0;
  std::uint64_t life = 0;
  std::shared_ptr<std::vector<ReplicaPiece>> pieces;  // shared with whoever answers
};
struct KeepReplicas {
  std::vector<ReplicaPiece> pieces;
};
struct KeepOnlyReplicas {
  std::vector<std::uint32_t> nodes;
};
using ReplicaChange = std::variant<InheritReplicas, BeginReplicaLife, KeepReplicas, KeepOnlyReplicas>;

// Its size in memory and on disk, roughly.
std::size_t BytesOf(const ReplicaChange& change);

// The part of the writer that keeps replicas, within the writer's transactions. For one thread.
class ReplicaWriter {
 public:
  // The connection outlives it.
  static absl::StatusOr<ReplicaWriter> Make(Connection& connection);

  absl::StatusOr<std::map<std::uint32_t, std::uint64_t>> FormerLives();
  absl::Status Apply(const ReplicaChange& change);

 private:
  struct Statements {
    Statement lives, begin_life;
    Statement inherit, pieces;
    Statement remove_replica, add_piece;
    Statement nodes, remove_node;
  };

  explicit ReplicaWriter(Statements statements) : statements_(std::move(statements)) {}
  absl::Status Do(const InheritReplicas& inherit);
  absl::Status Do(const BeginReplicaLife& begin);
  absl::Status Do(const KeepReplicas& keep);
  absl::Status Do(const KeepOnlyReplicas& keep);

  Statements statements_;
};

}  // namespace cloudstate::journal
