#pragma once

#include "samples/cpp/user_function.h"

namespace cloudstate::samples {

// Who is online: a vote for each user, samples/protos/presence.
UserFunction Presence();

}  // namespace cloudstate::samples
