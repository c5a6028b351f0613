#pragma once

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/scenario.pb.h"
#include "emulator/scaling/settings.h"

namespace cloudstate::simulation {

// INVALID_ARGUMENT, as scaling::Set and scaling::Check say.
absl::StatusOr<scaling::Settings> ScalingSettingsOf(const dev::v1::ScalingPart& part);

// That there are at the start.
int ReplicasOf(const dev::v1::ScalingPart& part, const scaling::Settings& settings);

}  // namespace cloudstate::simulation
