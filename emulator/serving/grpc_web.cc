#include "emulator/serving/grpc_web.h"

#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "emulator/http2/grpc_framing.h"
#include "emulator/serving/grpc_status.h"

namespace cloudstate::serving {
namespace {

// A byte of flags, four of length, as messages have it over HTTP/2.
constexpr std::size_t kFrameHead = http2::kPrefixBytes;
constexpr unsigned char kCompressed = 0x01;
constexpr unsigned char kTrailers = 0x80;

std::string Frame(unsigned char flags, absl::string_view bytes, GrpcWebEncoding encoding) {
  auto head = http2::MessagePrefix(bytes.size());
  head[0] = static_cast<char>(flags);
  const std::string frame = absl::StrCat(absl::string_view(head.data(), head.size()), bytes);
  return encoding == GrpcWebEncoding::kText ? absl::Base64Escape(frame) : frame;
}

// Base64 that may be padded at several places, where the client flushed.
absl::StatusOr<std::string> DecodeText(absl::string_view text) {
  constexpr std::size_t kQuad = 4;
  std::string bytes;
  while (!text.empty()) {
    const std::size_t padding = text.find('=');
    const std::size_t end = padding == absl::string_view::npos ? text.size() : (padding / kQuad + 1) * kQuad;
    std::string part;
    if (end > text.size() || end % kQuad != 0 || !absl::Base64Unescape(text.substr(0, end), &part)) {
      return absl::InvalidArgumentError("the gRPC-Web request body is not base64");
    }
    bytes += part;
    text.remove_prefix(end);
  }
  return bytes;
}

absl::StatusOr<std::string> ReadFrame(absl::string_view bytes) {
  if (bytes.empty()) return absl::InternalError("the client sent no request message");
  if (bytes.size() < kFrameHead) {
    return absl::InvalidArgumentError("the gRPC-Web request body ends within the head of a frame");
  }
  const auto flags = static_cast<unsigned char>(bytes[0]);
  if (flags == kCompressed) {
    return absl::InternalError("the gRPC-Web message is marked as compressed, and no grpc-encoding says how");
  }
  if (flags != 0) {
    return absl::InvalidArgumentError(absl::StrCat("a gRPC-Web request cannot have a frame with the flags ", flags));
  }
  std::uint32_t length = 0;
  for (std::size_t i = 1; i < kFrameHead; ++i) length = length << 8 | static_cast<unsigned char>(bytes[i]);
  bytes.remove_prefix(kFrameHead);
  if (bytes.size() != length) {
    return absl::InvalidArgumentError(absl::StrCat("the gRPC-Web request body has to be one message: its frame says ",
                                                   length, " bytes, and ", bytes.size(), " follow"));
  }
  return std::string(bytes);
}

}  // namespace

std::optional<GrpcWebEncoding> GrpcWebEncodingOf(absl::string_view content_type) {
  const std::string lower =
      absl::AsciiStrToLower(absl::StripAsciiWhitespace(content_type.substr(0, content_type.find(';'))));
  const absl::string_view type = absl::StripSuffix(lower, "+proto");
  if (type == "application/grpc-web") return GrpcWebEncoding::kBinary;
  if (type == "application/grpc-web-text") return GrpcWebEncoding::kText;
  return std::nullopt;
}

std::string GrpcWebContentType(GrpcWebEncoding encoding) {
  return encoding == GrpcWebEncoding::kText ? "application/grpc-web-text+proto" : "application/grpc-web+proto";
}

absl::StatusOr<std::string> ReadGrpcWebMessage(absl::string_view body, GrpcWebEncoding encoding) {
  if (encoding == GrpcWebEncoding::kBinary) return ReadFrame(body);
  const auto bytes = DecodeText(body);
  if (!bytes.ok()) return bytes.status();
  return ReadFrame(*bytes);
}

std::string GrpcWebMessage(absl::string_view payload, GrpcWebEncoding encoding) { return Frame(0, payload, encoding); }

std::string GrpcWebTrailers(const absl::Status& status, GrpcWebEncoding encoding) {
  std::string block;
  for (const auto& [name, value] : GrpcStatusHeaders(status)) absl::StrAppend(&block, name, ": ", value, "\r\n");
  return Frame(kTrailers, block, encoding);
}

}  // namespace cloudstate::serving
