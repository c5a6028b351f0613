#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cloudstate/entity.pb.h"
#include "emulator/tck/waiting.h"
#include "google/protobuf/message.h"

namespace cloudstate::tck {

// Something that passed between a proxy and a user function on a call of a kind of entity or of actions.
struct Passed {
  enum class What {
    kToUserFunction,  // a message
    kToProxy,         // a message
    kHalfClosed,      // by the proxy; told where the proxy may send more than one message
    kCancelled,       // by the proxy, or the connection broke
    kEnded,           // by the user function; told where it may send more than one message, or answered none
  };

  std::size_t call = 0;  // 0, 1, 2… in the order of opening
  What what = What::kToUserFunction;
  std::string method = {};   // the call's path
  std::string message = {};  // serialized; for an end that is an error its text
};

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

  // From now on calls count from 0, and what still passes on those of before is forwarded but not written down.
  virtual void StartAnew() = 0;

  // Discovery is forwarded as well, and kept apart. Both since the start.
  virtual std::vector<ProxyInfo> discoveries() const = 0;
  virtual std::vector<std::string> errors() const = 0;  // what reportError said
};

// The message that `passed` carries, of the type that its method and direction have in protocol 0.2, which reads 0.1 as
// well; null for an end, for a method of no kind that is known, and for bytes that are no such message.
std::unique_ptr<google::protobuf::Message> ParsePassed(const Passed& passed);

// "#0 to the user function", "#1 half-closed by the proxy".
std::string DescribePassed(const Passed& passed);

}  // namespace cloudstate::tck
