#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "emulator/base/random.h"
#include "emulator/cluster/active_entities.h"
#include "emulator/cluster/channel.h"
#include "emulator/cluster/cluster_events.h"
#include "emulator/cluster/membership.h"
#include "emulator/cluster/network.h"
#include "emulator/cluster/node_connection.h"
#include "emulator/cluster/node_strand.h"
#include "emulator/cluster/replica_events.h"
#include "emulator/cluster/replicas.h"
#include "emulator/cluster/shard_allocation.h"
#include "emulator/cluster/shard_table.h"
#include "emulator/entities/crdt_entity.h"
#include "emulator/trace/load_meter.h"
#include "emulator/trace/metrics.h"

namespace cloudstate::cluster {

class NodeLife;

// What is known of CRDT entities.
using CrdtStates = std::map<base::EntityKey, crdt::State>;

// One node over all its lives: a place that calls can be brought to, whether somebody is there or not. Lives on its
// strand, but for what steers it.
class Node {
 public:
  struct Options {
    ActiveOptions entities = {};
    Membership::Options membership = {};
    Channel::Options channel = {};
    Replicas::Options replicas = {};
    RebalanceLimits rebalance = {};
    absl::Duration rebalance_interval = absl::Seconds(2);
    // Commands that wait here until their shard has a home.
    std::size_t max_buffered_commands = 10'000;
  };
  // Around all nodes; outlives them.
  struct Surroundings {
    base::Strand& strand;  // that all nodes share
    Network& network;
    journal::Journal& journal;
    journal::ReplicaStore* replicas;  // null: replicas of CRDT entities end with their node's life
    ClusterEvents& events;
    const ReplicaEvents& replica_events;
    std::function<void(const std::string&)> report_error;
  };

  // `former_life` is the number of the last one that the node has had already.
  Node(NodeId id, std::uint64_t former_life, const Options& options, const Surroundings& surroundings);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // ---- steering; on the shared strand, not from a task of the node's

  // Begins a life. It knows `view` of the others, and is up at once if that says so of itself.
  void Start(View view);
  // Ends it as a crash does: what was under way is forgotten. Those who watch are told first.
  void Kill();
  // The same where all that is stored goes too: nobody has to wonder what became of what was under way.
  void KillForReset();
  // After that: nobody knows of the node any more, as if it had never been, until it is started.
  void PutAside();
  void Leave();
  // The same for the last one, which has nobody to give its shards to: its entities are passivated, and what is due to
  // the replicas' store is there before the life ends. Where others come up meanwhile, it leaves like any other.
  void LeaveLast();
  // Calls of CRDT entities that are open end well; the emulator ends.
  void EndOpenCrdtCalls();
  // What is due to the replicas' store goes there at once.
  void SaveReplicas();
  // What was stored of the entity has been deleted. A node that is paused notices afterwards.
  void Forget(const base::EntityKey& key);
  // Ends the entity's streams, or all of them, as soon as the command is answered that the user function has; the next
  // one loads the entity anew. How many that are. A node that is paused does it afterwards.
  std::size_t Evict(const std::optional<base::EntityKey>& key);
  // The life that has just begun knows this of CRDT entities.
  void Know(const CrdtStates& states);
  void Pause() { strand_.Pause(); }
  void Resume() { strand_.Resume(); }

  // ---- the user function; on the shared strand

  void Connect(std::shared_ptr<userfunction::Connection> connection,
               std::shared_ptr<const userfunction::Specification> specification, entities::ReplayFrom replay_from);
  void Disconnect(const absl::Status& reason);

  // ---- for routing; on the node's strand

  // Brings a command to the event-sourced or value entity of command.service, wherever it lives.
  void Deliver(std::string entity_id, entities::Command command);
  // Brings a command to this node's own instance of the CRDT entity of command->service.
  void DeliverCrdt(const std::string& entity_id, std::shared_ptr<entities::CrdtCommand> command);
  // The client of a command that was delivered here has gone.
  void CancelCrdt(const std::string& entity_id, const std::shared_ptr<entities::CrdtCommand>& command);
  // The node's own streams: null while there is no user function, or no life.
  std::shared_ptr<userfunction::Connection> connection() const;
  // These live as long as the node.
  trace::NodeLoad& load() { return load_; }
  const trace::NodeLoad& load() const { return load_; }
  trace::EntityMetrics& action_metrics(const std::string& service) { return metrics_.actions[service]; }

