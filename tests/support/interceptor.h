#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cloudstate/entity.pb.h"
#include "cloudstate/event_sourced.pb.h"

namespace cloudstate::support {

// Something that was seen on an entity's stream, as text so that a test can compare and print it.
struct Seen {
  std::size_t stream = 0;  // 0, 1, 2… in the order of opening
  std::string what;        // as the functions below give it

  bool operator==(const Seen&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Seen& seen);

// What one side says: every field that is set, whole.
Seen ToUserFunction(std::size_t stream, const eventsourced::EventSourcedStreamIn& message);
Seen FromUserFunction(std::size_t stream, const eventsourced::EventSourcedStreamOut& message);
Seen HalfClosed(std::size_t stream);      // by the proxy
Seen Cancelled(std::size_t stream);       // by the proxy, or the connection broke
Seen StreamFinished(std::size_t stream);  // by the user function, in an orderly way or not

// Stands between a proxy and a user function, forwards everything, and writes down what passes in the order in which it
// does. An end that the user function brings about unasked reaches the proxy as a cancelled call. Any thread.
class Interceptor {
 public:
  // `user_function` is HOST:PORT; the interceptor takes any free port.
  static std::unique_ptr<Interceptor> Start(const std::string& user_function);
  virtual ~Interceptor() = default;

  virtual std::string address() const = 0;

  // The next `count` things that no call before has returned, in order; fewer when they don't come within `timeout`.
  virtual std::vector<Seen> Take(std::size_t count, absl::Duration timeout = absl::Seconds(10)) = 0;
  // Waits out `quiet` and returns what came that nobody has taken.
  virtual std::vector<Seen> TakeLeftOver(absl::Duration quiet = absl::Milliseconds(10)) = 0;

  virtual std::vector<ProxyInfo> discoveries() const = 0;
  virtual std::vector<std::string> errors() const = 0;  // what reportError said
};

}  // namespace cloudstate::support
