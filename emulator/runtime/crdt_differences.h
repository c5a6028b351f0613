#pragma once

#include "cloudstate/dev/v1/crdt.pb.h"
#include "emulator/runtime/crdt_views.h"

namespace cloudstate::runtime {

// Looks into several nodes at once, as only an emulator can. On the strand that the nodes share.

// What nodes are still to tell each other of the entity.
void PutTransfers(const CrdtSight& sight, const base::EntityKey& key, dev::v1::CrdtDetail& detail);
// What each node lacks that another one has, and what holds that up.
void PutDifferences(const CrdtSight& sight, const base::EntityKey& key, dev::v1::CrdtDetail& detail);

}  // namespace cloudstate::runtime
