#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "samples/cpp/user_function_server.h"

namespace cloudstate::samples {

// The services of the conformance model, samples/protos/cloudstate/tck/model, without those for eventing: what
// they do is written in the commands they get, so that a test can make them do anything.
UserFunction TckModel();

absl::StatusOr<std::unique_ptr<UserFunctionServer>> StartTckModel(const std::string& address);

}  // namespace cloudstate::samples
