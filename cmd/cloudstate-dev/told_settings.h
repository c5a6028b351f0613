#pragma once

#include "CLI/CLI.hpp"
#include "cloudstate/dev/v1/dev.pb.h"

namespace cloudstate::cli {

// The options of `command` and those that all commands share, as they were given on the command line, in the
// environment or in a file, for people to look at. After parsing.
dev::v1::Settings ToldSettings(const CLI::App& command);

}  // namespace cloudstate::cli
