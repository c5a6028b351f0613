#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace cloudstate::userfunction {

// What the headers and trailers of a response say.
struct ResponseHeaders {
  int http_status = 0;
  int grpc_status = -1;  // none has come
  bool grpc_content = false;
  std::string grpc_message;

  void Add(std::string_view name, std::string_view value);
  // Whether the body consists of messages.
  bool has_messages() const { return http_status == 200 && grpc_content; }
};

// The outcome of a call whose response has ended in order.
absl::Status OutcomeOf(const ResponseHeaders& headers);

// The outcome of a call that was reset with this HTTP/2 error code.
absl::Status OutcomeOfReset(std::uint32_t error_code);

}  // namespace cloudstate::userfunction
