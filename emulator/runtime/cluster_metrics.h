#pragma once

#include <string>

#include "emulator/cluster/cluster.h"

namespace cloudstate::runtime {

// Prometheus text of each node's place in the cluster, with a `node` label. On the strand that the nodes share.
std::string ClusterMetricsText(const cluster::Cluster& cluster);

}  // namespace cloudstate::runtime
