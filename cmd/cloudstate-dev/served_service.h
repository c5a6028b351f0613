#pragma once

#include <string>

#include "absl/status/status.h"
#include "cmd/cloudstate-dev/client.h"

namespace cloudstate::cli {

// Makes what a person calls a service that the emulator serves, such as the last part of its name, the full name that
// filters want. NOT_FOUND says what may have been meant. An empty name stays that, and so does any before the user
// function has come, since nobody knows then.
absl::Status UseServedService(Client& client, std::string& service);

}  // namespace cloudstate::cli
