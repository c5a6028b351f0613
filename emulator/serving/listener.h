#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace boost::asio {
class io_context;
}

namespace cloudstate::serving {

// An accepted connection with the bytes already read from it. Whoever gets it owns the descriptor.
struct Connection {
  int fd = -1;
  std::string received;
  std::string peer;  // "127.0.0.1:51234", "[::1]:51234"
};

enum class WireProtocol { kHttp1, kHttp2 };

// Accepts on one port and tells HTTP/2 from anything else by the first bytes, without a thread per connection. Runs on
// the thread of its io_context, except where said otherwise.
class Listener {
 public:
  struct Options {
    std::string host;        // an address or a name
    std::uint16_t port = 0;  // 0: any free one
    absl::Duration first_bytes_within = absl::Seconds(10);
    // Connections that have not said enough yet; one more closes the one that has waited longest.
    std::size_t max_waiting = 1024;
  };
  using Handler = std::function<void(WireProtocol, Connection)>;

  // Starts to accept. ALREADY_EXISTS with the port and, if it can be told, the process that holds it; INVALID_ARGUMENT
  // for a host that is none of ours; else what the system says. Any thread.
  static absl::StatusOr<std::shared_ptr<Listener>> Open(boost::asio::io_context& io, Options options, Handler handler);
  virtual ~Listener() = default;

  virtual std::uint16_t port() const = 0;  // any thread

  // Stops accepting and closes the connections that are still waiting.
  virtual void Close() = 0;
};

}  // namespace cloudstate::serving
