#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cloudstate::tck {

struct HttpRequest {
  std::string method = "POST";
  std::string target;
  std::string body = {};  // JSON
  // One header beside those that every request has; empty for none.
  std::string header_name = {};
  std::string header_value = {};
};

struct HttpAnswer {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
};

// One HTTP/1.1 request on a connection of its own; waits for the whole answer. `address` is HOST:PORT.
absl::StatusOr<HttpAnswer> SendHttp(const std::string& address, const HttpRequest& request, absl::Time deadline);

}  // namespace cloudstate::tck
