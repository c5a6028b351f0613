#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "samples/cpp/faults/fault.h"
#include "samples/cpp/user_function_server.h"

namespace cloudstate::samples {

// A user function that passes everything on to `model`, and everything back, the way `fault` has it. UNAVAILABLE when
// `address` cannot be listened on.
absl::StatusOr<std::unique_ptr<UserFunctionServer>> StartRelay(const std::string& address,
                                                               std::unique_ptr<UserFunctionServer> model, Fault fault);

}  // namespace cloudstate::samples
