#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "cloudstate/cluster/wire.pb.h"
#include "emulator/cluster/failure_detector.h"
#include "emulator/cluster/node_id.h"

namespace cloudstate::cluster {

// Who belongs to the cluster, as one life of one node sees it. Pure: it is told the time, what has been heard, and what
// others know, and decides; its node sends.
//
//   joining ──► up ──► leaving ──► removed
//      └─────────┴────────┴──► down ──► removed
//
// - The oldest reachable member (the leader) lets a joining node in once all members know of it and hear it, and it
//   hears all of them: so a node that a one-way cut separates from somebody does not come and go all the time.
// - When members have not heard each other for `stable_after`, without change, all nodes look for the largest part of
//   the members that hear each other: those with the most broken connections are left out first, the younger of two.
//   If that part is a majority, or half with the oldest, its leader declares the others down. Everyone who is not in
//   such a part, by its own sight, declares itself down ("keep majority"). It takes as long as a detection more where
//   somebody would be left out whom a part of the others still hears: they may only not have noticed yet.
// - A node that is down, by its own judgement or because others say so, ends its life; the next one begins with
// ForNextLife.
// - Where all nodes are joining, since nobody had a majority, the lowest of those that make up more than half of all
//   known nodes becomes the first member again. Two such halves could only arise where nodes are cut off and up at the
//   same time; the journal's fences hold then, too.
class Membership {
 public:
  struct Options {
    absl::Duration heartbeat_interval = absl::Milliseconds(500);
    FailureDetector::Options detector = {};
    absl::Duration stable_after = absl::Milliseconds(500);
  };

  // `known` is what the node has been told of others, and where it is itself up already if it is to start so; without
  // it the node is joining.
  Membership(const Options& options, NodeId self, std::uint64_t incarnation, View known, absl::Time now);

  // ---- what happens

  void OnHeartbeat(NodeId from, std::uint64_t incarnation, const wire::Heartbeat& heartbeat, absl::Time now);
  void Merge(const wire::Gossip& gossip, absl::Time now);
  // Decides what is due; to be called at least once per heartbeat interval.
  void Tick(absl::Time now);
  // Up becomes leaving; nothing else changes.
  void Leave();
  // What was leaving has nothing left to do here.
  void Left();

  // ---- what is known

  const View& view() const { return view_; }
  const NodeRecord& self() const { return view_.at(self_); }
  NodeId id() const { return self_; }
  // Changes whenever the view does.
  std::uint64_t Digest() const { return digest_; }
  // As of the last tick: heard from, and not suspected. True for the node itself.
  bool IsReachable(NodeId node) const;
  // Not in agreement with others' sight: what this node reports in its heartbeats.
  std::vector<wire::Life> Unheard() const;
  // The oldest reachable member; none where this node reaches no member.
  std::optional<NodeId> Leader() const;
  // The oldest that is up, reachable or not: all nodes with the same view agree on it. It allocates shards.
  std::optional<NodeId> Coordinator() const;
  // Where heartbeats go: every node that may be alive, also as one that does not know yet that it is down, and none
  // that has left.
  std::vector<NodeId> Peers() const;
  double Phi(NodeId node, absl::Time now) const;  // 0 for the node itself
  absl::Time LastHeard(NodeId node) const;        // InfinitePast for never

  void Describe(wire::Gossip& gossip) const;
  // What the life that follows this one is to know: it is joining.
  View ForNextLife() const;

 private:
  struct Peer {
    Peer(const FailureDetector::Options& options, std::uint64_t life, absl::Time now)
        : detector(options), incarnation(life), since(now) {}
    bool Lists(NodeId node, std::uint64_t life) const {
      return std::find(unheard.begin(), unheard.end(), std::pair(node, life)) != unheard.end();
    }

    FailureDetector detector;
    std::uint64_t incarnation;                              // that the detector has heard of
    absl::Time since;                                       // when that life was first heard of, by anyone's word
    bool reachable = true;                                  // as of the last tick
    std::uint64_t digest = 0;                               // of its last heartbeat
    std::vector<std::pair<NodeId, std::uint64_t>> unheard;  // by its last heartbeat
  };
  // The lower first.
  using Pairs = std::vector<std::pair<NodeId, NodeId>>;

  // ---- records
  void Set(NodeId node, const NodeRecord& record);
  void Learn(NodeId node, const NodeRecord& record, absl::Time now);
  void FollowLife(NodeId node, absl::Time now);
  void SetState(NodeId node, NodeState state);
  bool IsMember(NodeId node) const;
  std::set<NodeId> Members() const;
  std::uint64_t HighestAge() const;
  // The oldest of the nodes that this is true of; of equals the lower.
  using Counts = absl::FunctionRef<bool(NodeId node, const NodeRecord& record)>;
  std::optional<NodeId> OldestOf(Counts counts) const;

  // ---- hearing
  absl::Duration UsualDetection() const;
  bool IsSilent(const Peer& peer, absl::Time now) const;
  bool Hears(NodeId node) const;
  bool IsPastGrace(NodeId node, absl::Time now) const;

  // ---- what a member does
  Pairs FindBroken(absl::Time now) const;
  bool IsStable(absl::Time now) const;
  std::set<NodeId> LargestWhole(std::set<NodeId> nodes) const;
  std::set<NodeId> Surviving() const;  // none where no part is large enough
  bool IsClearCut(const std::set<NodeId>& kept) const;
  void Split(absl::Time now);
  void Lead();
  bool MembersAgree() const;
  bool IsWelcome(NodeId node) const;

  // ---- what a joining node does
  void BeginAnewIfDue(absl::Time now);
  std::set<NodeId> Company() const;
  bool IsFirstOf(const std::set<NodeId>& company) const;

  Options options_;
  NodeId self_;
  View view_;
  std::uint64_t digest_ = 0;
  std::map<NodeId, Peer> peers_;
  // Members that a part of the others does not hear, and since when that has been so without a change.
  Pairs broken_;
  absl::Time broken_since_;
  // While joining: since when no member has been reachable, and these nodes have.
  std::set<NodeId> company_;
  absl::Time alone_since_;
};

}  // namespace cloudstate::cluster