  // OK while clients can be served here; else UNAVAILABLE, with the reason.
  absl::Status availability() const { return availability_; }
  // It is no longer available, but can still serve.
  bool is_leaving() const;

  // Told on the shared strand; set before the first Start.
  struct Watcher {
    std::function<void()> availability_changed;
    // The life is ending: what clients wait for here will not come. Until it returns, everything is still there.
    std::function<void(const absl::Status& reason)> ending;
    // How many calls of clients are open here: a node that leaves waits for them.
    std::function<std::size_t()> open_calls;
  };
  void Watch(Watcher watcher) { watcher_ = std::move(watcher); }

  // ---- what people see; on the shared strand

  // Null while there is none; not the node's own streams, so that neither its pause nor its end matters.
  const std::shared_ptr<userfunction::Connection>& user_function() const { return user_function_; }
  NodeId id() const { return id_; }
  const std::string& name() const { return name_; }
  NodeStrand& strand() { return strand_; }
  const NodeStrand& strand() const { return strand_; }
  const trace::Metrics& metrics() const { return metrics_; }
  // Over all lives.
  ReplicationFigures replication() const;
  std::uint64_t incarnation() const { return incarnation_; }
  // "joining", "up", …; "stopped", "down" or "removed" without a life.
  absl::string_view state() const;
  // Or about to begin another life by itself.
  bool is_alive() const { return life_ != nullptr || ended_as_ == "down"; }
  bool is_put_aside() const { return put_aside_; }
  absl::Time state_since() const { return state_since_; }
  std::size_t open_calls() const { return watcher_.open_calls ? watcher_.open_calls() : 0; }
  std::size_t active_entities() const;
  std::size_t active_entities(ShardId shard) const;
  std::size_t waiting_commands() const;
  // Calls, commands, their effects, or what they store are under way here.
  bool is_busy() const;
  // Null without a life.
  const Membership* membership() const;
  const ShardTable* shards() const;
  const Replicas* replicas() const;
  // It has a stream to the user function here.
  bool is_active_crdt(const base::EntityKey& key) const;
  std::size_t unacknowledged(NodeId peer) const;
  bool is_coordinator() const;
  std::vector<ShardId> owned_shards() const;

  // To the coordinator. INVALID_ARGUMENT or FAILED_PRECONDITION where it cannot go.
  absl::Status MoveShard(ShardId shard, NodeId to);

 private:
  friend class NodeLife;

  // A life tells this from within. When it is over it goes, once the task that runs has returned; one that went down is
  // followed by the next.
  void OnState(NodeState state);
  // `reason`: why nobody can be served here; `outcome`: of what is open.
  void EndLife(absl::string_view ended_as, const absl::Status& reason, const absl::Status& outcome);
  void SetAvailability(absl::Status availability);

  const NodeId id_;
  const std::string name_;
  const Options options_;
  const Surroundings surroundings_;
  trace::Metrics metrics_;
  trace::NodeLoad load_;
  NodeStrand strand_;                     // what it holds back may count what ends
  ReplicationFigures ended_replication_;  // of the lives before
  Watcher watcher_;
  absl::Status availability_;
  absl::Time state_since_;
  std::uint64_t incarnation_ = 0;
  std::shared_ptr<userfunction::Connection> user_function_;
  std::shared_ptr<const userfunction::Specification> specification_;
  entities::ReplayFrom replay_from_ = entities::ReplayFrom::kNewestSnapshot;
  std::unique_ptr<NodeLife> life_;
  absl::string_view ended_as_ = "stopped";  // the last life; "down" while the next one is still to begin
  bool put_aside_ = false;                  // and not started since
  base::Lifetime restart_;                  // guards what is to come of the present life
};

}  // namespace cloudstate::cluster
