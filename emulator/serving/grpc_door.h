#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "emulator/serving/backend.h"
#include "emulator/serving/listener.h"
#include "emulator/serving/transcoder.h"

namespace boost::asio {
class io_context;
}

namespace cloudstate::serving {

// Which requests are let in, by their Host (or :authority) and Origin; empty where the client sent none. An error
// refuses. Any thread.
using AccessPolicy =
    std::function<std::optional<HttpError>(std::string_view host, std::string_view origin, std::string_view method)>;

// Answers gRPC calls on connections that are handed to it: every method of the backend's services, reflection and
// health. All its connections are served by the io_context's one thread, which thus also starts the calls.
class GrpcDoor {
 public:
  struct Options {
    std::size_t max_message_bytes = 0;  // inbound; larger ones are RESOURCE_EXHAUSTED
    std::size_t max_header_bytes = 0;
    absl::Duration handshake_within;  // after the preface
    AccessPolicy policy;              // may be empty
  };

  // The io_context and the backend must outlive the door.
  static std::unique_ptr<GrpcDoor> Start(boost::asio::io_context& io, Options options, Backend& backend);
  virtual ~GrpcDoor() = default;

  // Takes over a connection that began with HTTP/2's preface. On the io_context's thread.
  virtual void Adopt(Connection connection) = 0;

  // Refuses new calls, lets the others finish until `deadline` and then cancels them. Returns when all have ended. To
  // be called once, from another thread, while the io_context runs.
  virtual void Shutdown(absl::Time deadline) = 0;
};

}  // namespace cloudstate::serving
