#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cloudstate/dev/v1/cluster.pb.h"
#include "emulator/cluster/cluster.h"

namespace cloudstate::runtime {

// The cluster as the admin contract shows it. On the strand that its nodes share.

// What people need besides the cluster itself.
struct ClusterSight {
  const cluster::Cluster& cluster;
  const base::Strand& strand;
  // HOST:PORT of the port of one node; empty where it has none.
  const std::function<std::string(cluster::NodeId)>& client_address;
};

dev::v1::ListNodesResponse ListNodes(const ClusterSight& sight);
// NOT_FOUND where there never was one of this number.
absl::StatusOr<dev::v1::NodeDetail> GetNode(const ClusterSight& sight, const dev::v1::GetNodeRequest& request);
// NOT_FOUND where there never was such a node, FAILED_PRECONDITION where it does not run, or nobody is the coordinator.
absl::StatusOr<dev::v1::ListShardsResponse> ListShards(const cluster::Cluster& cluster,
                                                       const dev::v1::ListShardsRequest& request);
dev::v1::NetworkState GetNetwork(const cluster::Cluster& cluster);
// The newest of those that are kept, newest last. INVALID_ARGUMENT for a limit below 0, NOT_FOUND where there never was
// such a node.
absl::StatusOr<dev::v1::ListClusterEventsResponse> ListClusterEvents(const cluster::Cluster& cluster,
                                                                     const dev::v1::ListClusterEventsRequest& request);
dev::v1::ClusterEvent ToProto(const cluster::ClusterEvent& event);

// Nodes that run.
int CountNodes(const cluster::Cluster& cluster);

}  // namespace cloudstate::runtime
