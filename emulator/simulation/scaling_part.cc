#include "emulator/simulation/scaling_part.h"

namespace cloudstate::simulation {

absl::StatusOr<scaling::Settings> ScalingSettingsOf(const dev::v1::ScalingPart& part) {
  scaling::Settings settings;
  if (absl::Status status = scaling::ParseMode(part.mode(), settings.mode); !status.ok()) return status;
  if (absl::Status status = scaling::SetAll(settings, {part.settings().begin(), part.settings().end()}); !status.ok()) {
    return status;
  }
  if (absl::Status status = scaling::Check(settings); !status.ok()) return status;
  return settings;
}

int ReplicasOf(const dev::v1::ScalingPart& part, const scaling::Settings& settings) {
  return part.has_replicas() ? part.replicas() : settings.InitialReplicas(1);
}

}  // namespace cloudstate::simulation
