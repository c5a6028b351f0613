#include "emulator/runtime/scaling_views.h"

#include <algorithm>
#include <string>
#include <utility>

#include "emulator/admin/views.h"
#include "emulator/runtime/cluster_views.h"

namespace cloudstate::runtime {

dev::v1::ScalingState GetScaling(const scaling::Scaler* scaler, const cluster::Cluster& cluster) {
  if (scaler != nullptr) return scaler->Describe();
  dev::v1::ScalingState state;
  state.set_mode(std::string(scaling::ModeName(scaling::Mode::kOff)));
  state.set_wanted(CountNodes(cluster));
  state.set_ready(CountNodes(cluster));
  scaling::DescribeSettings(scaling::Settings(), state);
  return state;
}

absl::StatusOr<dev::v1::ScalingState> SetScaling(scaling::Scaler* scaler, const dev::v1::SetScalingRequest& request) {
  if (scaler == nullptr) {
    return absl::FailedPreconditionError(
        "Scaling is off, and stays so while this emulator runs. Start it with `cloudstate-dev run --scaling manual`, "
        "or with cloudstate or knative; `nodes add` and `nodes drain` change a cluster without scaling.");
  }
  if (absl::Status status = scaler->Set(request); !status.ok()) return status;
  return scaler->Describe();
}

absl::StatusOr<dev::v1::ListScalingEventsResponse> ListScalingEvents(const scaling::Scaler* scaler,
                                                                     const dev::v1::ListScalingEventsRequest& request) {
  const absl::StatusOr<int> limit = admin::PageSize(request.limit());
  if (!limit.ok()) return limit.status();
  dev::v1::ListScalingEventsResponse response;
  if (scaler == nullptr) return response;
  for (dev::v1::ScalingEvent& event : scaler->Newest(static_cast<std::size_t>(*limit), request.ticks())) {
    *response.add_events() = std::move(event);
  }
  return response;
}

}  // namespace cloudstate::runtime
