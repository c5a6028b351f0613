#pragma once

#include <string>

#include "cloudstate/dev/v1/scaling.pb.h"
#include "emulator/cluster/cluster.h"

namespace cloudstate::runtime {

// Prometheus text of each node's place in the cluster, with a `node` label. On the strand that the nodes share.
std::string ClusterMetricsText(const cluster::Cluster& cluster);

// The same of replicas, and of calls that wait for one.
std::string ScalingMetricsText(const dev::v1::ScalingState& scaling);

}  // namespace cloudstate::runtime
