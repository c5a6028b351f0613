#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "cloudstate/cluster/wire.pb.h"
#include "emulator/cluster/active_crdts.h"
#include "emulator/cluster/active_entities.h"
#include "emulator/cluster/channel.h"
#include "emulator/cluster/membership.h"
#include "emulator/cluster/node.h"
#include "emulator/cluster/node_connection.h"
#include "emulator/cluster/remote_commands.h"
#include "emulator/cluster/replicas.h"
#include "emulator/cluster/shard_coordinator.h"
#include "emulator/cluster/shard_table.h"

namespace cloudstate::cluster {

// A node from its start to its end: who it believes the others are, where it believes the shards to be, the entities of
// its own shards, the commands on their way to those of others, and the CRDT entities, which every node has. On the
// node's strand.
//
// A command goes to the node that owns the entity's shard. While the shard has no home that this node knows of, or is
// on its way, the command waits here. A node that is sent a command for a shard that it has given away passes it on, to
// where it knows the shard to be; one that is sent a command for a shard that it has not heard of yet waits for the
// news. Each step so leads to a later epoch, and none in a circle.
class NodeLife final : private ActiveEntities::Observer, private Replicas::Peers {
 public:
  NodeLife(Node& node, std::uint64_t incarnation, View known);
  ~NodeLife() override;

  void Connect();
  void Disconnect(const absl::Status& reason);
  void Deliver(std::string entity_id, entities::Command command);
  void DeliverCrdt(const std::string& entity_id, std::shared_ptr<entities::CrdtCommand> command);
  void CancelCrdt(const std::string& entity_id, const std::shared_ptr<entities::CrdtCommand>& command);
  void Forget(const base::EntityKey& key) { entities_.Forget(key); }
  void Evict(const std::optional<base::EntityKey>& key);
  void Know(const base::EntityKey& key, const crdt::State& state) { replicas_.Know(key, state); }
  void Leave();
  void LeaveLast();
  void EndOpenCrdtCalls() { crdts_.EndOpenCalls(); }
  void SaveReplicas() { replicas_.Save(); }
  absl::Status MoveShard(ShardId shard, NodeId to);

  const Membership& membership() const { return membership_; }
  const ShardTable& shards() const { return table_; }
  const ActiveEntities& entities() const { return entities_; }
  const ActiveCrdts& crdts() const { return crdts_; }
  const Replicas& replicas() const { return replicas_; }
  const std::shared_ptr<NodeConnection>& connection() const { return connection_; }
  std::size_t buffered_commands() const { return buffered_count_; }
  std::size_t unacknowledged(NodeId peer) const;
  // It has calls, commands or their effects in hand.
  bool IsBusy() const;
  bool IsCoordinator() const { return membership_.Coordinator() == membership_.id(); }
  std::vector<ShardId> OwnedShards() const;

 private:
  // What this node does about a shard.
  struct LocalShard {
    enum class State { kElsewhere, kRunning, kRetiring };
    State state = State::kElsewhere;
    std::uint64_t epoch = 0;       // that it runs, or retires, under
    std::uint64_t lost_epoch = 0;  // that is over, as the journal has said, whatever the table says
  };
  struct Buffered {
    std::string entity_id;
    entities::Command command;
    std::uint64_t least_epoch = 0;  // who sent it here knew of this one
    bool traced = false;            // its trace tells that it waits
  };
  // What was last told of another node.
  struct Noticed {
    NodeRecord record;
    bool reachable = true;
  };
  struct Talk {
    std::uint64_t incarnation = 0;
    std::unique_ptr<Channel> channel;
  };

  void Tick();
  bool MissesMember() const;
  void SendHeartbeats();
  void Receive(const std::string& bytes);
  void OnSegment(NodeId from, std::uint64_t incarnation, wire::Segment segment);
  void OnContent(NodeId from, wire::Segment segment);
  void OnCommand(NodeId from, wire::Command command);
  wire::Packet NewPacket(std::uint64_t to_incarnation) const;
  void Transmit(NodeId to, const wire::Packet& packet);
  void Broadcast(const wire::Packet& packet);
  // All that this node knows.
  wire::Packet Gossip() const;

  // After anything that may have changed what is known. News of its own are told to all.
  enum class Source { kOwn, kGossip };
  void AfterChange(Source source);
  void NoticeMembers();
  void EndTalks();
  // This life is the owner, in whatever phase.
  bool IsOwn(const ShardHome& home) const;
  void UpdateShards();
  void UpdateShard(ShardId shard);
  void Release(ShardId shard);
  void TellReleased();

  void Route(ShardId shard, Buffered buffered);
  void SendTo(const ShardHome& home, Buffered buffered);
  void Buffer(ShardId shard, Buffered buffered);
  void ForgetAbandoned();
  void Flush(ShardId shard);
  // As far as this node knows.
  bool IsInLife(NodeId peer, std::uint64_t incarnation) const;
  // Null where the peer is not in that life.
  Channel* ChannelTo(NodeId peer, std::uint64_t incarnation);
  const userfunction::ServiceSpec* FindService(const std::string& name) const;

  void ReportError(const std::string& text) override;
  void OnFenced(journal::Fence fence) override;
  void OnRetired(ShardId shard) override;

  bool MayAnswer(NodeId peer) const;
  std::vector<crdt::ReplicaId> Others() const override;
  const crdt::Voters& Up() const override { return up_; }
  bool MayPrune() const override;
  void Send(crdt::ReplicaId to, wire::Replication message) override;
  std::size_t Random(std::size_t bound) override { return random_() % bound; }
  void OnChanged(const base::EntityKey& key) override { crdts_.OnReplicaChanged(key); }
  void UpdateUp();

  void LeaveIfDone();
  bool LeavesNobody() const;
  // Nothing is left to do here before the life can end.
  bool HasGivenAway() const;
  bool HasPutAway();
  void Tell(absl::string_view kind, std::string text);

  Node& node_;
  NodeStrand& strand_;
  Network& network_;
  const Node::Options& options_;
  const std::uint64_t incarnation_;
  Membership membership_;
  ShardTable table_;
  ShardCoordinator coordinator_;
  std::shared_ptr<NodeConnection> connection_;
  ActiveEntities entities_;
  crdt::Voters up_;
  std::minstd_rand random_;  // whom to gossip with: any sequence will do, as long as each run has the same
  Replicas replicas_;
  ActiveCrdts crdts_;
  RemoteCommands sent_;
  std::map<NodeId, Talk> talks_;
  std::map<ShardId, std::deque<Buffered>> buffered_;
  std::size_t buffered_count_ = 0;
  std::array<LocalShard, kShards> local_;
  std::map<NodeId, Noticed> noticed_;
  std::optional<NodeState> noticed_state_;
  std::uint64_t seen_membership_ = 0;  // digests of what has been acted upon
  std::uint64_t seen_shards_ = 0;
  bool heartbeat_due_ = true;
  std::vector<ShardId> released_;  // since that was told last
  absl::Time leaving_since_ = absl::InfiniteFuture();
  bool is_last_ = false;  // it leaves, and may leave nobody behind
  base::TimerId tick_ = base::TimerId::kNone;
  bool ending_ = false;
  base::Lifetime lifetime_;
};

}  // namespace cloudstate::cluster
