#pragma once

#include <memory>

#include "emulator/serving/backend.h"

namespace cloudstate::serving {

// Server reflection for the services that `described` has, grpc.reflection.v1alpha and v1; it must outlive this. Both
// list themselves first and then the services by name. What is unknown gets an empty file list from v1alpha, as the
// published proxy answers, and NOT_FOUND from v1.
std::unique_ptr<Backend> ReflectionBackend(const Backend& described);

}  // namespace cloudstate::serving
