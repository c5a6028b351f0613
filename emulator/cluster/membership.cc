#include "emulator/cluster/membership.h"

#include <algorithm>

#include "emulator/cluster/digest.h"

namespace cloudstate::cluster {
namespace {

// By itself: what is removed because it was down keeps its age, and was up.
bool HasLeft(const NodeRecord& record) { return record.state == NodeState::kRemoved && record.age == 0; }

bool IsNewer(const NodeRecord& one, const NodeRecord& other) {
  if (one.incarnation != other.incarnation) return one.incarnation > other.incarnation;
  if (one.state != other.state) return one.state > other.state;
  // Two leaders that do not know of each other may let the same node in: any rule will do that all share.
  return one.age != 0 && (other.age == 0 || one.age < other.age);
}

std::uint64_t DigestOfRecord(NodeId node, const NodeRecord& record) {
  return DigestOf(
      {static_cast<std::uint64_t>(node), record.incarnation, static_cast<std::uint64_t>(record.state), record.age});
}

}  // namespace

absl::string_view StateName(NodeState state) {
  switch (state) {
    case NodeState::kJoining:
      return "joining";
    case NodeState::kUp:
      return "up";
    case NodeState::kLeaving:
      return "leaving";
    case NodeState::kDown:
      return "down";
    case NodeState::kRemoved:
      return "removed";
  }
  return "unknown";
}

Membership::Membership(const Options& options, NodeId self, std::uint64_t incarnation, View known, absl::Time now)
    : options_(options), self_(self), broken_since_(now), alone_since_(now) {
  Set(self_, {.incarnation = incarnation, .state = NodeState::kJoining, .age = 0});
  for (const auto& [node, record] : known) Learn(node, record, now);
}

// ---- records

void Membership::Set(NodeId node, const NodeRecord& record) {
  const auto [entry, added] = view_.try_emplace(node, record);
  if (!added) {
    digest_ -= DigestOfRecord(node, entry->second);
    entry->second = record;
  }
  digest_ += DigestOfRecord(node, record);
}

void Membership::Learn(NodeId node, const NodeRecord& record, absl::Time now) {
  NodeRecord learned = record;
  // A later life than this one is not running, since this one is: it is over, and so is this one.
  if (node == self_ && record.incarnation > self().incarnation)
    learned.state = std::max(record.state, NodeState::kDown);
  const auto known = view_.find(node);
  if (known != view_.end() && !IsNewer(learned, known->second)) return;
  Set(node, learned);
  FollowLife(node, now);
}

// Each life is listened to anew.
void Membership::FollowLife(NodeId node, absl::Time now) {
  if (node == self_) return;
  const std::uint64_t incarnation = view_.at(node).incarnation;
  const auto peer = peers_.find(node);
  if (peer != peers_.end() && peer->second.incarnation == incarnation) return;
  peers_.insert_or_assign(node, Peer(options_.detector, incarnation, now));
}

void Membership::SetState(NodeId node, NodeState state) {
  NodeRecord record = view_.at(node);
  record.state = state;
  Set(node, record);
}

bool Membership::IsMember(NodeId node) const {
  const auto found = view_.find(node);
  return found != view_.end() && found->second.IsMember();
}

std::set<NodeId> Membership::Members() const {
  std::set<NodeId> members;
  for (const auto& [node, record] : view_) {
    if (record.IsMember()) members.insert(members.end(), node);
  }
  return members;
}

std::uint64_t Membership::HighestAge() const {
  std::uint64_t highest = 0;
  for (const auto& [node, record] : view_) highest = std::max(highest, record.age);
  return highest;
}

// ---- what happens

void Membership::OnHeartbeat(NodeId from, std::uint64_t incarnation, const wire::Heartbeat& heartbeat, absl::Time now) {
  if (from == self_) return;
  // Only news if this life was not known.
  Learn(from, {.incarnation = incarnation, .state = NodeState::kJoining, .age = 0}, now);
  const NodeRecord& record = view_.at(from);
  if (record.incarnation != incarnation || !record.MayBeAlive()) return;
  Peer& peer = peers_.at(from);
  peer.detector.OnHeartbeat(now);
  peer.digest = heartbeat.membership_digest();
  peer.unheard.clear();
  for (const wire::Life& life : heartbeat.unheard()) peer.unheard.emplace_back(NodeId{life.node()}, life.incarnation());
}

void Membership::Merge(const wire::Gossip& gossip, absl::Time now) {
  for (const wire::Member& member : gossip.members()) {
    Learn(NodeId{member.node()},
          {.incarnation = member.incarnation(), .state = static_cast<NodeState>(member.state()), .age = member.age()},
          now);
  }
}

void Membership::Tick(absl::Time now) {
  if (!self().MayBeAlive()) return;
  for (auto& [node, peer] : peers_) peer.reachable = !IsSilent(peer, now);
  if (!self().IsMember()) {
    BeginAnewIfDue(now);
    return;
  }
  Pairs broken = FindBroken(now);
  if (broken != broken_) {
    broken_ = std::move(broken);
    broken_since_ = now;
  }
  if (!broken_.empty() && IsStable(now)) Split(now);
  if (self().IsMember() && Leader() == self_) Lead();
}

void Membership::Leave() {
  if (self().state == NodeState::kUp) SetState(self_, NodeState::kLeaving);
  if (self().state == NodeState::kJoining) SetState(self_, NodeState::kRemoved);
}

void Membership::Left() {
  if (self().state != NodeState::kLeaving) return;
  Set(self_, {.incarnation = self().incarnation, .state = NodeState::kRemoved, .age = 0});
}

View Membership::ForNextLife() const {
  View view = view_;
  view[self_] = {.incarnation = self().incarnation + 1, .state = NodeState::kJoining, .age = 0};
  return view;
}

// ---- hearing

// How long a silence usually takes to become suspicious.
absl::Duration Membership::UsualDetection() const {
  const FailureDetector::Options& detector = options_.detector;
  return detector.first_pause + detector.acceptable_pause + 6 * detector.min_deviation;
}

bool Membership::IsSilent(const Peer& peer, absl::Time now) const {
  return peer.detector.heard() ? !peer.detector.IsAvailable(now) : now - peer.since >= UsualDetection();
}

bool Membership::Hears(NodeId node) const { return IsReachable(node) && LastHeard(node) != absl::InfinitePast(); }

// Everyone reports those that it has not heard yet. That means something only after they have all had the time to be
// heard: then, too, silence begins to count.
bool Membership::IsPastGrace(NodeId node, absl::Time now) const {
  return node == self_ || now - peers_.at(node).since >= UsualDetection();
}

// ---- what is known

bool Membership::IsReachable(NodeId node) const {
  if (node == self_) return true;
  const auto peer = peers_.find(node);
  return peer != peers_.end() && peer->second.reachable && view_.at(node).MayBeAlive();
}

std::vector<wire::Life> Membership::Unheard() const {
  std::vector<wire::Life> unheard;
  for (const auto& [node, peer] : peers_) {
    if (!view_.at(node).MayBeAlive() || Hears(node)) continue;
    wire::Life& life = unheard.emplace_back();
    life.set_node(static_cast<std::uint32_t>(node));
    life.set_incarnation(peer.incarnation);
  }
  return unheard;
}

std::optional<NodeId> Membership::OldestOf(Counts counts) const {
  auto oldest = view_.end();
  for (auto entry = view_.begin(); entry != view_.end(); ++entry) {
    if (!counts(entry->first, entry->second)) continue;
    if (oldest == view_.end() || entry->second.age < oldest->second.age) oldest = entry;
  }
  if (oldest == view_.end()) return std::nullopt;
  return oldest->first;
}

std::optional<NodeId> Membership::Leader() const {
  return OldestOf([this](NodeId node, const NodeRecord& record) { return record.IsMember() && IsReachable(node); });
}

std::optional<NodeId> Membership::Coordinator() const {
  return OldestOf([](NodeId, const NodeRecord& record) { return record.state == NodeState::kUp; });
}

// What was declared down may be alive, and may think the same of those that did: only if they go on speaking to it do
// both find out.
std::vector<NodeId> Membership::Peers() const {
  std::vector<NodeId> peers;
  for (const auto& [node, peer] : peers_) {
    if (!HasLeft(view_.at(node))) peers.push_back(node);
  }
  return peers;
}

double Membership::Phi(NodeId node, absl::Time now) const {
  const auto peer = peers_.find(node);
  return peer == peers_.end() ? 0 : peer->second.detector.Phi(now);
}

absl::Time Membership::LastHeard(NodeId node) const {
  const auto peer = peers_.find(node);
  return peer == peers_.end() ? absl::InfinitePast() : peer->second.detector.last_heartbeat();
}

void Membership::Describe(wire::Gossip& gossip) const {
  for (const auto& [node, record] : view_) {
    wire::Member& member = *gossip.add_members();
    member.set_node(static_cast<std::uint32_t>(node));
    member.set_incarnation(record.incarnation);
    member.set_state(static_cast<std::uint32_t>(record.state));
    member.set_age(record.age);
  }
}

}  // namespace cloudstate::cluster
