#pragma once

#include <cstdint>
#include <variant>

#include "emulator/scaling/cloudstate_autoscaler.h"
#include "emulator/scaling/knative_autoscaler.h"
#include "emulator/scaling/measurement.h"
#include "emulator/scaling/settings.h"

namespace cloudstate::scaling {

// The algorithm of a mode with what it remembers: a value, whose decisions follow from what it was given alone. In
// modes "off" and "manual" it wants what is wanted already.
class Autoscaler {
 public:
  explicit Autoscaler(Mode mode);

  // To be called once a tick.
  Decision Decide(const Settings& settings, const Measurement& measurement);
  // The same in between, where there is no replica and `held` calls wait for one: they count as if they had been held
  // since the last time, as with Knative's activator. An algorithm then wants one at least.
  Decision DecideFromNothing(const Settings& settings, Measurement measurement, std::int64_t held);

 private:
  std::variant<std::monostate, CloudstateAutoscaler, KnativeAutoscaler> algorithm_;
};

}  // namespace cloudstate::scaling
