#pragma once

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/scaling.pb.h"
#include "emulator/cluster/cluster.h"
#include "emulator/scaling/scaler.h"

namespace cloudstate::runtime {

// Scaling as the admin contract shows it. On the nodes' strand. `scaler` is null where scaling is off.

dev::v1::ScalingState GetScaling(const scaling::Scaler* scaler, const cluster::Cluster& cluster);
// FAILED_PRECONDITION where scaling is off; else as Scaler::Set.
absl::StatusOr<dev::v1::ScalingState> SetScaling(scaling::Scaler* scaler, const dev::v1::SetScalingRequest& request);
// INVALID_ARGUMENT for a limit below 0.
absl::StatusOr<dev::v1::ListScalingEventsResponse> ListScalingEvents(const scaling::Scaler* scaler,
                                                                     const dev::v1::ListScalingEventsRequest& request);

}  // namespace cloudstate::runtime
