#include "emulator/cluster/active_crdts.h"

#include <algorithm>
#include <utility>

namespace cloudstate::cluster {

class ActiveCrdts::Slot final : public entities::CrdtHost {
 public:
  Slot(ActiveCrdts& owner, const base::EntityKey& key, std::string service, const entities::Limits& limits)
      : owner_(owner),
        entity_(key, std::move(service),
                {owner.strand_, owner.replicas_.Of(key), owner.metrics_[key.persistence_id], owner.load_, limits,
                 owner.dialect_},
                *this) {}

  ~Slot() override {
    if (idle_) owner_.idle_.erase(place_);
  }

  entities::CrdtEntity& entity() { return entity_; }
  const entities::CrdtEntity& entity() const { return entity_; }

  void OnStopped() override {
    // A command may come before the task runs and start it again.
    owner_.strand_.Post(owner_.lifetime_.Guard([&owner = owner_, key = entity_.key()] { owner.Remove(key); }));
  }

  void OnIdle(bool idle) override {
    if (idle == idle_) return;
    idle_ = idle;
    if (!idle) {
      owner_.idle_.erase(place_);
      return;
    }
    place_ = owner_.idle_.insert(owner_.idle_.end(), this);
    if (!owner_.pending_.empty()) {
      owner_.strand_.Post(owner_.lifetime_.Guard([&owner = owner_] { owner.MakeRoom(); }));
    }
  }

  std::shared_ptr<userfunction::Connection> CurrentConnection() override { return owner_.connection_; }

  void ReportError(const std::string& text) override { owner_.report_error_(text); }

 private:
  ActiveCrdts& owner_;
  bool idle_ = false;
  std::list<Slot*>::iterator place_;
  entities::CrdtEntity entity_;
};

ActiveCrdts::ActiveCrdts(const ActiveEntities::Options& options, base::Strand& strand, Replicas& replicas,
                         trace::MetricsByEntityName& metrics, trace::NodeLoad& load,
                         std::function<void(const std::string&)> report_error)
    : options_(options),
      strand_(strand),
      replicas_(replicas),
      metrics_(metrics),
      load_(load),
      report_error_(std::move(report_error)),
      pending_(options.max_active_entities, options.max_waiting_for_room) {}

ActiveCrdts::~ActiveCrdts() = default;

void ActiveCrdts::Connect(std::shared_ptr<userfunction::Connection> connection, userfunction::Dialect dialect) {
  connection_ = std::move(connection);
  dialect_ = dialect;
  StartPending();
}

void ActiveCrdts::Disconnect(const absl::Status& reason) {
  connection_ = nullptr;
  for (Pending& each : pending_.TakeAll()) {
    for (const auto& command : each.commands) command->ended(reason);
  }
  for (Slot* slot : Sorted()) slot->entity().Abort(reason);
}

void ActiveCrdts::Deliver(const userfunction::ServiceSpec& service, const std::string& entity_id,
                          std::shared_ptr<entities::CrdtCommand> command) {
  if (connection_ == nullptr) {
    command->ended(absl::UnavailableError("the user function has gone"));
    return;
  }
  base::EntityKey key{service.persistence_id, entity_id};
  const auto found = active_.find(key);
  if (found != active_.end()) {
    found->second->entity().Deliver(std::move(command));
    return;
  }
  Pending pending{
      std::move(key), service.name, service.passivation_timeout.value_or(options_.limits.passivation_timeout), {}};
  pending.commands.push_back(std::move(command));
  const bool full = options_.max_active_entities > 0 && active_.size() >= options_.max_active_entities;
  if (full || !pending_.empty()) {
    Await(std::move(pending));
  } else {
    Activate(std::move(pending));
  }
}

void ActiveCrdts::Cancel(const base::EntityKey& key, const std::shared_ptr<entities::CrdtCommand>& command) {
  if (const auto found = active_.find(key); found != active_.end()) {
    found->second->entity().Cancel(command);
    return;
  }
  if (pending_.Remove(key, command)) command->ended(absl::CancelledError("nobody waits for it any more"));
}

void ActiveCrdts::EndOpenCalls() {
  for (Slot* slot : Sorted()) slot->entity().EndOpenCalls();
}

void ActiveCrdts::OnReplicaChanged(const base::EntityKey& key) {
  if (const auto found = active_.find(key); found != active_.end()) found->second->entity().OnReplicaChanged();
}

void ActiveCrdts::Await(Pending pending) {
  if (absl::Status status = pending_.CheckPlace(); !status.ok()) {
    pending.commands.front()->ended(std::move(status));
    return;
  }
  pending_.Add(std::move(pending));
  MakeRoom();
}

void ActiveCrdts::Activate(Pending pending) {
  entities::Limits limits = options_.limits;
  limits.passivation_timeout = pending.passivation_timeout;
  auto slot = std::make_unique<Slot>(*this, pending.key, std::move(pending.service), limits);
  entities::CrdtEntity& entity = slot->entity();
  active_.emplace(std::move(pending.key), std::move(slot));
  for (auto& command : pending.commands) entity.Deliver(std::move(command));
}

std::vector<ActiveCrdts::Slot*> ActiveCrdts::Sorted() const {
  std::vector<Slot*> slots;
  for (const auto& [key, slot] : active_) slots.push_back(slot.get());
  std::ranges::sort(slots, {}, [](const Slot* slot) -> const base::EntityKey& { return slot->entity().key(); });
  return slots;
}

void ActiveCrdts::Evict(const std::optional<base::EntityKey>& key) {
  for (Slot* slot : Sorted()) {
    if (!key.has_value() || slot->entity().key() == *key) slot->entity().Evict();
  }
}

std::size_t ActiveCrdts::streams(const std::optional<base::EntityKey>& key) const {
  return static_cast<std::size_t>(std::ranges::count_if(active_, [&key](const auto& each) {
    return (!key.has_value() || each.first == *key) && !each.second->entity().stopped();
  }));
}

void ActiveCrdts::PassivateIdle() {
  while (!idle_.empty()) idle_.front()->entity().Passivate();
}

// Its place is free when its stream has ended.
void ActiveCrdts::MakeRoom() {
  if (!pending_.empty() && !idle_.empty()) idle_.front()->entity().Passivate();
}

void ActiveCrdts::Remove(const base::EntityKey& key) {
  const auto found = active_.find(key);
  if (found == active_.end() || !found->second->entity().stopped()) return;
  active_.erase(found);
  replicas_.Release(key);
  StartPending();
}

void ActiveCrdts::StartPending() {
  while (!pending_.empty() && connection_ != nullptr && active_.size() < options_.max_active_entities) {
    Activate(pending_.TakeFirst());
  }
}

std::size_t ActiveCrdts::waiting_commands() const {
  std::size_t waiting = pending_.commands();
  for (const auto& [key, slot] : active_) waiting += slot->entity().waiting();
  return waiting;
}

}  // namespace cloudstate::cluster
