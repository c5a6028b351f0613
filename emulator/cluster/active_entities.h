#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "emulator/base/entity_key.h"
#include "emulator/cluster/active_set.h"
#include "emulator/entities/stored_entity.h"
#include "emulator/journal/fence.h"
#include "emulator/trace/metrics.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::cluster {

// An event-sourced or value entity that there is no room for, and its commands.
struct PendingEntity {
  userfunction::EntityKind kind;
  base::EntityKey key;
  std::string service;
  absl::Duration passivation_timeout;
  journal::Fence fence;
  std::vector<entities::Command> commands;

  void Fail(const absl::Status& reason) {
    for (entities::Command& command : commands) command.done(reason);
  }
};

// The event-sourced and value entities that are active on one node.
class ActiveEntities final : public ActiveSet<entities::StoredEntity, PendingEntity> {
 public:
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

  // The references outlive this. Metrics and load are the node's, over all its lives.
  ActiveEntities(const Options& options, base::Strand& strand, journal::Journal& journal, trace::Metrics& metrics,
                 trace::NodeLoad& load, Observer& observer);

  // The user function is there; its entities are started when commands come.
  void Connect(std::shared_ptr<userfunction::Connection> connection,
               entities::ReplayFrom replay_from = entities::ReplayFrom::kNewestSnapshot);

  // UNAVAILABLE while there is no user function, and while the shard is being retired. `fence` is that of the entity's
  // shard: before it changes the shard is retired.
  void Deliver(journal::Fence fence, const userfunction::ServiceSpec& service, const std::string& entity_id,
               entities::Command command);

  // Stops the entities of a shard: each finishes the command that the user function has, if any. Returns those that it
  // has not seen, in the same order in every run: each entity's in the order of their arrival. Nothing more happens,
  // and nothing is returned, for a shard that is being retired already.
  std::vector<Undelivered> Retire(journal::ShardId shard);

  // What was stored of the entity has been deleted: if it is active here, it is loaded anew.
  void Forget(const base::EntityKey& key);

  using ActiveSet::active_entities;
  std::size_t active_entities(journal::ShardId shard) const;

 private:
  class StoredSlot;

  std::unique_ptr<Slot> MakeSlot(const PendingEntity& pending) override;
  void OnRemoved(std::unique_ptr<Slot> slot) override;
  void OnFenced(journal::Fence fence);
  void EndRetirement(journal::ShardId shard);

  journal::Journal& journal_;
  trace::Metrics& metrics_;
  trace::NodeLoad& load_;
  Observer& observer_;
  entities::ReplayFrom replay_from_ = entities::ReplayFrom::kNewestSnapshot;
  std::map<journal::ShardId, std::size_t> retiring_;  // how many entities are left of each
};

}  // namespace cloudstate::cluster
