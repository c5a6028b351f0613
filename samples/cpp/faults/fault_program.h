#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "samples/cpp/faults/fault_name.h"
#include "samples/cpp/user_function_server.h"

namespace cloudstate::samples {

// A user function as a program of its own, PROGRAM [--fault NAME | --list-faults], that listens where HOST and PORT
// say.
struct FaultProgram {
  using Start = std::function<absl::StatusOr<std::unique_ptr<UserFunctionServer>>(const std::string& address)>;

  std::string name;
  std::vector<FaultName> faults;
  Start start;  // as it should be
  // NOT_FOUND for a fault that it does not have.
  std::function<absl::StatusOr<std::unique_ptr<UserFunctionServer>>(const std::string& address,
                                                                    const std::string& fault)>
      start_faulty;
};

// For `main`; returns the exit code.
int RunFaultProgram(int argc, char** argv, const FaultProgram& program);

}  // namespace cloudstate::samples
