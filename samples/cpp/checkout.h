#pragma once

#include "samples/cpp/user_function.h"

namespace cloudstate::samples {

// The checkout of samples/protos/checkout, an action, together with the shopping carts that it sends its commands to.
UserFunction Checkout();

}  // namespace cloudstate::samples
