#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "emulator/serving/backend.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::serving {

// An HTTP request as far as transcoding cares.
struct HttpRequest {
  std::string method;        // "GET"
  std::string path;          // as on the wire, still percent-encoded, without the query
  std::string query;         // as on the wire, without the question mark
  std::string content_type;  // whole header value; empty when absent
  std::string body;
};

// One HTTP binding of a method.
struct Route {
  std::string http_method;  // "*" for any
  std::string path;         // the template as written
  std::string body;         // "", "*" or a field's name
  std::string response_body;
  const google::protobuf::MethodDescriptor* method = nullptr;
  bool generated = false;     // the POST /package.Service/Method that every method gets
  bool raw_response = false;  // the answer is an HttpBody's bytes, not JSON
};

// Why a request has no binding: an HTTP status with its plain text.
struct HttpError {
  int status = 500;
  std::string text;
  std::string allow;  // the Allow header of a 405
};

// A request that fits a route, as the method's input.
struct Transcoded {
  const Route* route = nullptr;
  std::string payload;  // serialized input message
};

// A streamed method as a WebSocket's path names it, with what the path and the query lay over each message.
struct MessageTarget {
  const Route* route = nullptr;
  std::string query;
  std::vector<std::string> variables;
};

// HTTP and JSON on one side, serialized messages on the other, by the google.api.http rules of the services and one
// generated route for each method. Pure; immutable after Create, so that any thread may use it.
class Transcoder {
 public:
  // INVALID_ARGUMENT, with the service, method and rule in the text, for a template that cannot be parsed, a field that
  // does not exist or cannot stand in a path or body, and nested additional_bindings.
  static absl::StatusOr<std::unique_ptr<Transcoder>> Create(std::shared_ptr<const Services> services);
  virtual ~Transcoder() = default;

  virtual const std::vector<Route>& routes() const = 0;

  // 404 with the nearest known routes, 405 with Allow, 415 for a body that is not JSON, 400 naming the parameter or the
  // place in the JSON. See docs/http.md.
  virtual std::variant<Transcoded, HttpError> Decode(const HttpRequest& request) const = 0;

  // The streamed method that a path is bound to, whatever the HTTP method; 404 with the nearest known routes.
  virtual std::variant<MessageTarget, HttpError> FindStream(const HttpRequest& request) const = 0;

  // One JSON message as the method's serialized input. It is what the route's body would be, and the whole input where
  // the route has none. INVALID_ARGUMENT names the parameter or the place in the JSON.
  virtual absl::StatusOr<std::string> DecodeMessage(const MessageTarget& target, const std::string& json) const = 0;

  // A reply as the body of the HTTP response: proto3 JSON with defaults, the route's response_body, or an HttpBody's
  // bytes.
  struct Body {
    std::string content_type;
    std::string bytes;
  };
  virtual absl::StatusOr<Body> Encode(const Route& route, std::string_view payload) const = 0;
};

// The HTTP status for a failed call.
int HttpStatus(absl::StatusCode code);

}  // namespace cloudstate::serving
