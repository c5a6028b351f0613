#include "emulator/cluster/cluster.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace cloudstate::cluster {
namespace {

std::string Name(NodeId node) { return absl::StrCat("node ", ToString(node)); }

}  // namespace

Cluster::Cluster(const Node::Options& options, base::Strand& strand, base::Random& random, journal::Journal& journal,
                 std::function<void(const std::string&)> report_error, journal::ReplicaStore* replicas)
    : options_(options),
      strand_(strand),
      journal_(journal),
      replicas_(replicas),
      report_error_(std::move(report_error)),
      network_(strand, random) {}

Cluster::~Cluster() = default;

void Cluster::Start(std::size_t nodes) {
  if (replicas_ != nullptr) {
    auto failed = lifetime_.Guard([this](const absl::Status& status) {
      report_error_(absl::StrCat("what nodes that are no longer there knew of CRDT entities is not taken over: ",
                                 status.message()));
    });
    replicas_->Inherit(static_cast<std::uint32_t>(nodes),
                       [&strand = strand_, failed = std::move(failed)](const absl::Status& status) mutable {
                         if (!status.ok())
                           strand.Post([failed = std::move(failed), status]() mutable { failed(status); });
                       });
  }
  View view;
  for (std::uint32_t i = 1; i <= nodes; ++i) {
    view[NodeId{i}] = {.incarnation = FormerLife(NodeId{i}) + 1, .state = NodeState::kUp, .age = i};
  }
  for (const auto& [id, record] : view) Make(id);
  for (const auto& [id, node] : nodes_) node->Start(view);
}

void Cluster::EndOpenCrdtCalls() {
  for (const auto& [id, node] : nodes_) node->EndOpenCrdtCalls();
}

void Cluster::SaveReplicas() {
  for (const auto& [id, node] : nodes_) node->SaveReplicas();
}

void Cluster::Stop() {
  for (const auto& [id, node] : nodes_) node->Kill();
}

Node& Cluster::Make(NodeId id) {
  auto& node = nodes_[id];
  node = std::make_unique<Node>(
      id, FormerLife(id), options_,
      Node::Surroundings{strand_, network_, journal_, replicas_, events_, replica_events_, report_error_});
  if (connection_ != nullptr) node->Connect(connection_, specification_, replay_from_);
  if (added_) added_(*node);
  return *node;
}

std::uint64_t Cluster::FormerLife(NodeId id) const {
  if (replicas_ == nullptr) return 0;
  const auto& lives = replicas_->FormerLives();
  const auto found = lives.find(static_cast<std::uint32_t>(id));
  return found == lives.end() ? 0 : found->second;
}

// A process that starts knows whom to ask, and nothing of them. Who has left is not asked, and not waited for.
View Cluster::KnownView(NodeId self) const {
  View view;
  for (const auto& [id, node] : nodes_) {
    if (id != self && node->state() != StateName(NodeState::kRemoved))
      view[id] = {.incarnation = 0, .state = NodeState::kJoining, .age = 0};
  }
  return view;
}

void Cluster::Connect(std::shared_ptr<userfunction::Connection> connection,
                      std::shared_ptr<const userfunction::Specification> specification,
                      entities::ReplayFrom replay_from) {
  connection_ = std::move(connection);
  specification_ = std::move(specification);
  replay_from_ = replay_from;
  for (const auto& [id, node] : nodes_) node->Connect(connection_, specification_, replay_from_);
}

void Cluster::Disconnect(const absl::Status& reason) {
  connection_ = nullptr;
  for (const auto& [id, node] : nodes_) node->Disconnect(reason);
}

// All nodes are told: one that has lost the entity's shard may not know that yet.
void Cluster::Delete(const base::EntityKey& key, absl::AnyInvocable<void(absl::StatusOr<journal::Deleted>)> done) {
  auto deleted = lifetime_.Guard([this, key, done = std::move(done)](absl::StatusOr<journal::Deleted>& answer) mutable {
    if (answer.ok()) {
      for (const auto& [id, node] : nodes_) node->Forget(key);
    }
    done(std::move(answer));
  });
  journal_.Delete(
      key, [&strand = strand_, deleted = std::move(deleted)](absl::StatusOr<journal::Deleted> answer) mutable {
        strand.Post([deleted = std::move(deleted), answer = std::move(answer)]() mutable { deleted(answer); });
      });
}

