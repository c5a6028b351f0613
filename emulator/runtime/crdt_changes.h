#pragma once

#include "cloudstate/crdt.pb.h"
#include "cloudstate/dev/v1/crdt.pb.h"
#include "emulator/crdt/state.h"

namespace cloudstate::runtime {

// Puts what changes into the event: the first places, and how many there are besides. Payloads are bytes only.

// What a user function's command changes.
void PutChanges(const crdt::CrdtDelta& update, dev::v1::CrdtEvent& event);

// What is news to a replica that knows `before`, and so is nothing of what it has already. Takes time in proportion to
// `change`.
void PutChanges(const crdt::State& before, const crdt::State& change, dev::v1::CrdtEvent& event);

}  // namespace cloudstate::runtime
