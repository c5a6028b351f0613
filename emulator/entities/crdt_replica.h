#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "cloudstate/crdt.pb.h"
#include "emulator/crdt/state.h"

namespace cloudstate::entities {

// One entity's replica on a node, as the entity there sees it. On the node's strand.
class CrdtReplica {
 public:
  virtual ~CrdtReplica() = default;

  // What this node knows.
  virtual const crdt::State& state() const = 0;
  virtual crdt::ReplicaId self() const = 0;
  // The members that are up now, as this node sees them.
  virtual const crdt::Voters& voters() const = 0;

  // Asks the other nodes what they know, and joins it. `read` runs once, later or at once: when a majority has
  // answered, or the time for it is over. It is dropped when the life of the node ends.
  virtual void Read(absl::AnyInvocable<void()> read) = 0;

  // Changes this replica at once, and tells the others. Where it returns an error (those of crdt::Update), nothing has
  // changed and `written` is dropped. Else `written` runs once, later or at once: OK when as many nodes have the change
  // as was asked, DEADLINE_EXCEEDED when they had no time to; the change stays and spreads all the same.
  virtual absl::Status Update(const crdt::CrdtDelta& update, crdt::CrdtWriteConsistency consistency,
                              absl::AnyInvocable<void(absl::Status)> written) = 0;
  // The same for the end of the entity, on all nodes, for good.
  virtual void Delete(crdt::CrdtWriteConsistency consistency, absl::AnyInvocable<void(absl::Status)> written) = 0;
};

}  // namespace cloudstate::entities
