#pragma once

#include <optional>
#include <string>

#include "emulator/base/wake_event.h"

namespace cloudstate::userfunction {

// A socket that is connected to HOST:PORT and does not block; nullopt if nothing accepts connections there, or `stop`
// is set. HOST is a name, an IPv4 address, or an IPv6 address in brackets; each of its addresses is given a second.
std::optional<int> ConnectTo(const std::string& address, const base::WakeEvent& stop);

}  // namespace cloudstate::userfunction
