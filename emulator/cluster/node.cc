#include "emulator/cluster/node.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/planted_bug.h"
#include "emulator/cluster/node_life.h"

namespace cloudstate::cluster {
namespace {

// What stands for the time that a process needs to start again.
constexpr absl::Duration kRestart = absl::Seconds(1);

absl::Status Unknown(const absl::Status& reason) {
  return absl::UnavailableError(
      absl::StrCat(reason.message(), "; whether what was under way had its effect is not known"));
}

}  // namespace

Node::Node(NodeId id, std::uint64_t former_life, const Options& options, const Surroundings& surroundings)
    : id_(id),
      name_(ToString(id)),
      options_(options),
      surroundings_(surroundings),
      strand_(surroundings.strand),
      availability_(absl::UnavailableError(absl::StrCat("node ", name_, " has not been started"))),
      state_since_(surroundings.strand.WallTime()),
      incarnation_(former_life) {}

Node::~Node() = default;

// ---- lives

void Node::Start(View view) {
  restart_.Renew();
  ended_as_ = "stopped";
  put_aside_ = false;
  const auto known = view.find(id_);
  incarnation_ = known == view.end() ? incarnation_ + 1 : known->second.incarnation;
  life_ = nullptr;  // two lives would attach to the network and detach from it in the wrong order
  life_ = std::make_unique<NodeLife>(*this, incarnation_, std::move(view));
}

void Node::Kill() {
  restart_.Renew();
  const absl::Status killed = absl::UnavailableError(absl::StrCat("node ", name_, " was killed"));
  EndLife("stopped", killed, Unknown(killed));
}

void Node::KillForReset() {
  restart_.Renew();
  EndLife("stopped", absl::UnavailableError("the emulator is being reset; try again"),
          absl::UnavailableError("the emulator was reset meanwhile, and nothing is left of what was under way"));
}

void Node::PutAside() {
  ended_as_ = "removed";
  put_aside_ = true;
  SetAvailability(absl::UnavailableError(
      absl::StrCat("node ", name_, " was not there at the start and went with a reset; add a node to have it again")));
}

void Node::Leave() {
  strand_.Run(restart_.Guard([this] {
    if (life_ != nullptr) life_->Leave();
  }));
}

void Node::LeaveLast() {
  strand_.Run(restart_.Guard([this] {
    if (life_ != nullptr) life_->LeaveLast();
  }));
}

void Node::EndOpenCrdtCalls() {
  strand_.Run(restart_.Guard([this] {
    if (life_ != nullptr) life_->EndOpenCrdtCalls();
  }));
}

void Node::Forget(const base::EntityKey& key) {
  strand_.Run(restart_.Guard([this, key] {
    if (life_ != nullptr) life_->Forget(key);
  }));
}

std::size_t Node::Evict(const std::optional<base::EntityKey>& key) {
  if (life_ == nullptr) return 0;
  const std::size_t evicted = life_->entities().streams(key) + life_->crdts().streams(key);
  strand_.Run(restart_.Guard([this, key] {
    if (life_ != nullptr) life_->Evict(key);
  }));
  return evicted;
}

void Node::Know(const CrdtStates& states) {
  for (const auto& [key, state] : states) life_->Know(key, state);
}

void Node::SaveReplicas() {
  if (life_ != nullptr) life_->SaveReplicas();
}

void Node::EndLife(absl::string_view ended_as, const absl::Status& reason, const absl::Status& outcome) {
  ended_as_ = ended_as;
  SetAvailability(reason);
  if (watcher_.ending) watcher_.ending(outcome);
  ended_replication_ = replication();
  life_ = nullptr;
  strand_.Clear();
}

void Node::OnState(NodeState state) {
  switch (state) {
    case NodeState::kUp:
      SetAvailability(absl::OkStatus());
      return;
    case NodeState::kJoining:
      SetAvailability(absl::UnavailableError(absl::StrCat("node ", name_, " is joining the cluster")));
      return;
    case NodeState::kLeaving:
      SetAvailability(absl::UnavailableError(absl::StrCat("node ", name_, " is leaving the cluster")));
      return;
    case NodeState::kDown:
      SetAvailability(absl::UnavailableError(
          absl::StrCat("node ", name_, " was cut off from the majority of the cluster, and is down")));
      break;
    case NodeState::kRemoved:
      SetAvailability(absl::UnavailableError(absl::StrCat("node ", name_, " has left the cluster")));
      break;
  }
  // Not from within the life that ends. It may be killed before.
  surroundings_.strand.Post(restart_.Guard([this, state] {
    const bool down = state == NodeState::kDown;
    life_->SaveReplicas();  // it ends in order: what only it has is not lost
    View view = life_->membership().ForNextLife();
    incarnation_ = life_->membership().self().incarnation;  // others may know of a later one than this was
    const absl::Status reason = availability_;
    EndLife(down ? "down" : "removed", reason, Unknown(reason));
    if (!down || IsPlanted(base::PlantedBug::kNoRejoin)) return;
    surroundings_.strand.After(kRestart, restart_.Guard([this, view = std::move(view)] { Start(view); }));
  }));
}

void Node::SetAvailability(absl::Status availability) {
  availability_ = std::move(availability);
  state_since_ = surroundings_.strand.WallTime();
  if (watcher_.availability_changed) watcher_.availability_changed();
}

// ---- the user function

void Node::Connect(std::shared_ptr<userfunction::Connection> connection,
                   std::shared_ptr<const userfunction::Specification> specification, entities::ReplayFrom replay_from) {
  user_function_ = std::move(connection);
  specification_ = std::move(specification);
  replay_from_ = replay_from;
  if (life_ != nullptr) life_->Connect();
}

void Node::Disconnect(const absl::Status& reason) {
  user_function_ = nullptr;
  if (life_ != nullptr) life_->Disconnect(reason);
}

// ---- calls

void Node::Deliver(std::string entity_id, entities::Command command) {
  if (life_ == nullptr) {
    command.done(availability_);
  } else if (user_function_ == nullptr) {
    command.done(absl::UnavailableError("the user function has gone"));
  } else {
    life_->Deliver(std::move(entity_id), std::move(command));
  }
}

void Node::DeliverCrdt(const std::string& entity_id, std::shared_ptr<entities::CrdtCommand> command) {
  if (life_ == nullptr) {
    command->ended(availability_);
  } else if (user_function_ == nullptr) {
    command->ended(absl::UnavailableError("the user function has gone"));
  } else {
    life_->DeliverCrdt(entity_id, std::move(command));
  }
}

void Node::CancelCrdt(const std::string& entity_id, const std::shared_ptr<entities::CrdtCommand>& command) {
  if (life_ != nullptr) life_->CancelCrdt(entity_id, command);
}

std::shared_ptr<userfunction::Connection> Node::connection() const {
  return life_ == nullptr ? nullptr : life_->connection();
}

// ---- what people see

absl::string_view Node::state() const {
  return life_ == nullptr ? ended_as_ : StateName(life_->membership().self().state);
}

std::size_t Node::active_entities() const {
  return life_ == nullptr ? 0 : life_->entities().active_entities() + life_->crdts().active_entities();
}

std::size_t Node::active_entities(ShardId shard) const {
  return life_ == nullptr ? 0 : life_->entities().active_entities(shard);
}

std::size_t Node::waiting_commands() const {
  return life_ == nullptr
             ? 0
             : life_->entities().waiting_commands() + life_->crdts().waiting_commands() + life_->buffered_commands();
}

bool Node::is_busy() const {
  return open_calls() > 0 || waiting_commands() > 0 || load_.user_function.open() > 0 || load_.journal.open() > 0 ||
         (life_ != nullptr && life_->IsBusy());
}

const Membership* Node::membership() const { return life_ == nullptr ? nullptr : &life_->membership(); }

const ShardTable* Node::shards() const { return life_ == nullptr ? nullptr : &life_->shards(); }

const Replicas* Node::replicas() const { return life_ == nullptr ? nullptr : &life_->replicas(); }

bool Node::is_active_crdt(const base::EntityKey& key) const {
  return life_ != nullptr && life_->crdts().is_active(key);
}

ReplicationFigures Node::replication() const {
  ReplicationFigures figures = ended_replication_;
  if (life_ != nullptr) figures += life_->replicas().figures();
  return figures;
}

std::size_t Node::unacknowledged(NodeId peer) const { return life_ == nullptr ? 0 : life_->unacknowledged(peer); }

bool Node::is_coordinator() const { return life_ != nullptr && life_->IsCoordinator(); }

std::vector<ShardId> Node::owned_shards() const {
  return life_ == nullptr ? std::vector<ShardId>() : life_->OwnedShards();
}

bool Node::is_leaving() const { return life_ != nullptr && life_->membership().self().state == NodeState::kLeaving; }

absl::Status Node::MoveShard(ShardId shard, NodeId to) {
  return life_ == nullptr ? availability_ : life_->MoveShard(shard, to);
}

}  // namespace cloudstate::cluster
