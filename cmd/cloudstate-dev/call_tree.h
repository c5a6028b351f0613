#pragma once

#include <string>

#include "cloudstate/dev/v1/dev.pb.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

// The steps of one call as a tree: the client's command is the root, and below each command stand its steps and, where
// they began, the side effects and forwards that it caused. Of steps of the same kind that a command has many of, as
// those of a stream, the first and the last are shown and the others counted.
std::string FormatCallTree(const dev::v1::CommandTrace& trace, const Terminal& terminal);

}  // namespace cloudstate::cli
