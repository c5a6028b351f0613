#pragma once

#include "samples/cpp/user_function.h"

namespace cloudstate::samples {

// Rooms to chat in: a map for each, samples/protos/chat.
UserFunction Chat();

}  // namespace cloudstate::samples
