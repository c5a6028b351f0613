#include "emulator/scaling/autoscaler.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

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

Decision Autoscaler::DecideFromNothing(const Settings& settings, Measurement measurement, std::int64_t held) {
  for (NodeReport& report : measurement.reports) {
    if (report.node != 0) continue;
    report.requests.concurrency = std::max(report.requests.concurrency, static_cast<double>(held));
  }
  Decision decision = Decide(settings, measurement);
  if (decision.wanted == 0) {  // the activator had no time to report
    decision.wanted = 1;
    decision.reason = absl::StrCat(held, held == 1 ? " call is" : " calls are", " held, and there is no replica");
  }
  return decision;
}

}  // namespace cloudstate::scaling
