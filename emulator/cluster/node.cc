#include "emulator/cluster/node.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/entities/entity_protocol.h"
#include "emulator/entities/stored_entity.h"

namespace cloudstate::cluster {

class Node::Slot final : public entities::Host {
 public:
  Slot(Node& node, const entities::EntityProtocol& protocol, trace::EntityMetrics& metrics, const base::EntityKey& key,
       std::string service, const entities::Limits& limits)
      : node_(node),
        entity_(protocol, key, std::move(service), {node.strand_, node.journal_, metrics, limits, node.replay_from_},
                *this) {}

  ~Slot() override {
    if (idle_) node_.idle_.erase(place_);
  }

  entities::Entity& entity() { return entity_; }

  void OnStopped() override {
    // A command may come before the task runs and start it again.
    node_.strand_.Post(node_.lifetime_.Guard([&node = node_, key = entity_.key()] { node.Remove(key); }));
  }

  void OnIdle(bool idle) override {
    if (idle == idle_) return;
    idle_ = idle;
    if (!idle) {
      node_.idle_.erase(place_);
      return;
    }
    place_ = node_.idle_.insert(node_.idle_.end(), this);
    if (!node_.pending_.empty()) node_.strand_.Post(node_.lifetime_.Guard([&node = node_] { node.MakeRoom(); }));
  }

  std::shared_ptr<userfunction::Connection> CurrentConnection() override { return node_.connection_; }

  void ReportError(const std::string& text) override { node_.report_error_(text); }

 private:
  Node& node_;
  bool idle_ = false;
  std::list<Slot*>::iterator place_;
  entities::StoredEntity entity_;
};

Node::Node(Options options, base::Strand& strand, journal::Journal& journal,
           absl::AnyInvocable<void(const std::string&)> report_error)
    : options_(std::move(options)), strand_(strand), journal_(journal), report_error_(std::move(report_error)) {}

Node::~Node() = default;

void Node::Connect(std::shared_ptr<userfunction::Connection> connection, entities::ReplayFrom replay_from) {
  connection_ = std::move(connection);
  replay_from_ = replay_from;
  StartPending();
}

void Node::Disconnect(const absl::Status& reason) {
  connection_ = nullptr;
  for (Pending& each : std::exchange(pending_, {})) each.command.done(reason);
  std::vector<Slot*> slots;
  for (auto& [key, slot] : active_) slots.push_back(slot.get());
  for (Slot* slot : slots) slot->entity().Abort(reason);
}

void Node::Deliver(const userfunction::ServiceSpec& service, const std::string& entity_id, entities::Command command) {
  if (connection_ == nullptr) {
    command.done(absl::UnavailableError("the user function has gone"));
    return;
  }
  base::EntityKey key{service.persistence_id, entity_id};
  auto found = active_.find(key);
  if (found != active_.end()) {
    found->second->entity().Deliver(std::move(command));
    return;
  }
  Pending pending{service.kind, std::move(key), service.name,
                  service.passivation_timeout.value_or(options_.limits.passivation_timeout), std::move(command)};
  const bool full = options_.max_active_entities > 0 && active_.size() >= options_.max_active_entities;
  if (!full && pending_.empty()) {
    Activate(std::move(pending));
    return;
  }
  if (pending_.size() >= options_.max_waiting_for_room) {
    pending.command.done(absl::ResourceExhaustedError(
        absl::StrCat("all ", options_.max_active_entities, " entities that --max-active-entities allows are busy, and ",
                     pending_.size(), " commands wait for others already")));
    return;
  }
  pending_.push_back(std::move(pending));
  MakeRoom();
}

void Node::Activate(Pending pending) {
  entities::Limits limits = options_.limits;
  limits.passivation_timeout = pending.passivation_timeout;
  const bool value_entity = pending.kind == userfunction::EntityKind::kValueEntity;
  const auto& protocol = value_entity ? entities::ValueEntity() : entities::EventSourced();
  auto& metrics = value_entity ? metrics_.value_entities : metrics_.event_sourced;
  auto slot = std::make_unique<Slot>(*this, protocol, metrics[pending.key.persistence_id], pending.key,
                                     std::move(pending.service), limits);
  entities::Entity& entity = slot->entity();
  active_.emplace(std::move(pending.key), std::move(slot));
  entity.Deliver(std::move(pending.command));
}

// Its place is free when its stream has ended.
void Node::MakeRoom() {
  if (!pending_.empty() && !idle_.empty()) idle_.front()->entity().Passivate();
}

void Node::Remove(const base::EntityKey& key) {
  auto found = active_.find(key);
  if (found == active_.end() || !found->second->entity().stopped()) return;
  active_.erase(found);
  StartPending();
}

void Node::StartPending() {
  while (!pending_.empty() && connection_ != nullptr) {
    auto active = active_.find(pending_.front().key);
    if (active == active_.end() && active_.size() >= options_.max_active_entities) return;
    Pending next = std::move(pending_.front());
    pending_.pop_front();
    if (active != active_.end()) {
      active->second->entity().Deliver(std::move(next.command));
    } else {
      Activate(std::move(next));
    }
  }
}

std::size_t Node::waiting_commands() const {
  std::size_t waiting = pending_.size();
  for (const auto& [key, slot] : active_) waiting += slot->entity().waiting();
  return waiting;
}

}  // namespace cloudstate::cluster