// ---- steering: nodes

absl::StatusOr<NodeId> Cluster::AddNode() {
  if (nodes_.size() >= kMostNodes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there are ", nodes_.size(), " nodes, and cannot be more; start one that was stopped"));
  }
  const auto last = nodes_.empty() ? 0U : static_cast<std::uint32_t>(nodes_.rbegin()->first);
  const NodeId id{last + 1};
  Steered(absl::StrCat(Name(id), " is added"));
  Make(id).Start(KnownView(id));
  return id;
}

absl::StatusOr<std::string> Cluster::Drain(NodeId node) {
  absl::StatusOr<Node*> found = FindAlive(node);
  if (!found.ok()) return found.status();
  if ((*found)->state() != StateName(NodeState::kUp)) {
    return absl::FailedPreconditionError(
        absl::StrCat(Name(node), " is ", (*found)->state(), ": only one that is up can be drained"));
  }
  const auto up = std::ranges::count_if(nodes_, [](const auto& each) { return each.second->state() == "up"; });
  if (up == 1) {
    return absl::FailedPreconditionError(
        absl::StrCat(Name(node), " is the only one that is up: add or start another one first"));
  }
  std::string text = Steered(absl::StrCat(Name(node), " gives its shards away, finishes its calls and leaves"));
  (*found)->Leave();
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
  absl::StatusOr<Node*> found = FindOrFail(node);
  if (!found.ok()) return found.status();
  if ((*found)->membership() != nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(Name(node), " runs already; it is ", (*found)->state()));
  }
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

// ---- steering: network and shards

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

// ---- what there is

Node* Cluster::Find(NodeId node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? nullptr : found->second.get();
}

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

Node* Cluster::Coordinator() const {
  Node* best = nullptr;
  std::ptrdiff_t most = -1;
  for (const auto& [id, node] : nodes_) {
    if (!node->is_coordinator()) continue;
    const Membership& membership = *node->membership();
    const std::ptrdiff_t reached = std::ranges::count_if(membership.view(), [&](const auto& each) {
      return each.second.IsMember() && membership.IsReachable(each.first);
    });
    if (reached > most) {
      best = node.get();
      most = reached;
    }
  }
  return best;
}

bool Cluster::Converged() const {
  const Node* first = nullptr;
  for (const auto& [id, node] : nodes_) {
    if (node->state() == "down") return false;  // about to begin again
    if (node->membership() == nullptr) continue;
    if (node->strand().paused() || node->membership()->self().state != NodeState::kUp) return false;
    if (first == nullptr) first = node.get();
    if (node->membership()->Digest() != first->membership()->Digest()) return false;
    if (node->shards()->Digest() != first->shards()->Digest()) return false;
  }
  if (first == nullptr || !IsSettled(*first)) return false;
  return std::ranges::all_of(nodes_, [first](const auto& each) {
    const Replicas* replicas = each.second->replicas();
    return replicas == nullptr || replicas->Digest() == first->replicas()->Digest();
  });
}

// Its sight agrees with what there is.
bool Cluster::IsSettled(const Node& node) const {
  for (const auto& [id, record] : node.membership()->view()) {
    const Node* member = Find(id);
    if (record.IsMember() && (member->membership() == nullptr || member->incarnation() != record.incarnation)) {
      return false;
    }
    if (record.IsMember() && !node.membership()->IsReachable(id)) return false;
  }
  for (std::uint32_t i = 0; i < kShards; ++i) {
    const ShardHome& home = node.shards()->at(ShardId{i});
    const Node* owner = Find(home.owner);
    if (home.phase != ShardPhase::kOwned || owner == nullptr || owner->membership() == nullptr ||
        owner->incarnation() != home.incarnation) {
      return false;
    }
  }
  return true;
}

std::string Cluster::Steered(std::string text) {
  events_.Add({strand_.WallTime(), NodeId::kNone, "steered", text});
  return text;
}

}  // namespace cloudstate::cluster
