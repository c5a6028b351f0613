#include "emulator/cluster/membership.h"

#include <algorithm>
#include <tuple>

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

// The oldest of the nodes that this is true of; of equals the lower.
template <typename Counts>
std::optional<NodeId> OldestOf(const View& view, Counts counts) {
  auto oldest = view.end();
  for (auto entry = view.begin(); entry != view.end(); ++entry) {
    if (!counts(entry->first, entry->second)) continue;
    if (oldest == view.end() || entry->second.age < oldest->second.age) oldest = entry;
  }
  if (oldest == view.end()) return std::nullopt;
  return oldest->first;
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

// ---- what a member does

Membership::Pairs Membership::FindBroken(absl::Time now) const {
  Pairs broken;
  for (const auto& [node, peer] : peers_) {
    if (!IsMember(node)) continue;
    if (!IsReachable(node)) {
      broken.push_back(std::minmax(self_, node));
      continue;
    }
    if (!IsPastGrace(node, now)) continue;
    for (const auto& [about, incarnation] : peer.unheard) {
      if (!IsMember(about) || view_.at(about).incarnation != incarnation) continue;
      if (IsPastGrace(about, now)) broken.push_back(std::minmax(node, about));
    }
  }
  std::sort(broken.begin(), broken.end());
  broken.erase(std::unique(broken.begin(), broken.end()), broken.end());
  return broken;
}

// Nothing has changed for long enough, and everyone within reach has spoken again since then: those that are cut off
// from the same nodes notice it one after the other, and must not take each other for the only one.
bool Membership::IsStable(absl::Time now) const {
  const absl::Time stable = broken_since_ + options_.stable_after;
  return now >= stable && std::all_of(peers_.begin(), peers_.end(), [&](const auto& entry) {
           const auto& [node, peer] = entry;
           return !IsMember(node) || !IsReachable(node) || peer.detector.last_heartbeat() >= stable;
         });
}

// What is left of them when those with the most broken connections have been left out, one after the other, of equals
// the younger, until there are none.
std::set<NodeId> Membership::LargestWhole(std::set<NodeId> nodes) const {
  std::map<NodeId, std::set<NodeId>> broken;
  for (const auto& [one, other] : broken_) {
    if (!nodes.contains(one) || !nodes.contains(other)) continue;
    broken[one].insert(other);
    broken[other].insert(one);
  }
  const auto rank = [this](const auto& entry) {
    return std::tuple(entry.second.size(), view_.at(entry.first).age, entry.first);
  };
  while (!broken.empty()) {
    const auto worst = std::max_element(broken.begin(), broken.end(),
                                        [&](const auto& one, const auto& other) { return rank(one) < rank(other); });
    if (worst->second.empty()) break;
    for (const NodeId other : worst->second) broken.at(other).erase(worst->first);
    nodes.erase(worst->first);
    broken.erase(worst);
  }
  return nodes;
}

// Two halves are equally broken, so that age would not leave out a whole half, but some of each: where nothing large
// enough is left, it is tried with the oldest and those that it shares no broken connection with.
std::set<NodeId> Membership::Surviving() const {
  const std::set<NodeId> members = Members();
  const NodeId oldest = *OldestOf(view_, [](NodeId, const NodeRecord& record) { return record.IsMember(); });
  const auto is_enough = [&](const std::set<NodeId>& part) {
    const std::size_t twice = part.size() * 2;
    return twice > members.size() || (twice == members.size() && part.contains(oldest));
  };
  std::set<NodeId> kept = LargestWhole(members);
  if (is_enough(kept)) return kept;
  std::set<NodeId> with_oldest = members;
  for (const auto& [one, other] : broken_) {
    if (one == oldest) with_oldest.erase(other);
    if (other == oldest) with_oldest.erase(one);
  }
  kept = LargestWhole(std::move(with_oldest));
  return is_enough(kept) ? kept : std::set<NodeId>();
}

// Whoever is left out has lost all of those that are kept.
bool Membership::IsClearCut(const std::set<NodeId>& kept) const {
  for (const NodeId out : Members()) {
    if (kept.contains(out)) continue;
    const auto is_broken = [&](NodeId in) {
      return std::binary_search(broken_.begin(), broken_.end(), Pairs::value_type(std::minmax(out, in)));
    };
    if (!std::all_of(kept.begin(), kept.end(), is_broken)) return false;
  }
  return true;
}

// Where heartbeats get lost, one notices the end of a node long before the others, and until they do it looks as if it
// were the only one to miss it.
void Membership::Split(absl::Time now) {
  const std::set<NodeId> kept = Surviving();
  if (!IsClearCut(kept) && now - broken_since_ < options_.stable_after + UsualDetection()) return;
  if (!kept.contains(self_)) {
    SetState(self_, NodeState::kDown);
    return;
  }
  const auto is_kept = [&](NodeId node, const NodeRecord&) { return kept.contains(node); };
  if (OldestOf(view_, is_kept) != self_) return;
  for (const NodeId node : Members()) {
    if (!kept.contains(node)) SetState(node, NodeState::kDown);
  }
}

bool Membership::MembersAgree() const {
  return std::all_of(view_.begin(), view_.end(), [this](const auto& entry) {
    const auto& [node, record] = entry;
    return !record.IsMember() || node == self_ || (Hears(node) && peers_.at(node).digest == digest_);
  });
}

bool Membership::IsWelcome(NodeId node) const {
  if (!Hears(node)) return false;
  const Peer& joiner = peers_.at(node);
  if (joiner.digest != digest_) return false;
  return std::all_of(view_.begin(), view_.end(), [&](const auto& entry) {
    const auto& [member, record] = entry;
    if (!record.IsMember()) return true;
    const bool heard = member == self_ || !peers_.at(member).Lists(node, joiner.incarnation);
    return heard && !joiner.Lists(member, record.incarnation);
  });
}

// All that is due is done at once: after it nobody agrees until it has got around.
void Membership::Lead() {
  if (!MembersAgree()) return;
  View changed;
  std::uint64_t age = HighestAge();
  for (const auto& [node, record] : view_) {
    if (record.state == NodeState::kJoining && IsWelcome(node)) {
      changed[node] = {.incarnation = record.incarnation, .state = NodeState::kUp, .age = ++age};
    } else if (record.state == NodeState::kDown) {
      changed[node] = {.incarnation = record.incarnation, .state = NodeState::kRemoved, .age = record.age};
    }
  }
  for (const auto& [node, record] : changed) Set(node, record);
}

// ---- what a joining node does

// Those that this node hears and that hear it.
std::set<NodeId> Membership::Company() const {
  std::set<NodeId> company;
  for (const auto& [node, peer] : peers_) {
    if (Hears(node) && !peer.Lists(self_, self().incarnation)) company.insert(node);
  }
  return company;
}

// Nobody with a lower number is heard by any of them: else the first member is that one's to be.
bool Membership::IsFirstOf(const std::set<NodeId>& company) const {
  for (const auto& [node, record] : view_) {
    if (node >= self_) break;
    if (!record.MayBeAlive()) continue;
    const bool heard = Hears(node) || std::any_of(company.begin(), company.end(), [&](NodeId listener) {
                         return !peers_.at(listener).Lists(node, record.incarnation);
                       });
    if (heard) return false;
  }
  return true;
}

void Membership::BeginAnewIfDue(absl::Time now) {
  std::set<NodeId> company = Company();
  if (company != company_ || Leader().has_value()) {
    company_ = std::move(company);
    alone_since_ = now;
  }
  if (now - alone_since_ < 4 * options_.stable_after + UsualDetection()) return;
  const auto agrees = [this](NodeId node) { return peers_.at(node).digest == digest_; };
  const auto known = static_cast<std::size_t>(std::count_if(
      view_.begin(), view_.end(), [](const auto& entry) { return entry.second.state != NodeState::kRemoved; }));
  const bool majority = (company_.size() + 1) * 2 > known;
  if (!majority || !std::all_of(company_.begin(), company_.end(), agrees) || !IsFirstOf(company_)) return;
  // None of them is within reach, but others would still take the oldest of them for the coordinator.
  for (const NodeId node : Members()) SetState(node, NodeState::kDown);
  Set(self_, {.incarnation = self().incarnation, .state = NodeState::kUp, .age = HighestAge() + 1});
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

std::optional<NodeId> Membership::Leader() const {
  return OldestOf(view_,
                  [this](NodeId node, const NodeRecord& record) { return record.IsMember() && IsReachable(node); });
}

std::optional<NodeId> Membership::Coordinator() const {
  return OldestOf(view_, [](NodeId, const NodeRecord& record) { return record.state == NodeState::kUp; });
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
