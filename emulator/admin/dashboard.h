#pragma once

#include <map>
#include <string>

#include "emulator/serving/front_door.h"

namespace cloudstate::admin {

// The dashboard's files, each at its path, for the admin door to serve. The page gets `token`, to hand it in with what
// changes something. Browsers are told to let it reach nothing but this port, and to run no script but its own.
std::map<std::string, serving::HttpHandler> DashboardHandlers(const std::string& token);

}  // namespace cloudstate::admin
