#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "emulator/base/entity_key.h"

namespace cloudstate::journal {

// A part of what one node knows of a CRDT entity: all its pieces, joined, are the replica.
struct ReplicaPiece {
  std::uint32_t node = 0;
  base::EntityKey key = {};
  std::string state = {};  // bytes whose meaning is the owner's
  bool whole = false;      // all there is: the pieces kept before go

  bool operator==(const ReplicaPiece&) const = default;
};

// Where the nodes of one emulator keep what they know of CRDT entities, each for itself, as if on a disk of its own.
// What is asked for takes effect in that order. Threads and errors are those of Journal.
class ReplicaStore {
 public:
  virtual ~ReplicaStore() = default;

  // The last life of each node that has opened its replicas, when this process began: a life never comes twice.
  virtual const std::map<std::uint32_t, std::uint64_t>& FormerLives() const = 0;

  // Nodes up to this number begin. What others have becomes node 1's, so that nothing is lost with a node that is no
  // longer wanted.
  virtual void Inherit(std::uint32_t nodes, absl::AnyInvocable<void(absl::Status)> done) = 0;

  // A life of a node begins; `done` gets the pieces that those before it have left, in the order in which they were
  // kept.
  virtual void BeginLife(std::uint32_t node, std::uint64_t life,
                         absl::AnyInvocable<void(absl::StatusOr<std::vector<ReplicaPiece>>)> done) = 0;

  // All or, with an error, none.
  virtual void Keep(std::vector<ReplicaPiece> pieces, absl::AnyInvocable<void(absl::Status)> done) = 0;

  // Empties the disks of all other nodes: they would bring back what these have forgotten.
  virtual void KeepOnly(std::vector<std::uint32_t> nodes, absl::AnyInvocable<void(absl::Status)> done) = 0;
};

}  // namespace cloudstate::journal
