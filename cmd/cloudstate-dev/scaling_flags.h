#pragma once

#include <functional>
#include <string>
#include <vector>

#include "emulator/scaling/settings.h"

namespace CLI {
class App;
}  // namespace CLI

namespace cloudstate::cli {

// Gives a command a flag for each setting of scaling, with its published environment name, and --scale-annotation
// NAME=VALUE for Knative's names; all in a group of their own in --help. `settings` outlives the command. What was
// given is in it once the command line has been parsed. Times of the environment may be as the published proxy's
// configuration has them, "60 seconds".
void AddScalingFlags(CLI::App& command, scaling::Settings& settings);

// Those that were given, but for what the environment says.
std::vector<std::string> GivenScalingFlags(const CLI::App& command);

}  // namespace cloudstate::cli
