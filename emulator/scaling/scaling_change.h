#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/scaling.pb.h"
#include "emulator/scaling/settings.h"

namespace cloudstate::scaling {

// What somebody changes by hand, as a whole.
struct ScalingChange {
  Settings settings;
  int wanted = 0;
  std::string text;  // for people
};

// What comes of a request where `settings` hold and `wanted` replicas are wanted. INVALID_ARGUMENT and
// FAILED_PRECONDITION say what can be done instead.
absl::StatusOr<ScalingChange> ChangeOf(const Settings& settings, int wanted, const dev::v1::SetScalingRequest& request);

}  // namespace cloudstate::scaling
