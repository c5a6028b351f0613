#include "emulator/simulation/load_phases.h"

#include <algorithm>

#include "emulator/base/proto_time.h"

namespace cloudstate::simulation {

double RateAt(const dev::v1::Load& load, absl::Duration since) {
  double rate = 0;
  for (const dev::v1::LoadPhase& phase : load.phases()) {
    const absl::Duration length = base::FromDuration(phase.for_());
    const double first = phase.has_calls_per_second() ? phase.calls_per_second() : rate;
    const double last = phase.has_until() ? phase.until() : first;
    if (since < length) return first + (last - first) * absl::FDivDuration(since, length);
    since -= length;
    rate = last;
  }
  return rate;
}

double HighestRate(const dev::v1::Load& load) {
  double highest = 0;
  for (const dev::v1::LoadPhase& phase : load.phases()) {
    highest = std::max({highest, phase.calls_per_second(), phase.until()});
  }
  return highest;
}

}  // namespace cloudstate::simulation
