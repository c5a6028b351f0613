#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "emulator/serving/backend.h"
#include "emulator/serving/grpc_door.h"
#include "emulator/serving/transcoder.h"

namespace cloudstate::serving {

// A page that is not a service's method.
struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};
// Runs on the door's one thread for HTTP: it must be quick.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

// One port for gRPC and HTTP/1.1: the first bytes of a connection tell which it is, and either is answered by the same
// backend, without a second hop. Any thread.
class FrontDoor {
 public:
  struct Limits {
    std::size_t message_bytes = 12 * 1024 * 1024;  // inbound: a gRPC message, an HTTP body
    std::size_t header_bytes = 64 * 1024;
    std::size_t waiting_connections = 1024;  // ones that have not shown their protocol yet
    absl::Duration first_bytes = absl::Seconds(10);
    absl::Duration request_header = absl::Seconds(10);  // from its first byte
    absl::Duration request_body = absl::Seconds(60);
    absl::Duration idle = absl::Seconds(120);      // between requests
    absl::Duration write = absl::Seconds(60);      // for a whole answer that is not streamed
    absl::Duration heartbeat = absl::Seconds(15);  // of server-sent events
  };
  struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;      // 0: any free one
    Backend* backend = nullptr;  // must outlive the door; null: handlers only, and no gRPC
    AccessPolicy policy;         // empty: everyone may call
    // Web pages of loopback and of these origins ("https://app.example", "*") may call from a browser (CORS); nothing:
    // a browser lets only the door's own pages.
    std::optional<std::vector<std::string>> allowed_origins;
    std::map<std::string, HttpHandler> handlers;  // by exact path; before the backend's routes
    Limits limits;
  };

  // Listens and serves at once. The errors of Listener::Open; ALREADY_EXISTS is the port in use, and the caller adds
  // how to choose another.
  static absl::StatusOr<std::unique_ptr<FrontDoor>> Start(Options options);
  virtual ~FrontDoor() = default;  // shuts down with no grace if that has not been done

  virtual std::uint16_t port() const = 0;

  // Stops accepting, lets calls finish for at most `grace`, then cancels them. Returns when every connection is closed
  // and the backend is not called any more. Later calls do nothing.
  virtual void Shutdown(absl::Duration grace) = 0;
};

}  // namespace cloudstate::serving
