#include "emulator/simulation/scaling_part.h"

#include <map>
#include <string>

namespace cloudstate::simulation {

absl::StatusOr<scaling::Settings> ScalingSettingsOf(const dev::v1::ScalingPart& part) {
  scaling::Settings settings;
  if (absl::Status status = scaling::ParseMode(part.mode(), settings.mode); !status.ok()) return status;
  const std::map<std::string, std::string> in_order(part.settings().begin(), part.settings().end());
  for (const auto& [name, value] : in_order) {
    if (absl::Status status = scaling::Set(settings, name, value); !status.ok()) {
      return absl::InvalidArgumentError(status.message());
    }
  }
  if (absl::Status status = scaling::Check(settings); !status.ok()) return status;
  return settings;
}

int ReplicasOf(const dev::v1::ScalingPart& part, const scaling::Settings& settings) {
  if (part.has_replicas()) return part.replicas();
  return settings.mode == scaling::Mode::kKnative ? settings.knative.initial_scale : 1;
}

}  // namespace cloudstate::simulation
