#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "emulator/crdt/cell.h"
#include "emulator/crdt/dot.h"

namespace cloudstate::crdt {

// What a replica knows of an entity, or, as a delta, what it has learned since some time. Joining is commutative,
// associative and idempotent; deltas may come in any order, more than once, or joined into one. Pure.
class State {
 public:
  enum class Kind { kWhole, kDelta };

  explicit State(Kind kind = Kind::kWhole) : kind_(kind) {}

  // Joins `theirs` into this. A delta takes deltas only. Tells whether anything has changed.
  bool Join(const State& theirs);

  // For good: nothing of the data is left, and nothing that is joined later comes through.
  bool deleted() const { return deleted_; }
  // The delta that tells of it.
  State Delete();
  // The writes of a replica that will never write again become `self`'s, without a change of the value but for votes,
  // and the delta tells the others. Only when all replicas have the same of it: what one of them had more would count
  // twice. Elements of an ORSet and all that is in maps stays the gone replica's until it is removed.
  State Prune(ReplicaId gone, ReplicaId self);
  // Whether that would change anything.
  bool CanPrune(ReplicaId gone) const { return cells_.CanPrune(gone); }
  // Whether any data is left that the replica wrote.
  bool HoldsWritesOf(ReplicaId replica) const;
  // Takes a replica that has no data left out of the context; after that its late deltas would seem new.
  void Forget(ReplicaId replica) { context_.Forget(replica); }

  Kind kind() const { return kind_; }
  const Cells& cells() const { return cells_; }
  Cells& cells() { return cells_; }
  const CausalContext& context() const { return context_; }
  CausalContext& context() { return context_; }
  bool empty() const { return !deleted_ && context_.empty(); }

  // States with the same digest are equal, but for accidents of 64 bits.
  std::uint64_t Digest() const;

  // Versioned bytes (emulator/crdt/encoding.cc). INVALID_ARGUMENT for what is not such, or of a later version.
  std::string Encode() const;
  static absl::StatusOr<State> Decode(const std::string& bytes);

  bool operator==(const State&) const = default;

 private:
  Kind kind_;
  bool deleted_ = false;
  Cells cells_;
  CausalContext context_;
};

}  // namespace cloudstate::crdt
