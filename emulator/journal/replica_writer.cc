#include "emulator/journal/replica_writer.h"

#include <algorithm>

namespace cloudstate::journal {
namespace {

std::int64_t ToColumn(std::uint64_t number) { return static_cast<std::int64_t>(number); }
std::uint32_t ToNode(std::int64_t column) { return static_cast<std::uint32_t>(column); }

}  // namespace

std::size_t BytesOf(const ReplicaChange& change) {
  constexpr std::size_t kPerPiece = 100;
  const KeepReplicas* keep = std::get_if<KeepReplicas>(&change);
  if (keep == nullptr) return kPerPiece;
  std::size_t bytes = 0;
  for (const ReplicaPiece& piece : keep->pieces) {
    bytes += kPerPiece + piece.key.persistence_id.size() + piece.key.entity_id.size() + piece.state.size();
  }
  return bytes;
}

absl::StatusOr<ReplicaWriter> ReplicaWriter::Make(Connection& connection) {
  Preparer prepare(connection);
  Statements all{
      .lives = prepare("SELECT node, life FROM replica_life"),
      .begin_life = prepare("INSERT OR REPLACE INTO replica_life (node, life) VALUES (?, ?)"),
      .inherit = prepare("UPDATE replica SET node = 1 WHERE node > ?"),
      .pieces = prepare("SELECT persistence_id, entity_id, state FROM replica WHERE node = ? ORDER BY id"),
      .remove_replica = prepare("DELETE FROM replica WHERE node = ? AND persistence_id = ? AND entity_id = ?"),
      .add_piece = prepare("INSERT INTO replica (node, persistence_id, entity_id, state) VALUES (?, ?, ?, ?)"),
      .nodes = prepare("SELECT DISTINCT node FROM replica"),
      .remove_node = prepare("DELETE FROM replica WHERE node = ?"),
  };
  if (!prepare.status().ok()) return prepare.status();
  return ReplicaWriter(std::move(all));
}

absl::StatusOr<std::map<std::uint32_t, std::uint64_t>> ReplicaWriter::FormerLives() {
  std::map<std::uint32_t, std::uint64_t> lives;
  Cursor found = statements_.lives.Query();
  while (found.Next()) lives[ToNode(found.Int(0))] = static_cast<std::uint64_t>(found.Int(1));
  if (!found.status().ok()) return found.status();
  return lives;
}

absl::Status ReplicaWriter::Apply(const ReplicaChange& change) {
  return std::visit([this](const auto& each) { return Do(each); }, change);
}

absl::Status ReplicaWriter::Do(const InheritReplicas& inherit) { return statements_.inherit.Run(inherit.nodes); }

absl::Status ReplicaWriter::Do(const BeginReplicaLife& begin) {
  if (absl::Status status = statements_.begin_life.Run(begin.node, ToColumn(begin.life)); !status.ok()) return status;
  begin.pieces->clear();  // it may be tried again
  Cursor found = statements_.pieces.Query(begin.node);
  while (found.Next()) {
    begin.pieces->push_back({.node = begin.node, .key = {found.String(0), found.String(1)}, .state = found.String(2)});
  }
  return found.status();
}

absl::Status ReplicaWriter::Do(const KeepReplicas& keep) {
  for (const ReplicaPiece& piece : keep.pieces) {
    const base::EntityKey& key = piece.key;
    if (piece.whole) {
      absl::Status status = statements_.remove_replica.Run(piece.node, key.persistence_id, key.entity_id);
      if (!status.ok()) return status;
    }
    absl::Status status = statements_.add_piece.Run(piece.node, key.persistence_id, key.entity_id, Blob{piece.state});
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ReplicaWriter::Do(const KeepOnlyReplicas& keep) {
  std::vector<std::int64_t> others;
  {
    Cursor found = statements_.nodes.Query();
    while (found.Next()) {
      if (std::ranges::count(keep.nodes, ToNode(found.Int(0))) == 0) others.push_back(found.Int(0));
    }
    if (!found.status().ok()) return found.status();
  }
  for (const std::int64_t node : others) {
    if (absl::Status status = statements_.remove_node.Run(node); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace cloudstate::journal
