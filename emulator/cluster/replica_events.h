#pragma once

#include <cstddef>
#include <cstdint>

#include "cloudstate/crdt.pb.h"
#include "emulator/base/entity_key.h"
#include "emulator/cluster/watchers.h"
#include "emulator/crdt/state.h"

namespace cloudstate::cluster {

// Something that happened to one node's replica of a CRDT entity. What it points to is there while it is told.
struct ReplicaEvent {
  enum class Kind {
    kWritten,       // by a command at this node: `update`, or the end of the entity where there is none
    kConfirmed,     // as many nodes have a write as was asked
    kTimedOut,      // a write was not acknowledged by enough nodes in time, or a read not answered
    kSent,          // `change` to the peer
    kJoined,        // `change` of the peer is about to become part of `before`
    kAcknowledged,  // the peer has joined the change with that number
    kDiffers,       // the peer has another digest: its state is asked for
    kWanted,        // the peer asks for the state
    kPruned,        // the writes of the peer's life, which is over, are this node's from now on
    kForgotten,     // so that nothing needs to be known of that life any more
  };

  Kind kind = Kind::kWritten;
  crdt::ReplicaId node = {};  // whose replica it is; set by the one who tells
  const base::EntityKey& key;
  crdt::ReplicaId peer = {};  // the other node; none for what concerns no other
  crdt::CrdtWriteConsistency consistency = crdt::LOCAL;
  const crdt::CrdtDelta* update = nullptr;
  const crdt::State* change = nullptr;
  const crdt::State* before = nullptr;
  std::size_t bytes = 0;     // of the change, encoded
  std::uint64_t number = 0;  // of the change, as its sender counts them; 0 where it is not acknowledged
};

using ReplicaEvents = Watchers<ReplicaEvent>;

// What the replicas of one node have told others and heard of them. Only ever grows.
struct ReplicationFigures {
  std::uint64_t sent_changes = 0;
  std::uint64_t sent_change_bytes = 0;
  std::uint64_t received_changes = 0;
  std::uint64_t received_change_bytes = 0;
  std::uint64_t acknowledged_changes = 0;
  std::uint64_t sent_digests = 0;
  std::uint64_t received_digests = 0;
  std::uint64_t differing_digests = 0;  // of the received ones
  std::uint64_t timeouts = 0;           // reads and writes that too few nodes have answered

  ReplicationFigures& operator+=(const ReplicationFigures& other);
};

}  // namespace cloudstate::cluster
