#pragma once

#include "cmd/cloudstate-dev/commands.h"

namespace cloudstate::cli {

// `run`: the emulator itself.
void AddRun(CLI::App& root, Invocation& invocation);

}  // namespace cloudstate::cli
