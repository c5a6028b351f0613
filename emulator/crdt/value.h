#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "cloudstate/crdt.pb.h"
#include "emulator/crdt/state.h"

namespace cloudstate::crdt {

// The plain value of a CRDT, as a user function holds it: of these members, those that its type has.
struct Value {
  int type = 0;  // its number in CrdtDelta
  std::uint64_t count = 0;
  std::int64_t number = 0;                    // PNCounter
  absl::flat_hash_set<std::string> elements;  // of either set, by KeyOf
  std::string registered;                     // KeyOf; empty before the first write
  bool enabled = false;                       // Flag
  std::map<std::string, Value> entries;       // by KeyOf
  Vote::Tally votes;

  bool operator==(const Value&) const = default;
};

// On the node `self`, while `voters` are up. Nothing where the entity does not exist, or is deleted.
std::optional<Value> ValueOf(const State& state, ReplicaId self, const Voters& voters);

// The whole value as the change that leads there from nothing.
CrdtDelta WholeDelta(const Value& value);
// The change that leads from one value to another of the same type, which is none that only grows and has shrunk;
// nothing where they are equal. Within a map, an entry that no change leads to is removed and added.
std::optional<CrdtDelta> Difference(const Value& from, const Value& to);
// What the user function has after it has sent this change of its own, which fits. Votes of others stay as they are; a
// vote that it makes has itself as its one voter, before it is told of others.
void ApplyOwn(const CrdtDelta& change, Value& value);
// Whether a value and a state that agreed before each has taken this change still agree: not after a write that its
// clock made lose, nor after a first vote among several voters. Looks only at what the change names.
bool AgreeAfter(const CrdtDelta& change, const Value& value, const State& state, ReplicaId self, const Voters& voters);

}  // namespace cloudstate::crdt
