#pragma once

#include <functional>

#include "cloudstate/dev/v1/scenario.pb.h"

namespace cloudstate::simulation {

// The shortest scenario found that still fails: steps are left out (delta debugging; Zeller, Hildebrandt: Simplifying
// and Isolating Failure-Inducing Input, 2002), then the duration, the nodes, the clients and the faults of network,
// journal and user function are made less. `fails` plays a scenario; it has failed with `scenario`. At most `most_runs`
// are played.
dev::v1::Scenario Shrink(dev::v1::Scenario scenario, const std::function<bool(const dev::v1::Scenario&)>& fails,
                         int most_runs = 300);

}  // namespace cloudstate::simulation
