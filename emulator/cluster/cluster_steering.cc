// What people and tests do to a cluster.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/cluster/cluster.h"

namespace cloudstate::cluster {
namespace {

std::string Name(NodeId node) { return absl::StrCat("node ", ToString(node)); }

}  // namespace

// ---- nodes

absl::StatusOr<NodeId> Cluster::AddNode() {
  const auto aside = std::ranges::find_if(nodes_, [](const auto& each) { return each.second->is_put_aside(); });
  const bool is_new = aside == nodes_.end();
  if (is_new && nodes_.size() >= kMostNodes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there are ", nodes_.size(), " nodes, and cannot be more; start one that was stopped"));
  }
  const auto last = nodes_.empty() ? 0U : static_cast<std::uint32_t>(nodes_.rbegin()->first);
  const NodeId id = is_new ? NodeId{last + 1} : aside->first;
  Steered(absl::StrCat(Name(id), " is added"));
  Node& node = is_new ? Make(id) : *aside->second;
  node.Start(KnownView(id));
  return id;
}

absl::StatusOr<std::string> Cluster::Drain(NodeId node) {
  absl::StatusOr<Node*> found = FindAlive(node);
  if (!found.ok()) return found.status();
  if ((*found)->state() == StateName(NodeState::kJoining)) {
    std::string text = Steered(absl::StrCat(Name(node), " has not joined yet, and goes"));
    (*found)->Leave();
    return text;
  }
  if (found = FindUp(node); !found.ok()) return found.status();
  const auto up = std::ranges::count_if(nodes_, [](const auto& each) { return each.second->state() == "up"; });
  if (up == 1) {
    return absl::FailedPreconditionError(
        absl::StrCat(Name(node), " is the only one that is up: add or start another one first"));
  }
  std::string text = Steered(absl::StrCat(Name(node), " gives its shards away, finishes its calls and leaves"));
  (*found)->Leave();
  return text;
}

absl::StatusOr<std::string> Cluster::DrainLast(NodeId node) {
  absl::StatusOr<Node*> found = FindAlive(node);
  if (!found.ok()) return found.status();
  const bool leaves_already = (*found)->is_leaving();
  if (!leaves_already) found = FindUp(node);
  if (!found.ok()) return found.status();
  if (const Node* other = FindOther(node)) {
    return absl::FailedPreconditionError(absl::StrCat(Name(node), " is not the last one, since node ", other->name(),
                                                      " is ", other->state(), ": drain it like any other, or wait"));
  }
  for (const auto& [id, record] : (*found)->membership()->view()) {
    if (id == node || !record.IsMember()) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(Name(node), " has not noticed yet that ", Name(id), " has gone: try again in a moment"));
  }
  // One that leaves is given no more of them.
  if (!leaves_already && (*found)->owned_shards().size() < kShards) {
    return absl::FailedPreconditionError(
        absl::StrCat(Name(node), " has not taken over all shards yet: try again in a moment"));
  }
  std::string text = Steered(absl::StrCat(Name(node), ", the last one, finishes its calls and leaves"));
  (*found)->LeaveLast();
  return text;
}

absl::StatusOr<std::string> Cluster::StartAlone(NodeId node) {
  absl::StatusOr<Node*> found = FindStopped(node);
  if (!found.ok()) return found.status();
  if (const Node* other = FindOther(node)) {
    return absl::FailedPreconditionError(absl::StrCat(Name(node), " would not be alone, since node ", other->name(),
                                                      " is ", other->state(), ": start it to join the others"));
  }
  std::string text = Steered(absl::StrCat(Name(node), " is started as the only one"));
  (*found)->Start({{node, {.incarnation = (*found)->incarnation() + 1, .state = NodeState::kUp, .age = 1}}});
  return text;
}

absl::StatusOr<std::string> Cluster::Kill(NodeId node) {
  absl::StatusOr<Node*> found = FindAlive(node);
  if (!found.ok()) return found.status();
  ForgetPause(node);
  std::string text = Steered(absl::StrCat(Name(node), " is killed"));
  (*found)->Kill();
  return text;
}

