#pragma once

#include <memory>
#include <vector>

#include "emulator/serving/backend.h"

namespace grpc {
class Service;
}

namespace cloudstate::serving {

// Server reflection for the backend's services, grpc.reflection.v1alpha and v1; the backend must outlive them. Both
// list themselves first and then the services by name. What is unknown gets an empty file list from v1alpha, as the
// published proxy answers, and NOT_FOUND from v1.
std::vector<std::unique_ptr<grpc::Service>> ReflectionServices(const Backend& backend);

}  // namespace cloudstate::serving
