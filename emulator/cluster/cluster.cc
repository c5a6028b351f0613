#include "emulator/cluster/cluster.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/on_strand.h"

namespace cloudstate::cluster {

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
  TakeOverReplicas(nodes);
  View view;
  for (std::uint32_t i = 1; i <= nodes; ++i) {
    view[NodeId{i}] = {.incarnation = FormerLife(NodeId{i}) + 1, .state = NodeState::kUp, .age = i};
  }
  for (const auto& [id, record] : view) Make(id);
  for (const auto& [id, node] : nodes_) node->Start(view);
}

void Cluster::EndAll() {
  Steered("the emulator is reset");
  EndLives();
}

void Cluster::EndLives() {
  network_.Heal();
  network_.SetDefault({});
  for (const auto& [id, node] : nodes_) {
    ForgetPause(id);
    node->strand().SetSkew(absl::ZeroDuration());
    node->KillForReset();
  }
  network_.Forget();
}

void Cluster::StartOver(std::size_t nodes, const CrdtStates& known) {
  EndLives();
  View view;
  for (std::uint32_t i = 1; i <= nodes; ++i) {
    view[NodeId{i}] = {.incarnation = nodes_.at(NodeId{i})->incarnation() + 1, .state = NodeState::kUp, .age = i};
  }
  for (const auto& [id, node] : nodes_) {
    if (!view.contains(id)) {
      node->PutAside();
      continue;
    }
    node->Start(view);
    node->Know(known);
  }
}

void Cluster::StartEmpty(std::size_t nodes) {
  TakeOverReplicas(nodes);
  for (std::uint32_t i = 1; i <= nodes; ++i) Make(NodeId{i});
}

absl::Status Cluster::MakeUpTo(NodeId node) {
  const auto number = static_cast<std::uint32_t>(node);
  if (number > kMostNodes) return absl::ResourceExhaustedError(absl::StrCat("there can be ", kMostNodes, " nodes"));
  while (nodes_.size() < number) Make(NodeId{static_cast<std::uint32_t>(nodes_.size()) + 1});
  return absl::OkStatus();
}

void Cluster::TakeOverReplicas(std::size_t nodes) {
  if (replicas_ == nullptr) return;
  replicas_->Inherit(
      static_cast<std::uint32_t>(nodes), base::OnStrand(strand_, lifetime_, [this](const absl::Status& status) {
        if (status.ok()) return;
        report_error_(absl::StrCat("what nodes that are no longer there knew of CRDT entities is not taken over: ",
                                   status.message()));
      }));
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

// A process that starts knows whom to ask, and nothing of them. Who has left or never lived is not asked, and not
// waited for.
View Cluster::KnownView(NodeId self) const {
  View view;
  for (const auto& [id, node] : nodes_) {
    const bool has_lived = node->incarnation() > FormerLife(id);
    if (id != self && has_lived && node->state() != StateName(NodeState::kRemoved))
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

void Cluster::Connect(NodeId node, std::shared_ptr<userfunction::Connection> connection,
                      std::shared_ptr<const userfunction::Specification> specification,
                      entities::ReplayFrom replay_from) {
  replay_from_ = replay_from;
  nodes_.at(node)->Connect(std::move(connection), std::move(specification), replay_from);
}

void Cluster::Disconnect(NodeId node, const absl::Status& reason) { nodes_.at(node)->Disconnect(reason); }

std::shared_ptr<userfunction::Connection> Cluster::connection() const {
  if (connection_ != nullptr) return connection_;
  const auto has_own = [](const auto& each) { return each.second->user_function() != nullptr; };
  const auto found = std::ranges::find_if(nodes_, has_own);
  return found == nodes_.end() ? nullptr : found->second->user_function();
}

// All nodes are told: one that has lost the entity's shard may not know that yet.
void Cluster::Delete(const base::EntityKey& key, absl::AnyInvocable<void(absl::StatusOr<journal::Deleted>)> done) {
  journal_.Delete(key,
                  base::OnStrand(strand_, lifetime_,
                                 [this, key, done = std::move(done)](absl::StatusOr<journal::Deleted> answer) mutable {
                                   if (answer.ok()) {
                                     for (const auto& [id, node] : nodes_) node->Forget(key);
                                   }
                                   done(std::move(answer));
                                 }));
}

std::size_t Cluster::Evict(const std::optional<base::EntityKey>& key) {
  std::size_t evicted = 0;
  for (const auto& [id, node] : nodes_) evicted += node->Evict(key);
  return evicted;
}

// ---- what there is

Node* Cluster::Find(NodeId node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? nullptr : found->second.get();
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

CrdtStates Cluster::KnownCrdts() const {
  CrdtStates known;
  for (const auto& [id, node] : nodes_) {
    if (node->replicas() == nullptr) continue;
    for (const base::EntityKey& key : node->replicas()->Keys()) known[key].Join(*node->replicas()->Find(key));
  }
  return known;
}

absl::Status Cluster::CheckKnownCrdtsAreAll() const {
  if (replicas_ == nullptr) return absl::OkStatus();
  for (const auto& [id, node] : nodes_) {
    const Replicas* replicas = node->replicas();
    if (replicas != nullptr && replicas->is_open()) continue;
    if (node->is_alive()) {
      return absl::UnavailableError(absl::StrCat("node ", node->name(), " is ", node->state(),
                                                 " and has not read yet what it knows of CRDT entities",
                                                 node->strand().paused() ? "; resume it" : ""));
    }
    const bool has_lived = node->incarnation() > FormerLife(id);
    if (!has_lived || node->state() == StateName(NodeState::kRemoved)) continue;
    return absl::FailedPreconditionError(absl::StrCat("Node ", node->name(), " is ", node->state(),
                                                      ", and what it alone knows of CRDT entities would be left out: "
                                                      "start it again first."));
  }
  return absl::OkStatus();
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

}  // namespace cloudstate::cluster
