#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "emulator/base/lifetime.h"
#include "emulator/cluster/active_entities.h"
#include "emulator/cluster/replicas.h"
#include "emulator/cluster/waiting_room.h"
#include "emulator/entities/crdt_entity.h"
#include "emulator/trace/metrics.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::cluster {

// The CRDT entities that are active on one node: those that have a stream to the user function. Each node has its own
// instance of an entity, so there are neither shards nor fences here. Lives on the node's strand.
//
// `max_active_entities` counts them by themselves, apart from the stored entities. One with open streamed calls is
// never idle, and makes no room.
class ActiveCrdts {
 public:
  // The references outlive this. Metrics and load are the node's, over all its lives. Destroying it drops all commands,
  // without an end, and nothing is called any more.
  ActiveCrdts(const ActiveEntities::Options& options, base::Strand& strand, Replicas& replicas,
              trace::MetricsByEntityName& metrics, trace::NodeLoad& load,
              std::function<void(const std::string&)> report_error);
  ~ActiveCrdts();

  // The user function is there; its entities are started when commands come.
  void Connect(std::shared_ptr<userfunction::Connection> connection, userfunction::Dialect dialect);
  // It has gone: all entities stop, and all their commands fail with `reason`.
  void Disconnect(const absl::Status& reason);

  // UNAVAILABLE while there is no user function.
  void Deliver(const userfunction::ServiceSpec& service, const std::string& entity_id,
               std::shared_ptr<entities::CrdtCommand> command);
  // The client has gone. One that has ended is ignored.
  void Cancel(const base::EntityKey& key, const std::shared_ptr<entities::CrdtCommand>& command);
  // Streamed calls that are open end well: nobody can say when they would have.
  void EndOpenCalls();
  // Stops those that have nothing to do, as if they had been idle for long enough.
  void PassivateIdle();
  // This one, or all: each stops as soon as it has nothing to do.
  void Evict(const std::optional<base::EntityKey>& key);
  // That an Evict would end.
  std::size_t streams(const std::optional<base::EntityKey>& key) const;
  // Of an entity that is active, or not.
  void OnReplicaChanged(const base::EntityKey& key);

  std::size_t active_entities() const { return active_.size(); }
  bool is_active(const base::EntityKey& key) const { return active_.contains(key); }
  // Those that have something to do.
  std::size_t busy_entities() const { return active_.size() - idle_.size() + pending_.entities(); }
  // Those that the user function has not got yet.
  std::size_t waiting_commands() const;

 private:
  // An active entity with what is known of it.
  class Slot;

  // An entity that there is no room for.
  struct Pending {
    base::EntityKey key;
    std::string service;
    absl::Duration passivation_timeout;
    std::vector<std::shared_ptr<entities::CrdtCommand>> commands;
  };

  void Activate(Pending pending);
  void Await(Pending pending);
  // By key, so that what they do is done in the same order in every run.
  std::vector<Slot*> Sorted() const;
  void MakeRoom();
  void Remove(const base::EntityKey& key);
  void StartPending();

  const ActiveEntities::Options options_;
  base::Strand& strand_;
  Replicas& replicas_;
  trace::MetricsByEntityName& metrics_;
  trace::NodeLoad& load_;
  const std::function<void(const std::string&)> report_error_;
  std::shared_ptr<userfunction::Connection> connection_;
  userfunction::Dialect dialect_ = userfunction::Dialect::k0_2;
  std::list<Slot*> idle_;  // longest idle first; slots take themselves off it
  absl::flat_hash_map<base::EntityKey, std::unique_ptr<Slot>> active_;
  WaitingRoom<Pending> pending_;
  base::Lifetime lifetime_;
};

}  // namespace cloudstate::cluster
