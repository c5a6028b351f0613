#pragma once

#include <memory>
#include <string>

#include "emulator/base/strand.h"
#include "emulator/userfunction/connection.h"

namespace cloudstate::userfunction {

// Keeps reaching for a user function over gRPC without TLS. From an address that nobody listens on it is as good as
// instant: the port is tried every few milliseconds at first, every second in the end, and gRPC comes in only when
// something answers there.
class GrpcTransport {
 public:
  // Both run on the strand, alternately, `up` first.
  struct Handler {
    // The connection is ready. It may be held, and its calls fail, after it was lost, but not after the transport has
    // gone.
    absl::AnyInvocable<void(std::shared_ptr<Connection>)> up;
    absl::AnyInvocable<void(absl::Status)> down;
  };

  // `address` is HOST:PORT. Largest message either way: `max_message_bytes`.
  static std::unique_ptr<GrpcTransport> Start(std::string address, std::size_t max_message_bytes, base::Strand& strand,
                                              Handler handler);
  // Cancels what is still open and waits for it. No handler runs after that. Not from a task of the strand.
  virtual ~GrpcTransport() = default;
};

}  // namespace cloudstate::userfunction
