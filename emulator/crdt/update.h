#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "cloudstate/crdt.pb.h"
#include "emulator/crdt/state.h"

namespace cloudstate::crdt {

// Carries out what a user function has changed, on the replica of the node `self`, and returns it as a delta for the
// others. The first update makes the entity, of that type. `now` is the node's time of day in milliseconds.
//
// Nothing has changed where there is an error. INVALID_ARGUMENT: an empty delta, or one that does not fit the type;
// FAILED_PRECONDITION: a flag is to be switched off; OUT_OF_RANGE: a counter would not fit into 64 bits. Within a map,
// what does not fit is passed over, as it is in the published proxy: the key may have got another type meanwhile.
absl::StatusOr<State> Update(State& state, const CrdtDelta& update, ReplicaId self, std::int64_t now);

}  // namespace cloudstate::crdt
