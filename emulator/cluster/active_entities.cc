#include "emulator/cluster/active_entities.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/entities/entity_protocol.h"

namespace cloudstate::cluster {

class ActiveEntities::StoredSlot final : public Slot {
 public:
  StoredSlot(ActiveEntities& owner, const entities::EntityProtocol& protocol, trace::EntityMetrics& metrics,
             const entities::Limits& limits, const PendingEntity& pending)
      : Slot(owner),
        owner_(owner),
        entity_(protocol, pending.key, pending.service,
                {owner.strand(), owner.journal_, metrics, owner.load_, limits, owner.replay_from_, pending.fence},
                *this) {}

  entities::StoredEntity& entity() override { return entity_; }

  void ReportError(const std::string& text) override { owner_.observer_.ReportError(text); }

  void OnFenced() override {
    owner_.strand().Post(
        owner_.lifetime().Guard([&owner = owner_, fence = entity_.fence()] { owner.OnFenced(fence); }));
  }

 private:
  ActiveEntities& owner_;
  entities::StoredEntity entity_;
};

ActiveEntities::ActiveEntities(const Options& options, base::Strand& strand, journal::Journal& journal,
                               trace::Metrics& metrics, trace::NodeLoad& load, Observer& observer)
    : ActiveSet(options, strand), journal_(journal), metrics_(metrics), load_(load), observer_(observer) {}

void ActiveEntities::Connect(std::shared_ptr<userfunction::Connection> connection, entities::ReplayFrom replay_from) {
  replay_from_ = replay_from;
  ActiveSet::Connect(std::move(connection));
}

void ActiveEntities::Deliver(journal::Fence fence, const userfunction::ServiceSpec& service,
                             const std::string& entity_id, entities::Command command) {
  if (!connected()) {
    command.done(absl::UnavailableError("the user function has gone"));
    return;
  }
  if (retiring_.contains(fence.shard)) {
    command.done(absl::UnavailableError(absl::StrCat("shard ", static_cast<std::uint32_t>(fence.shard),
                                                     " is about to move to another node; try again")));
    return;
  }
  base::EntityKey key{service.persistence_id, entity_id};
  if (entities::StoredEntity* const active = Find(key)) return active->Deliver(std::move(command));
  PendingEntity pending{service.kind, std::move(key),
                        service.name, service.passivation_timeout.value_or(options().limits.passivation_timeout),
                        fence,        {}};
  pending.commands.push_back(std::move(command));
  Add(std::move(pending));
}

std::unique_ptr<ActiveEntities::Slot> ActiveEntities::MakeSlot(const PendingEntity& pending) {
  entities::Limits limits = options().limits;
  limits.passivation_timeout = pending.passivation_timeout;
  const bool value_entity = pending.kind == userfunction::EntityKind::kValueEntity;
  const auto& protocol = value_entity ? entities::ValueEntity() : entities::EventSourced();
  auto& metrics = value_entity ? metrics_.value_entities : metrics_.event_sourced;
  return std::make_unique<StoredSlot>(*this, protocol, metrics[pending.key.persistence_id], limits, pending);
}

void ActiveEntities::OnRemoved(std::unique_ptr<Slot> slot) {
  const journal::ShardId shard = slot->entity().fence().shard;
  const auto retiring = retiring_.find(shard);
  if (retiring != retiring_.end() && --retiring->second == 0) EndRetirement(shard);
}

std::vector<ActiveEntities::Undelivered> ActiveEntities::Retire(journal::ShardId shard) {
  if (retiring_.contains(shard)) return {};
  std::vector<Undelivered> undelivered;
  const auto retired = Sorted([&](const entities::StoredEntity& entity) { return entity.fence().shard == shard; });
  for (entities::StoredEntity* entity : retired) {
    for (entities::Command& command : entity->Retire()) {
      undelivered.push_back({entity->key().entity_id, std::move(command)});
    }
  }
  for (PendingEntity& each : pending().TakeIf([&](const auto& one) { return one.fence.shard == shard; })) {
    for (entities::Command& command : each.commands) undelivered.push_back({each.key.entity_id, std::move(command)});
  }
  retiring_.emplace(shard, retired.size());
  if (retired.empty()) strand().Post(lifetime().Guard([this, shard] { EndRetirement(shard); }));
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
  if (entities::StoredEntity* const active = Find(key)) active->Forget();
}

std::size_t ActiveEntities::active_entities(journal::ShardId shard) const {
  return CountIf([&](const entities::StoredEntity& entity) { return entity.fence().shard == shard; });
}

}  // namespace cloudstate::cluster
