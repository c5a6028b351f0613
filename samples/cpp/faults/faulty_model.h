#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "samples/cpp/faults/fault_name.h"
#include "samples/cpp/user_function_server.h"

namespace cloudstate::samples {

// The faults that can be planted in the conformance model, to see whether a kit finds them.
std::vector<FaultName> TckModelFaults();

// The model with one fault. NOT_FOUND for a fault that is not among those above. The fault is not in the model, but in
// a relay before it, that changes messages as they go by; it takes a thread or two for each open call.
absl::StatusOr<std::unique_ptr<UserFunctionServer>> StartFaultyTckModel(const std::string& address,
                                                                        const std::string& fault);

}  // namespace cloudstate::samples
