#pragma once

#include "absl/time/time.h"
#include "cloudstate/dev/v1/scenario.pb.h"

namespace cloudstate::simulation {

// Of a load with phases, in calls per second, so long after it began.
double RateAt(const dev::v1::Load& load, absl::Duration since);
// The highest that it ever has.
double HighestRate(const dev::v1::Load& load);

}  // namespace cloudstate::simulation
