#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/serving/backend.h"
#include "emulator/serving/per_services.h"
#include "emulator/serving/transcoder.h"

namespace cloudstate::admin {

// Calls the user function's methods with JSON in and out. Any thread.
class Caller {
 public:
  explicit Caller(serving::Backend& user_function);

  // Answers `client` with a CallResponse, or with INVALID_ARGUMENT for JSON or headers that don't fit, NOT_FOUND for an
  // unknown method, UNAVAILABLE while there is no user function. A call that fails further on is an OK answer that says
  // so.
  void Call(const dev::v1::CallRequest& request, std::string peer, std::shared_ptr<serving::Responder> client);

 private:
  using Made = absl::StatusOr<std::unique_ptr<serving::Transcoder>>;

  serving::Backend& user_function_;
  serving::PerServices<Made> transcoders_;
};

}  // namespace cloudstate::admin
