#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cloudstate::tck {

struct HttpRequest {
  std::string method = "POST";
  std::string target;
  std::string body = {};  // JSON
  std::map<std::string, std::string> headers = {};  // beside those that every request has
};

struct HttpAnswer {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::map<std::string, std::string> headers = {};  // by their names in lower case; the last one of a name
};

// One HTTP/1.1 request on a connection of its own; waits for the whole answer. `address` is HOST:PORT.
absl::StatusOr<HttpAnswer> SendHttp(const std::string& address, const HttpRequest& request, absl::Time deadline);

}  // namespace cloudstate::tck
