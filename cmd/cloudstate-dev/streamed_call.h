#pragma once

#include "cloudstate/dev/v1/dev.pb.h"
#include "cmd/cloudstate-dev/call_input.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/commands.h"

namespace cloudstate::cli {

// Calls a method with a stream in or out: sends each message of `input` as soon as it is there, prints each answer as
// it comes, and half-closes at the end of the input. Returns the exit code.
int RunStreamedCall(Client& client, const Settings& settings, dev::v1::CallStart start, InputStream input);

}  // namespace cloudstate::cli
