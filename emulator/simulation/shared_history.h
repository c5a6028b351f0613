#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "absl/time/time.h"
#include "cloudstate/crdt.pb.h"
#include "emulator/crdt/value.h"
#include "emulator/simulation/history.h"

namespace cloudstate::simulation {

// What a call to a CRDT entity has besides what any Operation has. Each changes one value: the entity's own, or that
// under a key of a map. What it adds is its own, an element or a power of two, so that it can be told from any value
// whether it is in there; but for flags and votes.
struct SharedOperation {
  enum class Kind { kRead, kAdd, kRemove, kRemoveKey, kDelete, kStay };

  std::size_t operation = 0;  // its place among the operations
  Kind kind = Kind::kRead;
  int type = 0;              // of the value that it changes, as its number in CrdtDelta
  int key = 0;               // in a map; 0 for the entity's own value
  std::int64_t amount = 0;   // that it adds to a counter: a power of two, or its negative; 1 or 0 as a vote
  std::uint64_t target = 0;  // the write whose element it removes
  crdt::CrdtWriteConsistency consistency = crdt::LOCAL;

  crdt::ReplicaId life = {};  // in which it was carried out; node 0 where that is not known
  bool applied = false;       // the replica of that life surely has had it
  bool changed = false;       // … and there was something to change
  bool acknowledged = false;  // the answer was OK: as many nodes have had it as was asked
  crdt::Voters up = {};       // then, as that node saw them; those that had it are among them
  std::size_t least_up = 0;   // the least of the two numbers of them, when it began and when it was acknowledged
};

// A value that a client was told, or that a replica has in the end.
struct Sighting {
  std::optional<std::size_t> shared;  // by which operation it was told, as its place among the shared ones
  absl::Time asked;
  absl::Time seen;
  crdt::ReplicaId life = {};  // that it is the value of; node 0 where that is not known
  bool votes = false;         // that node was up: others' votes do not count
  bool deleted = false;       // it was told that there is no such entity any more
  std::optional<crdt::Value> value = {};
  bool last = false;  // all is healed, and nobody changes anything any more
};

// All that a run left behind of CRDT entities.
struct SharedHistory {
  const std::vector<Operation>& operations;
  const std::vector<SharedOperation>& shared;
  const std::vector<Sighting>& sightings;
  // In the end: the lives that go on, and what each of them has of each entity.
  std::set<crdt::ReplicaId> alive = {};
  std::map<base::EntityKey, std::vector<Sighting>> replicas = {};
};

// The invariants, by their names:
//   possible-value
//     What anybody sees is made of nothing but what was written before, and not of what surely failed.
//   own-writes
//     A life of a node shows what was acknowledged there before, to whichever consistency: additions that nobody may
//     have removed, removals, the last vote, the last of the writes to a register, the end.
//   acknowledged-change-lost
//     The same of all replicas in the end, for every change that some life that goes on had when it was acknowledged.
//     That is so if the life that carried it out goes on; or, at ALL, any of those that were up; or, at MAJORITY, if of
//     those no more have ended than half of their number, rounded down, since more than half of them had it. So nothing
//     is asked for once more than a minority has gone: those may have been all that had it.
//   one-value
//     In the end the replicas of all nodes have the same value, but for a vote's own part, with the votes counted
//     right; and whoever reads then is told that.
// A register shows the last write where two were made in one life one after the other; otherwise any that was made.
// Whether something was removed, or written, earlier or later counts within one life only.
std::vector<Violation> CheckShared(const SharedHistory& history);

}  // namespace cloudstate::simulation
