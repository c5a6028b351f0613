#pragma once

#include <string>

#include "emulator/cluster/cluster.h"

namespace cloudstate::runtime {

enum class QuietKind {
  kIdle,       // nothing is under way
  kConverged,  // and all nodes know the same
};

// What keeps the cluster from being so, for people; empty when it is. On the strand.
std::string WhatIsNotQuiet(const cluster::Cluster& cluster, QuietKind kind);

}  // namespace cloudstate::runtime
