#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "emulator/base/lifetime.h"
#include "emulator/cluster/waiting_room.h"
#include "emulator/entities/entity.h"
#include "emulator/journal/fence.h"
#include "emulator/trace/metrics.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::cluster {

// The event-sourced and value entities that are active on one node. Lives on the node's strand.
class ActiveEntities {
 public:
  struct Options {
    entities::Limits limits = {};
    // At most this many entities have a stream; 0 for no limit. When it is reached, the entity that has been idle
    // longest makes room, and commands for further ones wait until there is some.
    std::size_t max_active_entities = 0;
    std::size_t max_waiting_for_room = 10'000;
  };

  // A command that the user function has not seen.
  struct Undelivered {
    std::string entity_id;
    entities::Command command;
  };

  // What the node is told. OnFenced and OnRetired come from tasks of their own: they may call anything here.
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void ReportError(const std::string& text) = 0;
    // Another node holds the shard; its entities here are still to be retired, and commands may wait with them for
    // that. Once for each entity that notices, but not while the shard is being retired.
    virtual void OnFenced(journal::Fence fence) = 0;
    // The last entity of a shard that was retired has stopped, or there was none. Not before Retire has returned.
    virtual void OnRetired(journal::ShardId shard) = 0;
  };

  // The references outlive this. Metrics and load are the node's, over all its lives. Destroying it drops all commands
  // without an outcome, and nothing is called any more.
  ActiveEntities(const Options& options, base::Strand& strand, journal::Journal& journal, trace::Metrics& metrics,
                 trace::NodeLoad& load, Observer& observer);
  ~ActiveEntities();

  // The user function is there; its entities are started when commands come.
  void Connect(std::shared_ptr<userfunction::Connection> connection,
               entities::ReplayFrom replay_from = entities::ReplayFrom::kNewestSnapshot);
  // It has gone: all entities stop, and all their commands fail with `reason`.
  void Disconnect(const absl::Status& reason);

  // UNAVAILABLE while there is no user function, and while the shard is being retired. `fence` is that of the entity's
  // shard: before it changes the shard is retired.
  void Deliver(journal::Fence fence, const userfunction::ServiceSpec& service, const std::string& entity_id,
               entities::Command command);

  // Stops the entities of a shard: each finishes the command that the user function has, if any. Returns those that it
  // has not seen, in the same order in every run: each entity's in the order of their arrival. Nothing more happens,
  // and nothing is returned, for a shard that is being retired already.
  std::vector<Undelivered> Retire(journal::ShardId shard);

  // Stops those that have nothing to do, as if they had been idle for long enough.
  void PassivateIdle();

  // What was stored of the entity has been deleted: if it is active here, it is loaded anew.
  void Forget(const base::EntityKey& key);

  // This one, or all: each stops when it has finished the command that the user function has, and is loaded anew for
  // the next.
  void Evict(const std::optional<base::EntityKey>& key);

  std::size_t active_entities() const { return active_.size(); }
  // That an Evict would end.
  std::size_t streams(const std::optional<base::EntityKey>& key) const;
  std::size_t active_entities(journal::ShardId shard) const;
  // Those that the user function has not got yet.
  std::size_t waiting_commands() const;

 private:
  // An active entity with what is known of it.
  class Slot;

  // An entity that there is no room for.
  struct Pending {
    userfunction::EntityKind kind;
    base::EntityKey key;
    std::string service;
    absl::Duration passivation_timeout;
    journal::Fence fence;
    std::vector<entities::Command> commands;
  };

  void Activate(Pending pending);
  void Await(Pending pending);
  // All, or those of one shard; by key, so that what they do is done in the same order in every run.
  std::vector<Slot*> Sorted(std::optional<journal::ShardId> shard) const;
  void MakeRoom();
  void Remove(const base::EntityKey& key);
  void StartPending();
  void OnFenced(journal::Fence fence);
  void EndRetirement(journal::ShardId shard);

  const Options options_;
  base::Strand& strand_;
  journal::Journal& journal_;
  trace::Metrics& metrics_;
  trace::NodeLoad& load_;
  Observer& observer_;
  std::shared_ptr<userfunction::Connection> connection_;
  entities::ReplayFrom replay_from_ = entities::ReplayFrom::kNewestSnapshot;
  std::list<Slot*> idle_;  // longest idle first; slots take themselves off it
  absl::flat_hash_map<base::EntityKey, std::unique_ptr<Slot>> active_;
  WaitingRoom<Pending> pending_;
  std::map<journal::ShardId, std::size_t> retiring_;  // how many entities are left of each
  base::Lifetime lifetime_;
};

}  // namespace cloudstate::cluster
