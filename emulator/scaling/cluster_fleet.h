#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "emulator/base/lifetime.h"
#include "emulator/base/strand.h"
#include "emulator/cluster/cluster.h"
#include "emulator/routing/gateway.h"
#include "emulator/scaling/fleet.h"
#include "emulator/scaling/supply.h"

namespace cloudstate::scaling {

// The nodes of the cluster as replicas: starts one by getting a user function for it and then its node, and drains one
// by having its node leave before its user function goes.
//
//   starting ──its user function is ready──► joining ──its node is up──► ready ──► draining ──► gone
//      ▲                                                                   │
//      └────────────────────its user function was lost─────────────────────┘
//
// A node that somebody starts by hand is a replica as well, and one that is killed or drained by hand is none any more:
// the next Resize makes up for either.
class ClusterFleet final : public Fleet {
 public:
  // From now on the gateway holds calls that no node can take, `most_held` at most. Before the cluster has nodes, which
  // then come by its StartEmpty. All references outlive this.
  ClusterFleet(base::Strand& strand, cluster::Cluster& cluster, routing::Gateway& gateway, Supply& supply,
               std::size_t most_held);
  ~ClusterFleet() override;
  ClusterFleet(const ClusterFleet&) = delete;
  ClusterFleet& operator=(const ClusterFleet&) = delete;

  void Watch(Watcher watcher) override { watcher_ = std::move(watcher); }
  // From zero, the node that left last is the first to start. Of those that are too many, first the ones go that are
  // still starting, and then those with the highest numbers. Not from a task of a node, like SetDispatch.
  void Resize(int wanted) override;
  // The emulator ends: nothing is started or drained from now on. On the strand.
  void End() { ended_ = true; }
  Counts counts() const override;
  std::int64_t held_calls() const override { return gateway_.held().open(); }
  std::vector<NodeReport> TakeReports() override;
  void SetDispatch(bool activator_in_path, int container_concurrency) override {
    gateway_.SetDispatch(activator_in_path, container_concurrency);
  }
  std::vector<dev::v1::Replica> Describe() const override;

 private:
  using NodeId = cluster::NodeId;
  enum class Stage { kStarting, kJoining, kReady, kDraining };
  // Of a node's meters, at one time.
  struct Readings {
    absl::Time at;
    trace::NodeLoad::Reading load;
  };
  struct Replica {
    absl::Time decided;              // to start it
    absl::Time since;                // of the stage; time of day
    Stage stage = Stage::kStarting;  // as it was told last
    bool served = false;             // its user function is there
    bool lived = false;              // its node has, since it is a replica
    bool drains = false;             // it is to go
    // Lives of its node: one that begins anew has never been up, and does not know that it is to go.
    std::uint64_t up_life = 0;
    std::uint64_t leaving_life = 0;
    std::uint64_t last_life = 0;  // that leaves as the last one
    std::optional<absl::Duration> cold_start = {};
    Readings before = {};  // at the last report, or when it became ready
    std::optional<NodeReport> report = {};
  };

  // ---- its user function
  void OnReady(NodeId id, std::shared_ptr<userfunction::Connection> connection,
               std::shared_ptr<const userfunction::Specification> specification, entities::ReplayFrom replay_from);
  void OnLost(NodeId id, const absl::Status& reason);

  // ---- more and fewer
  bool CallBack();
  bool StartOne();
  void DropOne();
  std::optional<NodeId> Vacant() const;
  void Add(NodeId id);
  void Remove(NodeId id, const std::string& text);

  // ---- what becomes of them
  void Wake();
  void Look();
  void Advance(NodeId id);
  void BeginLife(NodeId id);
  void Leave(NodeId id, Replica& replica);
  void LeaveAlone(NodeId id, Replica& replica);
  void PreferLeftLast();
  void RestartJoining();
  void TryAgainLater();
  void NoticeStage(NodeId id, Replica& replica);
  void Tell(NodeId id, const std::string& text, std::optional<absl::Duration> cold_start = std::nullopt) const;

  bool IsAlive(NodeId id) const;
  bool IsUp(NodeId id) const;
  bool Leaves(NodeId id, const Replica& replica) const;
  bool IsAlone(NodeId id) const;
  Readings Read(NodeId id) const;
  Readings ReadActivator() const;

  base::Strand& strand_;
  cluster::Cluster& cluster_;
  routing::Gateway& gateway_;
  Supply& supply_;
  Watcher watcher_;
  std::map<NodeId, Replica> replicas_;
  NodeId left_last_ = NodeId::kNone;  // of all that were up; none once one has begun
  bool ended_ = false;
  Readings activator_before_;
  bool woken_ = false;
  base::TimerId again_ = base::TimerId::kNone;
  std::uint64_t watch_ = 0;
  base::Lifetime lifetime_;
};

}  // namespace cloudstate::scaling
