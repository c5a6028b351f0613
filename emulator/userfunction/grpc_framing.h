#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

namespace cloudstate::userfunction {

// How gRPC puts messages and outcomes into HTTP/2, after its published protocol description ("gRPC over HTTP2").

// What stands before each message on the wire: a flag, never set by us, that it is compressed, and its size.
constexpr std::size_t kPrefixBytes = 5;
std::array<char, kPrefixBytes> MessagePrefix(std::size_t size);

// Puts messages together from bytes that come in any pieces.
class Deframer {
 public:
  // Larger messages are refused.
  explicit Deframer(std::size_t max_message_bytes) : max_message_bytes_(max_message_bytes) {}

  // Gives each message that is now whole to `take`. RESOURCE_EXHAUSTED for one that is too large, INTERNAL for one that
  // is compressed, which nobody asked for; nothing can be fed after that.
  absl::Status Feed(std::string_view bytes, absl::FunctionRef<void(std::string message)> take);

  // No message has been begun that is not whole.
  bool between_messages() const { return prefix_bytes_ == 0; }

 private:
  absl::Status TakePrefix();

  const std::size_t max_message_bytes_;
  std::array<char, kPrefixBytes> prefix_{};
  std::size_t prefix_bytes_ = 0;  // that have come; of the message's own only after all of them
  std::size_t size_ = 0;
  std::string message_;
};

// The value of grpc-timeout: at most eight digits and a unit, never less than asked for. `timeout` is finite.
std::string TimeoutText(absl::Duration timeout);

// The text of grpc-message. What is not well-formed stays as it is.
std::string PercentDecoded(std::string_view text);

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
