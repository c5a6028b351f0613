#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "samples/cpp/faults/fault.h"
#include "samples/cpp/faults/fault_name.h"
#include "samples/cpp/user_function_server.h"

namespace cloudstate::samples {

// What can be wrong with the checkout and its shopping carts: mistakes that people make in user functions.
std::vector<FaultName> CartFaults();

// The checkout with one of them. NOT_FOUND for a fault that is not among those above.
absl::StatusOr<std::unique_ptr<UserFunctionServer>> StartFaultyCart(const std::string& address,
                                                                    const std::string& fault);

// Those that are in the cart's code, with `model` only, and those that are in its messages.
std::vector<Fault> CartCodeFaults();
std::vector<Fault> CartMessageFaults();

}  // namespace cloudstate::samples
