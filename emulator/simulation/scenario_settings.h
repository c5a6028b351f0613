#pragma once

#include "cloudstate/dev/v1/scenario.pb.h"
#include "emulator/cluster/network.h"
#include "emulator/cluster/node.h"
#include "emulator/routing/router.h"
#include "emulator/simulation/simulated_journal.h"
#include "emulator/simulation/simulated_user_function.h"

namespace cloudstate::simulation {

// What parts of a scenario, which has been checked, mean to what they are about.
cluster::LinkSettings LinksOf(const dev::v1::LinkSettings& settings);
JournalFaultSettings FaultsOf(const dev::v1::JournalFaults& faults);
UserFunctionBehaviour BehaviourOf(const dev::v1::UserFunctionSettings& settings);
cluster::Node::Options NodeOptionsOf(const dev::v1::ClusterSettings& settings);
routing::Router::Options RouterOptionsOf(const cluster::Node::Options& options);

}  // namespace cloudstate::simulation
