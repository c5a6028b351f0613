#pragma once

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

 private:
  std::variant<std::monostate, CloudstateAutoscaler, KnativeAutoscaler> algorithm_;
};

}  // namespace cloudstate::scaling
