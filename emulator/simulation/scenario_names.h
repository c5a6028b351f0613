#pragma once

#include <string>
#include <vector>

namespace cloudstate::simulation {

// The words that scenarios take in some places, besides ChaosFaults: what a node is, what it is to another, and gRPC's
// codes but OK.
const std::vector<std::string>& States();
const std::vector<std::string>& Sights();
const std::vector<std::string>& Codes();

}  // namespace cloudstate::simulation
