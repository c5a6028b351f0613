#pragma once

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/cluster.pb.h"
#include "emulator/cluster/cluster.h"

namespace cloudstate::routing {

// Does to the cluster what the admin contract and scenarios ask for, on the cluster's strand. INVALID_ARGUMENT for what
// makes no sense, FAILED_PRECONDITION for what only simulations can do, else what Cluster answers.
absl::StatusOr<dev::v1::SteerResponse> Steer(cluster::Cluster& cluster, const dev::v1::Steering& steering);

// INVALID_ARGUMENT, naming the setting, for one that makes no sense.
absl::StatusOr<cluster::LinkSettings> FromProto(const dev::v1::LinkSettings& settings);
dev::v1::LinkSettings ToProto(const cluster::LinkSettings& settings);

}  // namespace cloudstate::routing
