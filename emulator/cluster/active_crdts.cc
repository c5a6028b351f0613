#include "emulator/cluster/active_crdts.h"

#include <utility>

namespace cloudstate::cluster {

class ActiveCrdts::CrdtSlot final : public Slot {
 public:
  CrdtSlot(ActiveCrdts& owner, const entities::Limits& limits, const PendingCrdt& pending)
      : Slot(owner),
        owner_(owner),
        entity_(pending.key, pending.service,
                {owner.strand(), owner.replicas_.Of(pending.key), owner.metrics_[pending.key.persistence_id],
                 owner.load_, limits, owner.dialect_},
                *this) {}

  entities::CrdtEntity& entity() override { return entity_; }

  void ReportError(const std::string& text) override { owner_.report_error_(text); }

 private:
  ActiveCrdts& owner_;
  entities::CrdtEntity entity_;
};

ActiveCrdts::ActiveCrdts(const Options& options, base::Strand& strand, Replicas& replicas,
                         trace::MetricsByEntityName& metrics, trace::NodeLoad& load,
                         std::function<void(const std::string&)> report_error)
    : ActiveSet(options, strand),
      replicas_(replicas),
      metrics_(metrics),
      load_(load),
      report_error_(std::move(report_error)) {}

void ActiveCrdts::Connect(std::shared_ptr<userfunction::Connection> connection, userfunction::Dialect dialect) {
  dialect_ = dialect;
  ActiveSet::Connect(std::move(connection));
}

void ActiveCrdts::Deliver(const userfunction::ServiceSpec& service, const std::string& entity_id,
                          std::shared_ptr<entities::CrdtCommand> command) {
  if (!connected()) {
    command->ended(absl::UnavailableError("the user function has gone"));
    return;
  }
  base::EntityKey key{service.persistence_id, entity_id};
  if (entities::CrdtEntity* const active = Find(key)) return active->Deliver(std::move(command));
  PendingCrdt pending{
      std::move(key), service.name, service.passivation_timeout.value_or(options().limits.passivation_timeout), {}};
  pending.commands.push_back(std::move(command));
  Add(std::move(pending));
}

void ActiveCrdts::Cancel(const base::EntityKey& key, const std::shared_ptr<entities::CrdtCommand>& command) {
  if (entities::CrdtEntity* const active = Find(key)) return active->Cancel(command);
  if (pending().Remove(key, command)) command->ended(absl::CancelledError("nobody waits for it any more"));
}

void ActiveCrdts::EndOpenCalls() {
  for (entities::CrdtEntity* entity : Sorted()) entity->EndOpenCalls();
}

void ActiveCrdts::OnReplicaChanged(const base::EntityKey& key) {
  if (entities::CrdtEntity* const active = Find(key)) active->OnReplicaChanged();
}

std::unique_ptr<ActiveCrdts::Slot> ActiveCrdts::MakeSlot(const PendingCrdt& pending) {
  entities::Limits limits = options().limits;
  limits.passivation_timeout = pending.passivation_timeout;
  return std::make_unique<CrdtSlot>(*this, limits, pending);
}

void ActiveCrdts::OnRemoved(std::unique_ptr<Slot> slot) {
  const base::EntityKey key = slot->entity().key();
  slot = nullptr;  // it uses the replica
  replicas_.Release(key);
}

}  // namespace cloudstate::cluster
