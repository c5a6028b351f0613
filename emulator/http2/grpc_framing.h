#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace cloudstate::http2 {

// How gRPC puts messages, and text about them, into HTTP/2, after its published protocol description ("gRPC over
// HTTP2").

// What stands before each message on the wire: a flag, never set by us, that it is compressed, and its size.
constexpr std::size_t kPrefixBytes = 5;
std::array<char, kPrefixBytes> MessagePrefix(std::size_t size);

// Undoes a compression. RESOURCE_EXHAUSTED if the result is larger than `max_bytes`.
using Decompress = absl::StatusOr<std::string> (*)(std::string_view bytes, std::size_t max_bytes);

// Puts messages together from bytes that come in any pieces.
class Deframer {
 public:
  // Larger messages are refused, compressed or not. Without `decompress` compressed ones are.
  explicit Deframer(std::size_t max_message_bytes, Decompress decompress = nullptr)
      : max_message_bytes_(max_message_bytes), decompress_(decompress) {}

  // Gives each message that is now whole to `take`. RESOURCE_EXHAUSTED for one that is too large, INTERNAL for one that
  // is compressed though nobody said so, or wrongly; nothing can be fed after that.
  absl::Status Feed(std::string_view bytes, absl::FunctionRef<void(std::string message)> take);

  // No message has been begun that is not whole.
  bool between_messages() const { return prefix_bytes_ == 0; }

 private:
  absl::Status TakePrefix();

  std::size_t max_message_bytes_;
  Decompress decompress_;
  std::array<char, kPrefixBytes> prefix_{};
  std::size_t prefix_bytes_ = 0;  // that have come; of the message's own only after all of them
  std::size_t size_ = 0;
  std::string message_;
};

// The value of grpc-timeout: at most eight digits and a unit, never less than asked for. `timeout` is finite.
std::string TimeoutText(absl::Duration timeout);
// Nothing for a text that is no such value.
std::optional<absl::Duration> ParseTimeout(std::string_view text);

// The text of grpc-message and back. What is not well-formed stays as it is.
std::string PercentEncoded(std::string_view text);
std::string PercentDecoded(std::string_view text);

// The value of a header whose name ends in "-bin", without padding, and back: with or without. Nothing for what is not
// base64.
std::string BinaryHeaderText(std::string_view bytes);
std::optional<std::string> ParseBinaryHeader(std::string_view text);

}  // namespace cloudstate::http2
