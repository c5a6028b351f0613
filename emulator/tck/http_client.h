#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cloudstate::tck {

struct HttpRequest {
  std::string method = "POST";
  std::string target;
  std::string body = {};                            // JSON
  std::map<std::string, std::string> headers = {};  // beside those that every request has
  bool takes_partial = false;                       // an answer that breaks off is taken as far as it came
};

struct HttpAnswer {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::map<std::string, std::string> headers = {};  // by their names in lower case; the last one of a name
  bool partial = false;                             // it has broken off
};

// Ends a request that is under way, or that has not begun yet, with CANCELLED. Any thread.
class HttpCancellation {
 public:
  void Cancel();

  // For the request: what ends it, until it has nothing to end any more (null).
  void SetHow(std::function<void()> how);
  bool cancelled() const;

 private:
  mutable std::mutex mutex_;
  bool cancelled_ = false;
  std::function<void()> how_;
};

// One HTTP/1.1 request on a connection of its own; waits for the whole answer. `address` is HOST:PORT.
absl::StatusOr<HttpAnswer> SendHttp(const std::string& address, const HttpRequest& request, absl::Time deadline,
                                    HttpCancellation* cancellation = nullptr);

}  // namespace cloudstate::tck
