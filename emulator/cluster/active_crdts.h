#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "emulator/base/entity_key.h"
#include "emulator/cluster/active_set.h"
#include "emulator/cluster/replicas.h"
#include "emulator/entities/crdt_entity.h"
#include "emulator/trace/metrics.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::cluster {

// A CRDT entity that there is no room for, and its commands.
struct PendingCrdt {
  base::EntityKey key;
  std::string service;
  absl::Duration passivation_timeout;
  std::vector<std::shared_ptr<entities::CrdtCommand>> commands;

  void Fail(const absl::Status& reason) {
    for (const auto& command : commands) command->ended(reason);
  }
};

// The CRDT entities that are active on one node. Each node has its own instance of an entity, so there are neither
// shards nor fences here.
//
// `max_active_entities` counts them by themselves, apart from the stored entities. One with open streamed calls is
// never idle, and makes no room.
class ActiveCrdts final : public ActiveSet<entities::CrdtEntity, PendingCrdt> {
 public:
  // The references outlive this. Metrics and load are the node's, over all its lives.
  ActiveCrdts(const Options& options, base::Strand& strand, Replicas& replicas, trace::MetricsByEntityName& metrics,
              trace::NodeLoad& load, std::function<void(const std::string&)> report_error);

  // The user function is there; its entities are started when commands come.
  void Connect(std::shared_ptr<userfunction::Connection> connection, userfunction::Dialect dialect);

  // UNAVAILABLE while there is no user function.
  void Deliver(const userfunction::ServiceSpec& service, const std::string& entity_id,
               std::shared_ptr<entities::CrdtCommand> command);
  // The client has gone. One that has ended is ignored.
  void Cancel(const base::EntityKey& key, const std::shared_ptr<entities::CrdtCommand>& command);
  // Streamed calls that are open end well: nobody can say when they would have.
  void EndOpenCalls();
  // Of an entity that is active, or not.
  void OnReplicaChanged(const base::EntityKey& key);

 private:
  class CrdtSlot;

  std::unique_ptr<Slot> MakeSlot(const PendingCrdt& pending) override;
  void OnRemoved(std::unique_ptr<Slot> slot) override;

  Replicas& replicas_;
  trace::MetricsByEntityName& metrics_;
  trace::NodeLoad& load_;
  const std::function<void(const std::string&)> report_error_;
  userfunction::Dialect dialect_ = userfunction::Dialect::k0_2;
};

}  // namespace cloudstate::cluster
