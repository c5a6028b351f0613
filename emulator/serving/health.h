#pragma once

#include <functional>
#include <memory>

#include "emulator/serving/backend.h"

namespace grpc {
class Service;
}

namespace cloudstate::serving {

// grpc.health.v1 for the backend's services: a service is SERVING while it is known, the whole server ("") while any
// is. Check answers NOT_FOUND for other services, Watch SERVICE_UNKNOWN; a watcher hears of a change within a quarter
// of a second.
struct Health {
  std::unique_ptr<grpc::Service> service;
  std::function<void()> stop;  // ends the watchers' calls
};
Health HealthService(const Backend& backend);  // the backend must outlive it

}  // namespace cloudstate::serving
