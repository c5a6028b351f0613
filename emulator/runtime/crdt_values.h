#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "cloudstate/dev/v1/crdt.pb.h"
#include "emulator/crdt/state.h"
#include "emulator/crdt/vote.h"

namespace cloudstate::runtime {

// What is inside of replicas, as the admin contract shows it. Payloads are bytes only, and texts are empty:
// admin::Describe, which knows the user function's types, fills them in.

// The value on the node `self`, with `most` elements and entries in all; nothing where there is none. Takes time in
// proportion to the value.
std::optional<dev::v1::CrdtValue> ValueView(const crdt::State& state, crdt::ReplicaId self, const crdt::Voters& voters,
                                            std::size_t most);

// Ranges of writes, both ends included, by the life that wrote them.
using Writes = std::map<crdt::ReplicaId, std::vector<std::pair<std::uint64_t, std::uint64_t>>>;
// Those in `known` that are not in `but`.
Writes WritesIn(const crdt::CausalContext& known, const crdt::CausalContext& but);
dev::v1::CrdtWrites WritesView(const Writes::value_type& writes);

}  // namespace cloudstate::runtime
