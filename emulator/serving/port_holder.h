#pragma once

#include <cstdint>
#include <string>

namespace cloudstate::serving {

// The process that listens on a TCP port of this machine, such as "java (pid 4242)", from /proc. Empty if it cannot be
// told: the process of another user, or of another container.
std::string DescribePortHolder(std::uint16_t port);

}  // namespace cloudstate::serving
