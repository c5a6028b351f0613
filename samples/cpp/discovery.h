#pragma once

#include "cloudstate/entity.pb.h"
#include "samples/cpp/user_function.h"

namespace cloudstate::samples {

// What a proxy is told about a user function, with the descriptors of its services.
EntitySpec Describe(const UserFunction& user_function);

}  // namespace cloudstate::samples
