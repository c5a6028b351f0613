#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/base/random.h"
#include "emulator/cluster/membership.h"

namespace cloudstate::cluster::testing {

// Nodes that are nothing but their membership, with as much of a network between them as they need, in virtual time.
// They do what real nodes do: send heartbeats, answer those of others that know something else, and begin a new life
// when theirs has ended.
class MembershipHarness {
 public:
  static constexpr absl::Duration kTick = absl::Milliseconds(100);

  explicit MembershipHarness(std::uint64_t seed = 1) : random_(seed) {}

  // ---- steering

  void StartAllUp(std::uint32_t nodes) {
    View view;
    for (std::uint32_t node = 1; node <= nodes; ++node) view[NodeId{node}] = {1, NodeState::kUp, node};
    for (std::uint32_t node = 1; node <= nodes; ++node) Start(node, 1, view);
  }
  void Start(std::uint32_t node, std::uint64_t incarnation, View known) {
    places_.erase(NodeId{node});
    places_.emplace(NodeId{node}, Place{Membership({}, NodeId{node}, incarnation, std::move(known), now_),
                                        now_ + node * absl::Milliseconds(70)});
  }
  void Kill(std::uint32_t node) {
    last_[NodeId{node}] = at(node).view();
    places_.erase(NodeId{node});
  }
  // What was killed, with what it knew then.
  void Restart(std::uint32_t node) {
    const View& last = last_.at(NodeId{node});
    Start(node, last.at(NodeId{node}).incarnation + 1, last);
  }
  void Leave(std::uint32_t node) { places_.at(NodeId{node}).membership.Leave(); }
  // It has nothing left to do, says so, and goes.
  void FinishLeaving(std::uint32_t node) {
    Membership& membership = places_.at(NodeId{node}).membership;
    membership.Left();
    for (const NodeId peer : membership.Peers()) Send(NodeId{node}, peer, Describe(membership));
    Kill(node);
  }
  void Pause(std::uint32_t node) { places_.at(NodeId{node}).paused = true; }
  void Resume(std::uint32_t node) {
    Place& place = places_.at(NodeId{node});
    place.paused = false;
    for (Packet& packet : std::exchange(place.held, {})) in_flight_.emplace(now_, std::move(packet));
  }
  // Nothing arrives any more that goes from one to the other.
  void Cut(std::uint32_t from, std::uint32_t to) { cuts_.insert({NodeId{from}, NodeId{to}}); }
  void Partition(const std::vector<std::set<std::uint32_t>>& groups) {
    for (const auto& group : groups) {
      for (const auto& other : groups) {
        if (group == other) continue;
        for (const std::uint32_t from : group) {
          for (const std::uint32_t to : other) Cut(from, to);
        }
      }
    }
  }
  void Heal() { cuts_.clear(); }

  void Run(absl::Duration time) {
    for (const absl::Time end = now_ + time; now_ < end; now_ += absl::Milliseconds(10)) Step();
  }
  // How long it took; `limit` where that was not enough.
  template <typename Condition>
  absl::Duration RunUntil(absl::Duration limit, Condition condition) {
    const absl::Time start = now_;
    while (!condition() && now_ - start < limit) Run(kTick);
    return now_ - start;
  }

  // ---- what there is

  const Membership& at(std::uint32_t node) const { return places_.at(NodeId{node}).membership; }
  bool IsRunning(std::uint32_t node) const { return places_.contains(NodeId{node}); }
  bool IsPaused(std::uint32_t node) const { return places_.at(NodeId{node}).paused; }
  // How often its life has ended against its will.
  int deaths(std::uint32_t node) const {
    const auto found = deaths_.find(NodeId{node});
    return found == deaths_.end() ? 0 : found->second;
  }
  int deaths() const {
    int sum = 0;
    for (const auto& [node, count] : deaths_) sum += count;
    return sum;
  }
  // What a node knows of all: "1 up, 2 down 2" (the number behind is the incarnation where it is not the first).
  std::string Sight(std::uint32_t node) const {
    std::string sight;
    for (const auto& [other, record] : at(node).view()) {
      absl::StrAppend(&sight, sight.empty() ? "" : ", ", ToString(other), " ", StateName(record.state));
      if (record.incarnation != 1) absl::StrAppend(&sight, " ", record.incarnation);
    }
    return sight;
  }
  // Of all nodes that run, if it is the same; else of each.
  std::string Sights() const {
    std::set<std::string> sights;
    std::string all;
    for (const auto& [node, place] : places_) {
      const std::string sight = Sight(static_cast<std::uint32_t>(node));
      sights.insert(sight);
      absl::StrAppend(&all, "\n", ToString(node), " sees: ", sight);
    }
    return sights.size() == 1 ? *sights.begin() : all;
  }
  // All that run are up, know the same, and nobody else is a member.
  bool AllUp() const {
    const Membership& first = places_.begin()->second.membership;
    const auto members = std::count_if(first.view().begin(), first.view().end(),
                                       [](const auto& entry) { return entry.second.IsMember(); });
    return static_cast<std::size_t>(members) == places_.size() &&
           std::all_of(places_.begin(), places_.end(), [&](const auto& entry) {
             const Membership& membership = entry.second.membership;
             return membership.self().state == NodeState::kUp && membership.Digest() == first.Digest();
           });
  }
  absl::Time now() const { return now_; }

  // ---- the network

