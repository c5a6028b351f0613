#include "emulator/cluster/active_entities.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/entities/entity_protocol.h"
#include "emulator/entities/stored_entity.h"

namespace cloudstate::cluster {

class ActiveEntities::Slot final : public entities::Host {
 public:
  Slot(ActiveEntities& owner, const entities::EntityProtocol& protocol, trace::EntityMetrics& metrics,
       const base::EntityKey& key, std::string service, const entities::Limits& limits, journal::Fence fence)
      : owner_(owner),
        fence_(fence),
        entity_(protocol, key, std::move(service),
                {owner.strand_, owner.journal_, metrics, owner.load_, limits, owner.replay_from_, fence}, *this) {}

  ~Slot() override {
    if (idle_) owner_.idle_.erase(place_);
  }

  entities::StoredEntity& entity() { return entity_; }
  const entities::Entity& entity() const { return entity_; }
  journal::ShardId shard() const { return fence_.shard; }

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

  void ReportError(const std::string& text) override { owner_.observer_.ReportError(text); }

  void OnFenced() override {
    owner_.strand_.Post(owner_.lifetime_.Guard([&owner = owner_, fence = fence_] { owner.OnFenced(fence); }));
  }

 private:
  ActiveEntities& owner_;
  const journal::Fence fence_;
  bool idle_ = false;
  std::list<Slot*>::iterator place_;
  entities::StoredEntity entity_;
};

ActiveEntities::ActiveEntities(const Options& options, base::Strand& strand, journal::Journal& journal,
                               trace::Metrics& metrics, trace::NodeLoad& load, Observer& observer)
    : options_(options),
      strand_(strand),
      journal_(journal),
      metrics_(metrics),
      load_(load),
      observer_(observer),
      pending_(options.max_active_entities, options.max_waiting_for_room) {}

ActiveEntities::~ActiveEntities() = default;

void ActiveEntities::Connect(std::shared_ptr<userfunction::Connection> connection, entities::ReplayFrom replay_from) {
  connection_ = std::move(connection);
  replay_from_ = replay_from;
  StartPending();
}

void ActiveEntities::Disconnect(const absl::Status& reason) {
  connection_ = nullptr;
  for (Pending& each : pending_.TakeAll()) {
    for (entities::Command& command : each.commands) command.done(reason);
  }
  for (Slot* slot : Sorted(std::nullopt)) slot->entity().Abort(reason);
}

void ActiveEntities::Deliver(journal::Fence fence, const userfunction::ServiceSpec& service,
                             const std::string& entity_id, entities::Command command) {
  if (connection_ == nullptr) {
    command.done(absl::UnavailableError("the user function has gone"));
    return;
  }
  if (retiring_.contains(fence.shard)) {
    command.done(absl::UnavailableError(absl::StrCat("shard ", static_cast<std::uint32_t>(fence.shard),
                                                     " is about to move to another node; try again")));
    return;
  }
  base::EntityKey key{service.persistence_id, entity_id};
  auto found = active_.find(key);
  if (found != active_.end()) {
    found->second->entity().Deliver(std::move(command));
    return;
  }
  Pending pending{service.kind, std::move(key),
                  service.name, service.passivation_timeout.value_or(options_.limits.passivation_timeout),
                  fence,        {}};
  pending.commands.push_back(std::move(command));
  const bool full = options_.max_active_entities > 0 && active_.size() >= options_.max_active_entities;
  if (full || !pending_.empty()) {
    Await(std::move(pending));
  } else {
    Activate(std::move(pending));
  }
}

void ActiveEntities::Await(Pending pending) {
  if (absl::Status status = pending_.CheckPlace(); !status.ok()) {
    pending.commands.front().done(std::move(status));
    return;
  }
  pending_.Add(std::move(pending));
  MakeRoom();
}

void ActiveEntities::Activate(Pending pending) {
  entities::Limits limits = options_.limits;
  limits.passivation_timeout = pending.passivation_timeout;
  const bool value_entity = pending.kind == userfunction::EntityKind::kValueEntity;
  const auto& protocol = value_entity ? entities::ValueEntity() : entities::EventSourced();
  auto& metrics = value_entity ? metrics_.value_entities : metrics_.event_sourced;
  auto slot = std::make_unique<Slot>(*this, protocol, metrics[pending.key.persistence_id], pending.key,
                                     std::move(pending.service), limits, pending.fence);
  entities::Entity& entity = slot->entity();
  active_.emplace(std::move(pending.key), std::move(slot));
  for (entities::Command& command : pending.commands) entity.Deliver(std::move(command));
}

std::vector<ActiveEntities::Slot*> ActiveEntities::Sorted(std::optional<journal::ShardId> shard) const {
  std::vector<Slot*> slots;
  for (const auto& [key, slot] : active_) {
    if (!shard.has_value() || slot->shard() == *shard) slots.push_back(slot.get());
  }
  std::ranges::sort(slots, {}, [](const Slot* slot) -> const base::EntityKey& { return slot->entity().key(); });
  return slots;
}

std::vector<ActiveEntities::Undelivered> ActiveEntities::Retire(journal::ShardId shard) {
  if (retiring_.contains(shard)) return {};
  std::vector<Undelivered> undelivered;
  const std::vector<Slot*> slots = Sorted(shard);
  for (Slot* slot : slots) {
    for (entities::Command& command : slot->entity().Retire()) {
      undelivered.push_back({slot->entity().key().entity_id, std::move(command)});
    }
  }
  for (Pending& each : pending_.TakeIf([&](const Pending& pending) { return pending.fence.shard == shard; })) {
    for (entities::Command& command : each.commands) undelivered.push_back({each.key.entity_id, std::move(command)});
  }
  retiring_.emplace(shard, slots.size());
  if (slots.empty()) strand_.Post(lifetime_.Guard([this, shard] { EndRetirement(shard); }));
  return undelivered;
}

void ActiveEntities::EndRetirement(journal::ShardId shard) {
  retiring_.erase(shard);
  observer_.OnRetired(shard);
}

void ActiveEntities::OnFenced(journal::Fence fence) {
  if (!retiring_.contains(fence.shard)) observer_.OnFenced(fence);
}

void ActiveEntities::Forget(const base::EntityKey& key) {
  const auto found = active_.find(key);
  if (found != active_.end()) found->second->entity().Forget();
}

void ActiveEntities::Evict(const std::optional<base::EntityKey>& key) {
  for (Slot* slot : Sorted(std::nullopt)) {
    if (!key.has_value() || slot->entity().key() == *key) slot->entity().Evict();
  }
}

std::size_t ActiveEntities::streams(const std::optional<base::EntityKey>& key) const {
  return static_cast<std::size_t>(std::ranges::count_if(active_, [&key](const auto& each) {
    return (!key.has_value() || each.first == *key) && !each.second->entity().stopped();
  }));
}

void ActiveEntities::PassivateIdle() {
  while (!idle_.empty()) idle_.front()->entity().Passivate();
}

// Its place is free when its stream has ended.
void ActiveEntities::MakeRoom() {
  if (!pending_.empty() && !idle_.empty()) idle_.front()->entity().Passivate();
}

void ActiveEntities::Remove(const base::EntityKey& key) {
  auto found = active_.find(key);
  if (found == active_.end() || !found->second->entity().stopped()) return;
  const journal::ShardId shard = found->second->shard();
  active_.erase(found);
  StartPending();
  auto retiring = retiring_.find(shard);
  if (retiring != retiring_.end() && --retiring->second == 0) EndRetirement(shard);
}

void ActiveEntities::StartPending() {
  while (!pending_.empty() && connection_ != nullptr && active_.size() < options_.max_active_entities) {
    Activate(pending_.TakeFirst());
  }
}

std::size_t ActiveEntities::active_entities(journal::ShardId shard) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(active_, [&](const auto& each) { return each.second->shard() == shard; }));
}

std::size_t ActiveEntities::waiting_commands() const {
  std::size_t waiting = pending_.commands();
  for (const auto& [key, slot] : active_) waiting += slot->entity().waiting();
  return waiting;
}

}  // namespace cloudstate::cluster
