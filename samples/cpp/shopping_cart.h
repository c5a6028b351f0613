#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "samples/cpp/user_function_server.h"

namespace cloudstate::samples {

// The shopping cart of samples/protos/shoppingcart: one event-sourced entity per user.
UserFunction ShoppingCart();

// Its service alone, for user functions that serve more.
EventSourcedService ShoppingCartService();

// For a user function in the same process.
absl::StatusOr<std::unique_ptr<UserFunctionServer>> StartShoppingCart(const std::string& address);

}  // namespace cloudstate::samples
