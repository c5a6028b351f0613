#pragma once

#include <functional>
#include <string>

#include "emulator/scaling/settings.h"

namespace CLI {
class App;
}  // namespace CLI

namespace cloudstate::cli {

// Gives a command a flag for each setting of scaling, with its published environment name, and --scale-annotation
// NAME=VALUE for Knative's names; all in a group of their own in --help. `settings` outlives the command. What was
// given is in it once the command line has been parsed.
void AddScalingFlags(CLI::App& command, scaling::Settings& settings);

}  // namespace cloudstate::cli