absl::StatusOr<std::string> Cluster::StartAgain(NodeId node) {
  absl::StatusOr<Node*> found = FindStopped(node);
  if (!found.ok()) return found.status();
  std::string text = Steered(absl::StrCat(Name(node), " is started again"));
  (*found)->Start(KnownView(node));
  return text;
}

absl::StatusOr<std::string> Cluster::Pause(NodeId node, std::optional<absl::Duration> time) {
  if (time.has_value() && *time <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("A pause takes some time, or lasts until the node is resumed.");
  }
  absl::StatusOr<Node*> found = FindAlive(node);
  if (!found.ok()) return found.status();
  ForgetPause(node);
  (*found)->Pause();
  if (!time.has_value()) return Steered(absl::StrCat(Name(node), " is paused until it is resumed"));
  pauses_[node] = strand_.After(*time, lifetime_.Guard([this, node] { Resume(node).IgnoreError(); }));
  return Steered(absl::StrCat(Name(node), " is paused for ", absl::FormatDuration(*time)));
}

absl::StatusOr<std::string> Cluster::Resume(NodeId node) {
  absl::StatusOr<Node*> found = FindAlive(node);
  if (!found.ok()) return found.status();
  ForgetPause(node);
  if (!(*found)->strand().paused()) return absl::FailedPreconditionError(absl::StrCat(Name(node), " is not paused"));
  std::string text = Steered(absl::StrCat(Name(node), " goes on"));
  (*found)->Resume();
  return text;
}

void Cluster::ForgetPause(NodeId node) {
  auto pause = pauses_.extract(node);
  if (!pause.empty()) strand_.Cancel(pause.mapped());
}

absl::StatusOr<std::string> Cluster::Skew(NodeId node, absl::Duration by) {
  absl::StatusOr<Node*> found = FindOrFail(node);
  if (!found.ok()) return found.status();
  (*found)->strand().SetSkew(by);
  if (by == absl::ZeroDuration()) return Steered(absl::StrCat(Name(node), " has the right time"));
  return Steered(absl::StrCat(Name(node), "'s clock is ", absl::FormatDuration(absl::AbsDuration(by)),
                              by < absl::ZeroDuration() ? " late" : " early"));
}

absl::StatusOr<std::string> Cluster::CrashAll() {
  std::string text = Steered("all nodes crash and start again");
  for (const auto& [id, node] : nodes_) {
    ForgetPause(id);
    if (node->membership() == nullptr) continue;
    node->Kill();
    node->Start(KnownView(id));
  }
  return text;
}

// ---- network and shards

absl::StatusOr<std::string> Cluster::Partition(const std::vector<std::vector<NodeId>>& groups) {
  std::vector<std::set<NodeId>> sets;
  std::set<NodeId> seen;
  std::vector<std::string> names;
  for (const std::vector<NodeId>& group : groups) {
    for (const NodeId node : group) {
      if (absl::StatusOr<Node*> found = FindOrFail(node); !found.ok()) return found.status();
      if (!seen.insert(node).second) {
        return absl::InvalidArgumentError(absl::StrCat(Name(node), " can be in one group only"));
      }
    }
    sets.emplace_back(group.begin(), group.end());
    names.push_back(
        absl::StrJoin(sets.back(), ",", [](std::string* out, NodeId node) { absl::StrAppend(out, ToString(node)); }));
  }
  network_.Partition(std::move(sets));
  return Steered(absl::StrCat("the network is parted: ", absl::StrJoin(names, " | "),
                              seen.size() < nodes_.size() ? " | the others" : ""));
}

absl::StatusOr<std::string> Cluster::Cut(NodeId from, NodeId to) {
  for (const NodeId node : {from, to}) {
    if (absl::StatusOr<Node*> found = FindOrFail(node); !found.ok()) return found.status();
  }
  if (from == to) return absl::InvalidArgumentError("a link goes from one node to another");
  network_.Cut(from, to);
  return Steered(absl::StrCat("nothing gets from ", Name(from), " to ", Name(to)));
}

