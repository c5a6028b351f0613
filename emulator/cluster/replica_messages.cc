#include "emulator/cluster/replica_messages.h"

namespace cloudstate::cluster {

base::EntityKey FromWire(const wire::ReplicaName& name) { return {name.persistence_id(), name.entity_id()}; }

crdt::ReplicaId FromWire(const wire::Life& life) { return {life.node(), life.incarnation()}; }

void ToWire(const base::EntityKey& key, wire::ReplicaName& name) {
  name.set_persistence_id(key.persistence_id);
  name.set_entity_id(key.entity_id);
}

void ToWire(crdt::ReplicaId replica, wire::Life& life) {
  life.set_node(replica.node);
  life.set_incarnation(replica.life);
}

bool IsEmpty(const wire::Replication& message) { return message.ByteSizeLong() == 0; }

}  // namespace cloudstate::cluster
