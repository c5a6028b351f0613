#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "samples/cpp/user_function.h"
#include "samples/cpp/workers.h"

namespace cloudstate::samples {

// Serves what a user function declares over protocol 0.2. Open streams cost memory but no thread. What a proxy reports
// as an error goes to stderr.
class UserFunctionServer {
 public:
  // `address` is HOST:PORT; port 0 takes any free one. UNAVAILABLE when the address cannot be listened on. The commands
  // of entities that are stored are worked on as `work` says.
  static absl::StatusOr<std::unique_ptr<UserFunctionServer>> Start(const std::string& address,
                                                                   UserFunction user_function, Work work = {});

  // Stops; cancels the streams that are open.
  virtual ~UserFunctionServer() = default;

  virtual std::uint16_t port() const = 0;
};

using StartServer = std::function<absl::StatusOr<std::unique_ptr<UserFunctionServer>>()>;

// Starts a server, says so on stdout, and serves until SIGINT or SIGTERM, for a `main`; returns its exit code. Call it
// while the process has one thread.
int ServeUntilSignal(const std::string& name, const StartServer& start);

}  // namespace cloudstate::samples
