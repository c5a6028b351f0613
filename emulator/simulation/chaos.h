#pragma once

#include "cloudstate/dev/v1/scenario.pb.h"
#include "emulator/base/random.h"

namespace cloudstate::simulation {

// The scenario with steps in place of its chaos, drawn from `random`: faults and what ends them, until the end of the
// scenario's duration. At most a minority of the nodes is killed, drained or paused at a time; everything that is
// broken is whole again at the end. A scenario without chaos comes back unchanged, and nothing is drawn.
//
// Give it a source of its own, not the one that the run draws from: then the scenario that comes back plays the same as
// the one with chaos.
dev::v1::Scenario WriteOutChaos(dev::v1::Scenario scenario, base::Random& random);

}  // namespace cloudstate::simulation
