#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>

#include "absl/status/status.h"

namespace cloudstate::samples {

// A port on which services are served. Stops and cancels the calls that are open when it goes: declare it after what
// serves them.
class Listening {
 public:
  Listening() = default;
  ~Listening();
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  // `address` is HOST:PORT; port 0 takes any free one. UNAVAILABLE when the address cannot be listened on. Once only.
  absl::Status Start(const std::string& address, std::initializer_list<grpc::Service*> services);

  std::uint16_t port() const { return static_cast<std::uint16_t>(port_); }

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace cloudstate::samples