  double loss = 0;
  absl::Duration least_latency = absl::Milliseconds(1);
  absl::Duration most_latency = absl::Milliseconds(20);

 private:
  using Content = std::variant<wire::Heartbeat, wire::Gossip>;
  struct Packet {
    NodeId from;
    std::uint64_t incarnation;
    NodeId to;
    Content content;
  };
  struct Place {
    Membership membership;
    absl::Time next_heartbeat;
    bool paused = false;
    std::vector<Packet> held = {};
  };

  static wire::Gossip Describe(const Membership& membership) {
    wire::Gossip gossip;
    membership.Describe(gossip);
    return gossip;
  }
  void Send(NodeId from, NodeId to, Content content) {
    if (cuts_.contains({from, to}) || std::uniform_real_distribution<>()(random_) < loss) return;
    const absl::Duration latency =
        least_latency + (most_latency - least_latency) * std::uniform_real_distribution<>()(random_);
    const std::uint64_t incarnation = places_.at(from).membership.self().incarnation;
    in_flight_.emplace(now_ + latency, Packet{from, incarnation, to, std::move(content)});
  }
  void Receive(const Packet& packet) {
    const auto place = places_.find(packet.to);
    if (place == places_.end()) return;
    if (place->second.paused) {
      place->second.held.push_back(packet);
      return;
    }
    Membership& membership = place->second.membership;
    if (const auto* gossip = std::get_if<wire::Gossip>(&packet.content)) {
      membership.Merge(*gossip, now_);
      return;
    }
    const auto& heartbeat = std::get<wire::Heartbeat>(packet.content);
    membership.OnHeartbeat(packet.from, packet.incarnation, heartbeat, now_);
    if (heartbeat.membership_digest() != membership.Digest()) Send(packet.to, packet.from, Describe(membership));
  }
  void Beat(NodeId node, Place& place) {
    wire::Heartbeat heartbeat;
    heartbeat.set_membership_digest(place.membership.Digest());
    for (const wire::Life& life : place.membership.Unheard()) *heartbeat.add_unheard() = life;
    for (const NodeId peer : place.membership.Peers()) Send(node, peer, heartbeat);
    place.next_heartbeat = now_ + absl::Milliseconds(500);
  }
  void Step() {
    while (!in_flight_.empty() && in_flight_.begin()->first <= now_) {
      const Packet packet = std::move(in_flight_.begin()->second);
      in_flight_.erase(in_flight_.begin());
      Receive(packet);
    }
    const bool tick = (now_ - absl::UnixEpoch()) % kTick == absl::ZeroDuration();
    for (auto& [node, place] : places_) {
      if (place.paused) continue;
      Membership& membership = place.membership;
      if (tick && membership.self().state >= NodeState::kDown) {
        View view = membership.ForNextLife();
        membership = Membership({}, node, view.at(node).incarnation, view, now_);
        ++deaths_[node];
      }
      if (tick) membership.Tick(now_);
      if (now_ >= place.next_heartbeat && membership.self().state < NodeState::kDown) Beat(node, place);
    }
  }

  base::Random random_;
  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  std::map<NodeId, Place> places_;
  std::map<NodeId, View> last_;
  std::map<NodeId, int> deaths_;
  std::set<std::pair<NodeId, NodeId>> cuts_;
  std::multimap<absl::Time, Packet> in_flight_;
};

// A cluster to which things happen by chance.
class RandomFaults {
 public:
  explicit RandomFaults(std::uint64_t seed) : random_(seed), cluster_(seed), nodes_(Below(5) + 3) {
    cluster_.loss = Below(2) * 0.1;
    cluster_.most_latency = absl::Milliseconds(20 + Below(200));
    cluster_.StartAllUp(nodes_);
  }

  void Disturb() {
    for (std::uint32_t count = Below(12) + 3; count > 0; --count) {
      Fault(Below(7), Below(nodes_) + 1, Below(nodes_) + 1);
      cluster_.Run(absl::Milliseconds(100 * Below(100)));
    }
  }
  void Repair() {
    cluster_.Heal();
    cluster_.loss = 0;
    for (std::uint32_t node = 1; node <= nodes_; ++node) {
      if (!cluster_.IsRunning(node)) cluster_.Restart(node);
      if (cluster_.IsPaused(node)) cluster_.Resume(node);
    }
  }
  MembershipHarness& cluster() { return cluster_; }

 private:
  std::uint32_t Below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  void Fault(std::uint32_t kind, std::uint32_t one, std::uint32_t other) {
    if (kind == 0) cluster_.Heal();
    if (kind == 1) cluster_.Cut(one, other);
    if (kind == 2) cluster_.Partition({{one}, {other}});
    if (kind == 3) cluster_.Partition(Groups());
    if (kind == 4) cluster_.IsRunning(one) ? cluster_.Kill(one) : cluster_.Restart(one);
    if (kind >= 5 && cluster_.IsRunning(one)) cluster_.IsPaused(one) ? cluster_.Resume(one) : cluster_.Pause(one);
  }
  std::vector<std::set<std::uint32_t>> Groups() {
    std::vector<std::set<std::uint32_t>> groups(Below(2) + 2);
    for (std::uint32_t node = 1; node <= nodes_; ++node) {
      groups[Below(static_cast<std::uint32_t>(groups.size()))].insert(node);
    }
    return groups;
  }

  base::Random random_;
  MembershipHarness cluster_;
  std::uint32_t nodes_;
};

}  // namespace cloudstate::cluster::testing
