#pragma once

#include <string>
#include <vector>

#include "emulator/userfunction/specification.h"

namespace cloudstate::cli {

// The services with their methods and HTTP routes, a line each.
std::string ServiceLines(const userfunction::Specification& specification);

// Commands that work when they are pasted into a shell: a curl line and a grpcurl line that call a method of the user
// function at `client_address`. Empty where there is nothing to call.
std::vector<std::string> ReadyLines(const userfunction::Specification& specification,
                                    const std::string& client_address);

}  // namespace cloudstate::cli
