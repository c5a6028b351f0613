#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tests/bench/load.h"

namespace cloudstate::bench {

struct HttpRequest {
  std::string method;  // "GET" or "POST"
  std::string target;
  std::string body;  // JSON
};

// HTTP/1.1 calls, over a connection for each lane that is kept from call to call. An answer other than 200 is an error.
// `address` is HOST:PORT; there are `lanes` lanes at most.
std::unique_ptr<Calls> HttpCalls(const std::string& address, std::size_t lanes,
                                 std::function<HttpRequest(std::size_t entity)> request);

}  // namespace cloudstate::bench
