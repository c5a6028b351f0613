// What a node decides about its cluster: as a member, and while it is joining.
#include <algorithm>
#include <tuple>
#include <utility>

#include "emulator/cluster/membership.h"

namespace cloudstate::cluster {

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
  const NodeId oldest = *OldestOf([](NodeId, const NodeRecord& record) { return record.IsMember(); });
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
  if (OldestOf(is_kept) != self_) return;
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

}  // namespace cloudstate::cluster
