#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "emulator/cluster/node.h"

namespace cloudstate::cluster {

// All nodes of one emulator, and the network between them: what steers them, and what is seen of them from outside. On
// the strand that the nodes share.
//
// Steering answers with what has begun, as a sentence. Errors say what can be done instead: NOT_FOUND, there is no such
// node; FAILED_PRECONDITION, it is not in the state for that; RESOURCE_EXHAUSTED, there are as many as there can be.
class Cluster {
 public:
  static constexpr std::size_t kMostNodes = 100;

  // `replicas` may be null: then replicas of CRDT entities end with their node's life.
  Cluster(const Node::Options& options, base::Strand& strand, base::Random& random, journal::Journal& journal,
          std::function<void(const std::string&)> report_error, journal::ReplicaStore* replicas = nullptr);
  ~Cluster();

  // `added` sees every node before its first life begins.
  void WatchNodes(std::function<void(Node&)> added) { added_ = std::move(added); }
  // The first nodes, all up. Once.
  void Start(std::size_t nodes);
  // The same, without a life each: StartAlone begins the first one.
  void StartEmpty(std::size_t nodes);
  // Nodes up to this one are there, those that are new without a life. RESOURCE_EXHAUSTED beyond the most.
  absl::Status MakeUpTo(NodeId node);
  // The emulator is about to end: open calls of CRDT entities end well.
  void EndOpenCrdtCalls();
  // What is due to the replicas' store goes there at once: the journal will be closed.
  void SaveReplicas();
  // Ends all lives.
  void Stop();
  // The same at once, for a reset: all that is stored goes as well. Also mends the network and all clocks.
  void EndAll();
  // After that: these nodes are up at once, as after Start, in new lives, and know this of CRDT entities. The others
  // are as if they had never been, until they are started, or added again. What was started meanwhile ends.
  void StartOver(std::size_t nodes, const CrdtStates& known);

  // The user function has come, for all nodes and those that follow, or gone.
  void Connect(std::shared_ptr<userfunction::Connection> connection,
               std::shared_ptr<const userfunction::Specification> specification, entities::ReplayFrom replay_from);
  void Disconnect(const absl::Status& reason);
  // The same of the user function of one node alone, which is there, where each has its own: for all its lives. Nodes
  // that are made later have none.
  void Connect(NodeId node, std::shared_ptr<userfunction::Connection> connection,
               std::shared_ptr<const userfunction::Specification> specification, entities::ReplayFrom replay_from);
  void Disconnect(NodeId node, const absl::Status& reason);

  // Deletes an event-sourced or value entity from the journal and has the nodes forget it; then `done` runs, on the
  // strand. Errors are the journal's.
  void Delete(const base::EntityKey& key, absl::AnyInvocable<void(absl::StatusOr<journal::Deleted>)> done);

  // Ends streams of the entity, or of all, on all nodes, as Node::Evict does. How many.
  std::size_t Evict(const std::optional<base::EntityKey>& key);

  // ---- steering

  // The first one that StartOver left out, or else one more.
  absl::StatusOr<NodeId> AddNode();
  // One that is still joining goes at once.
  absl::StatusOr<std::string> Drain(NodeId node);
  // The only one that there is, whether it leaves already or not: it finishes its calls, and leaves a cluster of nobody
  // behind. What entities have stored is there for whoever starts next; what CRDT entities know, with a store for their
  // replicas.
  absl::StatusOr<std::string> DrainLast(NodeId node);
  // The node, which has no life, begins one as the only one of the cluster, and is up at once. To be the one that left
  // last, which knows most of CRDT entities. FAILED_PRECONDITION where others live.
  absl::StatusOr<std::string> StartAlone(NodeId node);
  absl::StatusOr<std::string> Kill(NodeId node);
  absl::StatusOr<std::string> StartAgain(NodeId node);
  absl::StatusOr<std::string> Pause(NodeId node, std::optional<absl::Duration> time);
  absl::StatusOr<std::string> Resume(NodeId node);
  absl::StatusOr<std::string> Skew(NodeId node, absl::Duration by);
  absl::StatusOr<std::string> Partition(const std::vector<std::vector<NodeId>>& groups);
  absl::StatusOr<std::string> Cut(NodeId from, NodeId to);
  // kNone for every node; both kNone set the default.
  enum class Ways { kBoth, kOne };
  absl::StatusOr<std::string> SetLink(NodeId from, NodeId to, Ways ways, const LinkSettings& settings);
  absl::StatusOr<std::string> Heal();
  absl::StatusOr<std::string> MoveShard(std::uint32_t shard, NodeId to);
  // All at once, as if the machine had crashed.
  absl::StatusOr<std::string> CrashAll();

  // ---- what there is

  // Null while there is no user function; where each node has its own, that of any one of them.
  std::shared_ptr<userfunction::Connection> connection() const;
  entities::ReplayFrom replay_from() const { return replay_from_; }

  const std::map<NodeId, std::unique_ptr<Node>>& nodes() const { return nodes_; }
  Node* Find(NodeId node) const;  // null where there is none
  absl::StatusOr<Node*> FindOrFail(NodeId node) const;
  // The node whose sight of shards counts: the coordinator by its own sight, of the largest side; null where there is
  // none.
  Node* Coordinator() const;
  base::Strand& strand() { return strand_; }
  Network& network() { return network_; }
  const Network& network() const { return network_; }
  ClusterEvents& events() { return events_; }
  const ClusterEvents& events() const { return events_; }
  // Of what happens to replicas of CRDT entities.
  ReplicaEvents& replica_events() { return replica_events_; }
  // All nodes with a life know the same members, shards and CRDT entities, and each shard is owned by one that is up.
  bool Converged() const;
  // What the nodes that have a life know of CRDT entities, all together.
  CrdtStates KnownCrdts() const;
  // OK if that is all. With a store for replicas UNAVAILABLE while a node begins or still reads what it kept, and
  // FAILED_PRECONDITION while one is stopped that may have kept what the others do not know.
  absl::Status CheckKnownCrdtsAreAll() const;

 private:
  absl::StatusOr<Node*> FindAlive(NodeId node) const;
  absl::StatusOr<Node*> FindUp(NodeId node) const;
  absl::StatusOr<Node*> FindStopped(NodeId node) const;  // without a life
  // A node besides this one that has a life, or is about to begin one; null where there is none.
  const Node* FindOther(NodeId node) const;
  void TakeOverReplicas(std::size_t nodes);
  void EndLives();
  Node& Make(NodeId id);
  std::uint64_t FormerLife(NodeId id) const;
  View KnownView(NodeId self) const;
  void ForgetPause(NodeId node);
  bool IsSettled(const Node& node) const;
  std::string Steered(std::string text);

  const Node::Options options_;
  base::Strand& strand_;
  journal::Journal& journal_;
  journal::ReplicaStore* const replicas_;
  const std::function<void(const std::string&)> report_error_;
  ClusterEvents events_;
  ReplicaEvents replica_events_;
  Network network_;
  std::function<void(Node&)> added_;
  std::shared_ptr<userfunction::Connection> connection_;
  std::shared_ptr<const userfunction::Specification> specification_;
  entities::ReplayFrom replay_from_ = entities::ReplayFrom::kNewestSnapshot;
  std::map<NodeId, std::unique_ptr<Node>> nodes_;
  std::map<NodeId, base::TimerId> pauses_;  // timers that end them
  base::Lifetime lifetime_;
};

}  // namespace cloudstate::cluster
