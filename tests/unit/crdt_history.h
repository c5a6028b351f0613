#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emulator/crdt/state.h"

namespace cloudstate::crdt {

// In place of a type: the first update of each replica, if it has heard of no other, picks one.
inline constexpr int kAnyType = 0;

// Plays a short history of one CRDT on three replicas: updates, deltas that come in any order, repeatedly or joined
// into one, whole states, restarts, now and then a deletion; then everything is exchanged, and at times a replica is
// pruned. All along the values are held against tests/unit/crdt_model.h, and the laws of joining against the states
// that appear. Returns what is wrong, or nothing. The seed decides everything.
std::string PlayHistory(int type, std::uint64_t seed);

// States, and the deltas that led to them, as they are in the middle of such a history.
std::vector<State> StatesWithin(int type, std::uint64_t seed);

}  // namespace cloudstate::crdt
