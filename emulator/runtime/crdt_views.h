#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/crdt.pb.h"
#include "emulator/cluster/cluster.h"
#include "emulator/userfunction/specification.h"

namespace cloudstate::runtime {

// CRDT entities as the admin contract shows them, but for what needs the user function's types: payloads are bytes
// only, and texts are empty; admin::Describe fills them in. On the strand that the nodes share.

// What people need besides the cluster itself.
struct CrdtSight {
  const cluster::Cluster& cluster;
  const base::Strand& strand;
  std::shared_ptr<const userfunction::Specification> specification;  // null while there is none
};

// INVALID_ARGUMENT for a request that makes no sense, NOT_FOUND where there never was such a node.
absl::StatusOr<dev::v1::ListCrdtsResponse> ListCrdts(const CrdtSight& sight, const dev::v1::ListCrdtsRequest& request);
// INVALID_ARGUMENT for a request that makes no sense, NOT_FOUND where no node knows of the entity.
absl::StatusOr<dev::v1::CrdtDetail> GetCrdt(const CrdtSight& sight, const dev::v1::GetCrdtRequest& request);

bool Fits(const dev::v1::WatchCrdtsRequest& request, const cluster::ReplicaEvent& event);
// While it is told.
dev::v1::CrdtEvent EventView(const CrdtSight& sight, const cluster::ReplicaEvent& event);

}  // namespace cloudstate::runtime
