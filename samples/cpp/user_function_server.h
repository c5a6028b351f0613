#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "samples/cpp/entity.h"

namespace cloudstate::samples {

struct UserFunction {
  std::string name;
  std::string version;
  std::vector<EntityDescription> entities;
};

// Serves event-sourced entities over protocol 0.2: `cloudstate.EntityDiscovery` and
// `cloudstate.eventsourced.EventSourced`. Open streams cost memory but no thread. What a proxy reports as an error goes
// to stderr.
class UserFunctionServer {
 public:
  // `address` is HOST:PORT; port 0 takes any free one. UNAVAILABLE when the address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<UserFunctionServer>> Start(const std::string& address,
                                                                   UserFunction user_function);

  // Stops; cancels the streams that are open.
  virtual ~UserFunctionServer() = default;

  virtual std::uint16_t port() const = 0;
};

// Serves until SIGINT or SIGTERM, for a `main`; returns its exit code. Call it while the process has one thread.
int ServeUntilSignal(const std::string& address, UserFunction user_function);

}  // namespace cloudstate::samples
