#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/admin/method_json.h"
#include "emulator/serving/backend.h"
#include "emulator/serving/per_services.h"

namespace cloudstate::admin {

// Calls the user function's methods with JSON in and out. Any thread.
class Caller {
 public:
  explicit Caller(serving::Backend& user_function);

  // Answers `client` with a CallResponse, or with INVALID_ARGUMENT for JSON, headers or a shape that don't fit,
  // NOT_FOUND for an unknown method, UNAVAILABLE while there is no user function. A call that fails further on is an OK
  // answer that says so.
  void Call(const dev::v1::CallRequest& request, std::string peer, std::shared_ptr<serving::Responder> client);

  // The same for messages that stream: `requests` are CallStreamRequests, the answers CallStreamResponses. Nothing is
  // read ahead and nothing piles up: either side waits for the other one. An error of `check`, if there is one, refuses
  // the call.
  using StartCheck = std::function<absl::Status(const dev::v1::CallStart&)>;
  void CallStream(std::shared_ptr<serving::RequestStream> requests, std::string peer, StartCheck check,
                  std::shared_ptr<serving::Responder> client);

 private:
  serving::Backend& user_function_;
  serving::PerServices<MethodJson> methods_;
};

// A call that is ready to be started, but for its input.
struct PreparedCall {
  std::shared_ptr<const MethodJson> json;  // keeps `method`
  const google::protobuf::MethodDescriptor* method = nullptr;
  serving::Call call = {};
};

// `start` as a call of `user_function`; errors as in Caller::Call.
absl::StatusOr<PreparedCall> Prepare(const dev::v1::CallStart& start, std::string peer, serving::Backend& user_function,
                                     serving::PerServices<MethodJson>& methods);

}  // namespace cloudstate::admin
