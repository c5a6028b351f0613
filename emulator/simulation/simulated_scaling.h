#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "cloudstate/dev/v1/scenario.pb.h"
#include "emulator/base/random.h"
#include "emulator/base/strand.h"
#include "emulator/cluster/cluster.h"
#include "emulator/routing/gateway.h"
#include "emulator/scaling/cluster_fleet.h"
#include "emulator/scaling/scaler.h"
#include "emulator/simulation/simulated_supply.h"

namespace cloudstate::simulation {

// The scaling of real runs over a simulated cluster: makes its nodes.
class SimulatedScaling {
 public:
  // The part has been checked. All references outlive this; `trace`, if set, gets a line for all that is decided and
  // becomes of replicas.
  SimulatedScaling(const dev::v1::ScalingPart& part, base::Strand& strand, base::Random& random,
                   cluster::Cluster& cluster, routing::Gateway& gateway,
                   std::shared_ptr<userfunction::Connection> connection,
                   std::shared_ptr<const userfunction::Specification> specification,
                   const std::function<void(const std::string&)>& trace);

  absl::Status Set(const dev::v1::SetScalingRequest& request) { return scaler_.Set(request); }
  int ready() const { return fleet_.counts().ready; }

  // The end: no more faults, and from now on the replicas that are wanted now, at least one.
  void Settle();
  // All replicas that are wanted are ready, and there are no others.
  bool IsSettled() const;

 private:
  SimulatedScaling(const dev::v1::ScalingPart& part, const scaling::Settings& settings, base::Strand& strand,
                   base::Random& random, cluster::Cluster& cluster, routing::Gateway& gateway,
                   std::shared_ptr<userfunction::Connection> connection,
                   std::shared_ptr<const userfunction::Specification> specification,
                   const std::function<void(const std::string&)>& trace);

  SimulatedSupply supply_;
  scaling::ClusterFleet fleet_;
  scaling::Scaler scaler_;
  int settled_ = 0;  // replicas that are to be there in the end
};

}  // namespace cloudstate::simulation
