#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "samples/cpp/answer.h"

namespace google::protobuf {
class FileDescriptor;
}

namespace cloudstate {
class Metadata;
namespace action {
class ActionResponse;
}
}  // namespace cloudstate

namespace cloudstate::samples {

// What an action may do with one response: that of a call, or each one of a stream. A response that nothing is written
// to is allowed; the client gets no message for it.
class ActionContext : public Answer<action::ActionResponse> {
 public:
  ActionContext(const Metadata& metadata, action::ActionResponse& response) : Answer(response), metadata_(metadata) {}

  // What came along with the call.
  const Metadata& metadata() const { return metadata_; }

 private:
  const Metadata& metadata_;
};

// One call of a method that is streamed in any direction. Calls of these functions never overlap, but come from
// different threads.
class ActionStream {
 public:
  virtual ~ActionStream() = default;

  // The client's next request; the only one, when requests are not streamed. A status other than OK means that it
  // cannot be understood: the call fails with its text.
  virtual absl::Status OnRequest(const google::protobuf::Any& payload) = 0;
  // There are no more requests.
  virtual void OnHalfClose() {}
  // The client has gone, or its deadline has passed. Nothing is called after this.
  virtual void OnCancel() {}

  // Writes the next response, if there is one. Where responses are streamed it is called after each request and after
  // half-close until it says false, each time when the proxy has taken the response before: then the next request is
  // read, or, after half-close, the stream ends. Where they are not, it is called once, after half-close.
  virtual bool Next(ActionContext& context) = 0;
};

// A method's shape, and what serves it. The metadata is that of the call, and lives as long as the stream.
using OpenActionStream = std::function<std::unique_ptr<ActionStream>(const Metadata& metadata)>;
struct Unary {
  std::function<absl::Status(const google::protobuf::Any& payload, ActionContext& context)> handle;
};
struct StreamedIn {
  OpenActionStream open;
};
struct StreamedOut {
  OpenActionStream open;
};
struct Streamed {
  OpenActionStream open;
};
using ActionMethod = std::variant<Unary, StreamedIn, StreamedOut, Streamed>;

// A service without state. Its functions are called from any thread, and at the same time for different calls.
struct ActionService {
  std::string service_name;  // full name, as in its proto file
  // The file of the service. What it imports comes along.
  std::vector<const google::protobuf::FileDescriptor*> files;
  std::map<std::string, ActionMethod> methods;  // by name
};

}  // namespace cloudstate::samples
