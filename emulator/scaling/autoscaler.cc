#include "emulator/scaling/autoscaler.h"

namespace cloudstate::scaling {

Autoscaler::Autoscaler(Mode mode) {
  if (mode == Mode::kCloudstate) algorithm_.emplace<CloudstateAutoscaler>();
  if (mode == Mode::kKnative) algorithm_.emplace<KnativeAutoscaler>();
}

Decision Autoscaler::Decide(const Settings& settings, const Measurement& measurement) {
  if (auto* cloudstate = std::get_if<CloudstateAutoscaler>(&algorithm_)) {
    return cloudstate->Decide(settings.cloudstate, settings.MaxScale(), measurement);
  }
  if (auto* knative = std::get_if<KnativeAutoscaler>(&algorithm_)) {
    return knative->Decide(settings.knative, settings.MaxScale(), settings.container_concurrency, measurement);
  }
  return {.wanted = measurement.wanted,
          .phase = "",
          .reason = "the number of replicas is set by hand",
          .figures = {},
          .activator_in_path = false};
}

}  // namespace cloudstate::scaling
