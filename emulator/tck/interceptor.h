#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cloudstate/entity.pb.h"
#include "emulator/tck/passed.h"
#include "emulator/tck/waiting.h"

namespace cloudstate::tck {

// Stands between a proxy and a user function, forwards every call in bytes, and writes down what passes in the order in
// which it does. Any thread.
class Interceptor {
 public:
  // `user_function` is HOST:PORT; the interceptor takes any free port of the loopback. UNAVAILABLE if there is none.
  static absl::StatusOr<std::unique_ptr<Interceptor>> Start(const std::string& user_function, Waiting& waiting);
  // Cancels what is still open.
  virtual ~Interceptor() = default;

  virtual std::uint16_t port() const = 0;
  std::string address() const { return "127.0.0.1:" + std::to_string(port()); }

  // The next `count` things that no call before has returned, in order; fewer when they don't come before `deadline`.
  virtual std::vector<Passed> Take(std::size_t count, absl::Time deadline) = 0;
  // What came that nobody has taken.
  virtual std::vector<Passed> TakeLeftOver() = 0;

  // From now on calls count from 0, and what still passes on those of before is forwarded but not written down. What
  // was to be replaced or is held back no longer is.
  virtual void StartAnew() = 0;

  // Of what the user function says next, on whichever call, the message after `before` others is this one in place of
  // its own.
  virtual void Replace(std::size_t before, std::string message) = 0;
  // Until Release what the user function says on this call stays here; it is written down when it goes on.
  virtual void HoldAnswers(std::size_t call) = 0;
  virtual void Release() = 0;

  // Discovery is forwarded as well, and kept apart. Both since the start.
  virtual std::vector<ProxyInfo> discoveries() const = 0;
  virtual std::vector<std::string> errors() const = 0;  // what reportError said
  // The next of these that no call before has returned since the last StartAnew; null when there is none before
  // `deadline`.
  virtual std::optional<std::string> TakeError(absl::Time deadline) = 0;
};

}  // namespace cloudstate::tck
