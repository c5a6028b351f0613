#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "samples/cpp/user_function_server.h"

namespace cloudstate::samples {

// The shopping cart of samples/protos/shoppingcart: one event-sourced entity per user.
UserFunction ShoppingCart();

// For a user function in the same process.
absl::StatusOr<std::unique_ptr<UserFunctionServer>> StartShoppingCart(const std::string& address);

struct SampleOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
};

// Serves the cart until SIGINT or SIGTERM; returns the exit code.
int RunShoppingCart(const SampleOptions& options);

}  // namespace cloudstate::samples