absl::StatusOr<std::string> Cluster::SetLink(NodeId from, NodeId to, Ways ways, const LinkSettings& settings) {
  if (from == NodeId::kNone && to == NodeId::kNone) {
    network_.SetDefault(settings);
    return Steered("all links are changed that have no settings of their own");
  }
  for (const NodeId node : {from, to}) {
    if (node == NodeId::kNone) continue;
    if (absl::StatusOr<Node*> found = FindOrFail(node); !found.ok()) return found.status();
  }
  if (from == to) return absl::InvalidArgumentError("a link goes from one node to another");
  for (const auto& [a, unused_a] : nodes_) {
    for (const auto& [b, unused_b] : nodes_) {
      if (a == b || (from != NodeId::kNone && a != from) || (to != NodeId::kNone && b != to)) continue;
      network_.Set(a, b, settings);
      if (ways == Ways::kBoth) network_.Set(b, a, settings);
    }
  }
  const auto name = [](NodeId node) { return node == NodeId::kNone ? "every node" : Name(node); };
  return Steered(absl::StrCat("the link from ", name(from), " to ", name(to), ways == Ways::kBoth ? " and back" : "",
                              " is changed"));
}

absl::StatusOr<std::string> Cluster::Heal() {
  network_.Heal();
  return Steered("the network is healed");
}

absl::StatusOr<std::string> Cluster::MoveShard(std::uint32_t shard, NodeId to) {
  if (shard >= kShards) {
    return absl::InvalidArgumentError(absl::StrCat("there are shards 0 to ", kShards - 1, ", and no ", shard));
  }
  if (absl::StatusOr<Node*> found = FindOrFail(to); !found.ok()) return found.status();
  Node* coordinator = Coordinator();
  if (coordinator != nullptr && coordinator->strand().paused()) {
    return absl::FailedPreconditionError(
        absl::StrCat("node ", coordinator->name(), ", which moves shards, is paused; resume it first"));
  }
  if (coordinator == nullptr) return absl::FailedPreconditionError("no node is up that could move a shard; try again");
  if (absl::Status status = coordinator->MoveShard(ShardId{shard}, to); !status.ok()) return status;
  return Steered(absl::StrCat("shard ", shard, " is to move to ", Name(to)));
}

// ---- which one is meant

absl::StatusOr<Node*> Cluster::FindOrFail(NodeId node) const {
  if (Node* found = Find(node)) return found;
  return absl::NotFoundError(
      absl::StrCat("there is no ", Name(node), "; ",
                   nodes_.size() == 1 ? "there is node 1 only" : absl::StrCat("there are nodes 1 to ", nodes_.size())));
}

absl::StatusOr<Node*> Cluster::FindAlive(NodeId node) const {
  absl::StatusOr<Node*> found = FindOrFail(node);
  if (found.ok() && (*found)->membership() == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(Name(node), " is ", (*found)->state(), ", and does not run"));
  }
  return found;
}

absl::StatusOr<Node*> Cluster::FindUp(NodeId node) const {
  absl::StatusOr<Node*> found = FindAlive(node);
  if (found.ok() && (*found)->state() != StateName(NodeState::kUp)) {
    return absl::FailedPreconditionError(
        absl::StrCat(Name(node), " is ", (*found)->state(), ": only one that is up can be drained"));
  }
  return found;
}

absl::StatusOr<Node*> Cluster::FindStopped(NodeId node) const {
  absl::StatusOr<Node*> found = FindOrFail(node);
  if (found.ok() && (*found)->membership() != nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(Name(node), " runs already; it is ", (*found)->state()));
  }
  return found;
}

const Node* Cluster::FindOther(NodeId node) const {
  const auto found =
      std::ranges::find_if(nodes_, [node](const auto& each) { return each.first != node && each.second->is_alive(); });
  return found == nodes_.end() ? nullptr : found->second.get();
}

std::string Cluster::Steered(std::string text) {
  events_.Add({strand_.WallTime(), NodeId::kNone, "steered", text});
  return text;
}

}  // namespace cloudstate::cluster
