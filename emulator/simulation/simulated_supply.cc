#include "emulator/simulation/simulated_supply.h"

#include <cmath>
#include <utility>

#include "emulator/base/chance.h"

namespace cloudstate::simulation {

SimulatedSupply::SimulatedSupply(base::Strand& strand, base::Random& random, const SupplyBehaviour& behaviour,
                                 std::shared_ptr<userfunction::Connection> connection,
                                 std::shared_ptr<const userfunction::Specification> specification)
    : strand_(strand),
      random_(random),
      behaviour_(behaviour),
      connection_(std::move(connection)),
      specification_(std::move(specification)) {}

SimulatedSupply::~SimulatedSupply() {
  for (const auto& [node, replica] : replicas_) strand_.Cancel(replica.timer);
}

void SimulatedSupply::EndFaults() {
  behaviour_.failed_starts = 0;
  behaviour_.crashes_after.reset();
  for (auto& [node, replica] : replicas_) {
    if (replica.runs) strand_.Cancel(std::exchange(replica.timer, base::TimerId::kNone));
  }
}

void SimulatedSupply::Start(cluster::NodeId node, Listener listener) {
  replicas_[node].listener = std::move(listener);
  Begin(node);
}

void SimulatedSupply::Stop(cluster::NodeId node) {
  const auto found = replicas_.find(node);
  if (found == replicas_.end()) return;
  strand_.Cancel(found->second.timer);
  replicas_.erase(found);
}

void SimulatedSupply::Begin(cluster::NodeId node) {
  const absl::Duration time = cold_ ? behaviour_.cold_start * (0.5 + base::Uniform(random_)) : absl::ZeroDuration();
  replicas_.at(node).timer = strand_.After(absl::Trunc(time, absl::Microseconds(1)), [this, node, cold = cold_] {
    if (cold && base::Happens(random_, behaviour_.failed_starts)) return OnLost(node, "it ended before it was ready");
    OnStarted(node);
  });
}

void SimulatedSupply::OnStarted(cluster::NodeId node) {
  Replica& replica = replicas_.at(node);
  replica.runs = true;
  replica.timer = base::TimerId::kNone;
  if (behaviour_.crashes_after.has_value()) {
    const absl::Duration life = *behaviour_.crashes_after * -std::log1p(-base::Uniform(random_));
    replica.timer =
        strand_.After(absl::Trunc(life, absl::Microseconds(1)), [this, node] { OnLost(node, "it crashed"); });
  }
  replica.listener.ready(connection_, specification_, entities::ReplayFrom::kNewestSnapshot);
}

void SimulatedSupply::OnLost(cluster::NodeId node, const std::string& reason) {
  Replica& replica = replicas_.at(node);
  replica.runs = false;
  Begin(node);
  replica.listener.lost(absl::UnavailableError(reason));
}

}  // namespace cloudstate::simulation
