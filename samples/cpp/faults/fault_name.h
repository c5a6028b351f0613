#pragma once

#include <string>

namespace cloudstate::samples {

struct FaultName {
  std::string name;
  std::string description;  // what a user function with it does wrong
};

}  // namespace cloudstate::samples
