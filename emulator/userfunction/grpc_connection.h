#pragma once

#include <memory>
#include <string>

#include "emulator/base/strand.h"
#include "emulator/userfunction/connection.h"

namespace cloudstate::userfunction {

// Keeps reaching for a user function over gRPC without TLS, as a client that is made for that one purpose: HTTP/2 by
// nghttp2, a thread that reads, and whoever runs the strand writes. The port is tried every few milliseconds at first,
// every second in the end; something that accepts connections but does not speak HTTP/2 counts as not there.
class GrpcTransport {
 public:
  // They run on the strand, `up` and `down` alternately, `up` first.
  struct Handler {
    // The connection is ready. It may be held, and its calls fail, after it was lost, but not after the strand has
    // gone.
    absl::AnyInvocable<void(std::shared_ptr<Connection>)> up;
    // At once when it is lost: the socket is closed, the peer says goodbye (GOAWAY) or breaks the protocol.
    absl::AnyInvocable<void(absl::Status)> down;
    // Something accepts connections there, but speaks no HTTP/2. Told once, until it is up. May be empty.
    absl::AnyInvocable<void()> foreign = {};
  };

  // `address` is HOST:PORT. Largest message either way: `max_message_bytes`.
  static std::unique_ptr<GrpcTransport> Start(std::string address, std::size_t max_message_bytes, base::Strand& strand,
                                              Handler handler);
  // Cancels what is still open and waits for it. No handler runs after that. Not from a task of the strand.
  virtual ~GrpcTransport() = default;
};

}  // namespace cloudstate::userfunction
