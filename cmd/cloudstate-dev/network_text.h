#pragma once

#include <string>

#include "cloudstate/dev/v1/cluster.pb.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

// "5ms, loss 10%, 1MiB/s"; "perfect" for a link that does nothing to messages.
std::string FormatLinkSettings(const dev::v1::LinkSettings& settings);

// A matrix of few nodes, else the links that are not as all others; then what holds for all, and what went over them.
std::string FormatNetwork(const dev::v1::NetworkState& network, const Terminal& terminal);
// A line for each link, with what went over it.
std::string FormatEveryLink(const dev::v1::NetworkState& network, const Terminal& terminal);

// What is wrong with the network, in few lines.
std::string FormatTroubles(const dev::v1::NetworkState& network, const Terminal& terminal);

}  // namespace cloudstate::cli
