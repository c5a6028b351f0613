#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "emulator/scaling/measurement.h"
#include "emulator/scaling/metric_window.h"
#include "emulator/scaling/settings.h"

namespace cloudstate::scaling {

// Knative Serving's pod autoscaler (its documentation of autoscaling; where that is silent, about what holds at the
// very edges, knative/serving's `autoscaler.Scale` and the reconciler's `scaler.scale`;
// shared/spec/cluster-scaling.md). A value: the same measurements bring about the same decisions.
//
//   want = ⌈average over the window / (target · utilization)⌉, over the stable window and over the panic window
//     → no further from the replicas that are ready than the rates let → at least the activation scale, if any
//     → in panic the larger of the two, and never less than before in this panic; else that of the stable window
//     → the largest of the last scale-down delay → between the least and the most
//     → instead of none the last one, until it has been idle for long enough
class KnativeAutoscaler {
 public:
  Decision Decide(const KnativeSettings& settings, int max_scale, int container_concurrency,
                  const Measurement& measurement);

 private:
  struct Input;
  struct Load;

  Load Measure(const Input& input) const;
  void FollowPanic(const Input& input, const Load& load);
  // Each takes what is wanted so far, says why it changes that, and returns what is wanted then.
  int WantedByLoad(const Input& input, const Load& load, std::string& reason);
  int Delayed(const Input& input, int wanted, std::string& reason);
  int Bounded(const Input& input, int wanted, std::string& reason);
  int KeptFromZero(const Input& input, int wanted, std::string& reason);
  std::vector<Figure> Figures(const Input& input, const Load& load) const;

  MetricWindow window_;                   // the stable one
  std::optional<absl::Time> panic_;       // since when, or when it was last renewed
  int panic_wanted_ = 0;                  // the most that was wanted in this panic
  std::optional<int> initial_scale_;      // what is there at the start stays until it has been ready; then 0
  std::optional<absl::Time> idle_since_;  // zero has been wanted since
  std::deque<std::pair<absl::Time, int>> wanted_before_;  // for the scale-down delay
};

}  // namespace cloudstate::scaling
