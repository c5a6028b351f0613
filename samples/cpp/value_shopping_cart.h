#pragma once

#include "samples/cpp/user_function.h"

namespace cloudstate::samples {

// The shopping cart of samples/protos/valueentity/shoppingcart: one value entity per user.
UserFunction ValueShoppingCart();

}  // namespace cloudstate::samples
