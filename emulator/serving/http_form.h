#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "emulator/serving/backend.h"
#include "emulator/serving/front_door.h"
#include "emulator/serving/http_message.h"
#include "emulator/serving/transcoder.h"

namespace cloudstate::serving {

// How the answer to one call is written over HTTP: any number of messages and an end, or a failure instead. Pure.
class HttpForm {
 public:
  virtual ~HttpForm() = default;

  // One output message; INTERNAL if it cannot be written. The first one's content type is the answer's.
  struct Piece {
    std::string content_type;
    std::string bytes;
  };
  virtual absl::StatusOr<Piece> Message(std::string_view payload) const = 0;

  // The content type of an answer that begins without a message; nothing if only a message can tell.
  virtual std::optional<std::string> ContentType() const = 0;

  // What follows the last message.
  struct Ending {
    std::string bytes;
    bool whole = true;  // false: the body lacks its own end, so that a client that skips over `bytes` notices as well
  };
  virtual Ending End(const absl::Status& status) const = 0;

  // The whole answer of a call that failed before anything of it was sent.
  virtual HttpResponse Failure(const absl::Status& status) const = 0;

  // What can stand between two messages without a meaning; empty if nothing can.
  virtual absl::string_view Filler() const { return ""; }

  // Whether a quiet answer is to be kept alive by fillers.
  virtual bool HasHeartbeat() const { return false; }
};

// A request that was found to be a call.
struct HttpCall {
  const google::protobuf::MethodDescriptor* method = nullptr;  // kept by the form
  std::string payload;                                         // serialized input message
  absl::string_view protocol;                                  // as Call's
  std::unique_ptr<HttpForm> form;
};
using HttpCallOrRefusal = std::variant<HttpCall, HttpResponse>;

// The backend's call, with the request's metadata and deadline. INVALID_ARGUMENT names the header that is malformed.
absl::StatusOr<Call> MakeCall(const HttpMessage& request, const google::protobuf::MethodDescriptor& method,
                              std::string payload, absl::string_view protocol);

// Errors as text, or as problem documents for clients whose Accept header names them.
HttpResponse ErrorResponse(const HttpError& error, absl::string_view accept);
HttpResponse ErrorResponse(const absl::Status& status, absl::string_view accept);

}  // namespace cloudstate::serving
