#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "emulator/scaling/measurement.h"
#include "emulator/scaling/metric_window.h"
#include "emulator/scaling/settings.h"

namespace cloudstate::scaling {

// The published proxy's autoscaler (cloudstateio/cloudstate, `Autoscaler`, March 2022; shared/spec/cluster-scaling.md).
// A value: the same measurements bring about the same decisions. It never wants fewer than one. What the activator
// holds is nothing to it.
//
//   WAITING ──every node has reported──► STABLE
//   STABLE ──over a target──► SCALING UP ──deadline──► STABLE
//      ├─────both below─────► SCALING DOWN ──deadline──► STABLE
//      └──an upgrade runs───► UPGRADING ──it is over──► STABLE
class CloudstateAutoscaler {
 public:
  Decision Decide(const CloudstateSettings& settings, int max_scale, const Measurement& measurement);

 private:
  enum class Phase { kWaiting, kStable, kScalingUp, kScalingDown, kUpgrading };
  struct Load;
  struct Input;
  using Outcome = std::pair<int, std::string>;  // what is wanted, and why

  static const char* Name(Phase phase);
  Load Measure(const Input& input) const;
  Outcome Step(const Input& input, Load& load);
  Outcome DecideStable(const Input& input, const Load& load);
  Outcome FollowRate(const Input& input, const Load& load);
  Outcome ScaleUp(const Input& input, int want, std::string why);
  std::vector<Figure> Figures(const Input& input, const Load& load) const;

  Phase phase_ = Phase::kWaiting;
  absl::Time deadline_;  // of scaling up or down
  MetricWindow window_;
  double last_stable_rate_ = 0;  // when it began to scale up
};

}  // namespace cloudstate::scaling
