#include "emulator/simulation/simulated_scaling.h"

#include <algorithm>
#include <utility>

#include "emulator/base/proto_time.h"
#include "emulator/simulation/scaling_part.h"

namespace cloudstate::simulation {
namespace {

SupplyBehaviour SupplyOf(const dev::v1::ScalingPart& part, const scaling::Settings& settings) {
  SupplyBehaviour behaviour{.cold_start = settings.cold_start, .failed_starts = part.failed_starts()};
  if (part.has_crashes_after()) behaviour.crashes_after = base::FromDuration(part.crashes_after());
  return behaviour;
}

// Nodes without a life, before there is anything that gives them one.
cluster::Cluster& WithNodes(cluster::Cluster& cluster, int nodes) {
  cluster.StartEmpty(static_cast<std::size_t>(nodes));
  return cluster;
}

}  // namespace

SimulatedScaling::SimulatedScaling(const dev::v1::ScalingPart& part, base::Strand& strand, base::Random& random,
                                   cluster::Cluster& cluster, routing::Gateway& gateway,
                                   std::shared_ptr<userfunction::Connection> connection,
                                   std::shared_ptr<const userfunction::Specification> specification,
                                   const std::function<void(const std::string&)>& trace)
    : SimulatedScaling(part, *ScalingSettingsOf(part), strand, random, cluster, gateway, std::move(connection),
                       std::move(specification), trace) {}

SimulatedScaling::SimulatedScaling(const dev::v1::ScalingPart& part, const scaling::Settings& settings,
                                   base::Strand& strand, base::Random& random, cluster::Cluster& cluster,
                                   routing::Gateway& gateway, std::shared_ptr<userfunction::Connection> connection,
                                   std::shared_ptr<const userfunction::Specification> specification,
                                   const std::function<void(const std::string&)>& trace)
    : supply_(strand, random, SupplyOf(part, settings), std::move(connection), std::move(specification)),
      fleet_(strand, WithNodes(cluster, ReplicasOf(part, settings)), gateway, supply_,
             static_cast<std::size_t>(settings.activator_queue)),
      scaler_(settings, ReplicasOf(part, settings), false, strand, fleet_) {
  supply_.BeginColdStarts();
  if (!trace) return;
  scaler_.Watch([trace](const dev::v1::ScalingEvent& event) {
    if (event.kind() != scaling::ScalingEvents::kTick) trace(event.text());
  });
}

void SimulatedScaling::Settle() {
  supply_.EndFaults();
  dev::v1::SetScalingRequest request;
  request.set_mode("manual");
  settled_ = std::max(1, scaler_.Describe().wanted());
  request.set_replicas(settled_);
  scaler_.Set(request).IgnoreError();  // so many there can be
}

bool SimulatedScaling::IsSettled() const {
  const scaling::Fleet::Counts counts = fleet_.counts();
  return counts.starting == 0 && counts.draining == 0 && counts.ready == settled_;
}

}  // namespace cloudstate::simulation
