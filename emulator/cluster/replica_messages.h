#pragma once

#include "cloudstate/cluster/wire.pb.h"
#include "emulator/base/entity_key.h"
#include "emulator/crdt/dot.h"

namespace cloudstate::cluster {

base::EntityKey FromWire(const wire::ReplicaName& name);
crdt::ReplicaId FromWire(const wire::Life& life);
void ToWire(const base::EntityKey& key, wire::ReplicaName& name);
void ToWire(crdt::ReplicaId replica, wire::Life& life);

// Nothing is said in it.
bool IsEmpty(const wire::Replication& message);

}  // namespace cloudstate::cluster
