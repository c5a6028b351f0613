#include "emulator/userfunction/grpc_framing.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace cloudstate::userfunction {
namespace {

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::StatusCode CodeOfHttpStatus(int status) {
  switch (status) {
    case 400:
      return absl::StatusCode::kInternal;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kUnknown;
  }
}

// -1 for what is no hexadecimal digit.
int HexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(digit));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::array<char, kPrefixBytes> MessagePrefix(std::size_t size) {
  return {0, static_cast<char>(size >> 24 & 0xff), static_cast<char>(size >> 16 & 0xff),
          static_cast<char>(size >> 8 & 0xff), static_cast<char>(size & 0xff)};
}

absl::Status Deframer::Feed(std::string_view bytes, absl::FunctionRef<void(std::string message)> take) {
  while (!bytes.empty()) {
    if (prefix_bytes_ < kPrefixBytes) {
      const std::size_t part = std::min(bytes.size(), kPrefixBytes - prefix_bytes_);
      std::copy_n(bytes.begin(), part, prefix_.begin() + static_cast<std::ptrdiff_t>(prefix_bytes_));
      prefix_bytes_ += part;
      bytes.remove_prefix(part);
      if (prefix_bytes_ < kPrefixBytes) break;
      if (absl::Status status = TakePrefix(); !status.ok()) return status;
    }
    const std::size_t part = std::min(bytes.size(), size_ - message_.size());
    message_.append(bytes.substr(0, part));
    bytes.remove_prefix(part);
    if (message_.size() < size_) break;
    prefix_bytes_ = 0;
    take(std::exchange(message_, {}));
  }
  return absl::OkStatus();
}

absl::Status Deframer::TakePrefix() {
  if (prefix_[0] != 0) return absl::InternalError("a message is compressed, which was not asked for");
  size_ = 0;
  for (std::size_t i = 1; i < kPrefixBytes; ++i) size_ = size_ << 8 | static_cast<unsigned char>(prefix_[i]);
  if (size_ > max_message_bytes_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a message of ", size_, " bytes is larger than the limit of ", max_message_bytes_));
  }
  message_.reserve(size_);
  return absl::OkStatus();
}

std::string TimeoutText(absl::Duration timeout) {
  constexpr std::int64_t kMost = 99'999'999;
  constexpr std::pair<absl::Duration, char> kUnits[] = {
      {absl::Microseconds(1), 'u'}, {absl::Milliseconds(1), 'm'}, {absl::Seconds(1), 'S'}, {absl::Hours(1), 'H'}};
  for (const auto& [unit, letter] : kUnits) {
    const std::int64_t count = absl::Ceil(timeout, unit) / unit;
    if (count <= kMost) return absl::StrCat(std::max<std::int64_t>(count, 1), absl::string_view(&letter, 1));
  }
  return absl::StrCat(kMost, "H");
}

std::string PercentDecoded(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high >= 0 && low >= 0) {
        result.push_back(static_cast<char>(high * 16 + low));
        i += 2;
        continue;
      }
    }
    result.push_back(text[i]);
  }
  return result;
}

void ResponseHeaders::Add(std::string_view name, std::string_view value) {
  if (name == ":status") {
    if (!absl::SimpleAtoi(View(value), &http_status)) http_status = 0;
  } else if (name == "content-type") {
    grpc_content = value.starts_with("application/grpc");
  } else if (name == "grpc-status") {
    // A number that is none of gRPC's is an unknown failure.
    if (!absl::SimpleAtoi(View(value), &grpc_status) || grpc_status < 0 || grpc_status > 16) grpc_status = 2;
  } else if (name == "grpc-message") {
    grpc_message = PercentDecoded(value);
  }
}

absl::Status OutcomeOf(const ResponseHeaders& headers) {
  if (headers.grpc_status >= 0) {
    return absl::Status(static_cast<absl::StatusCode>(headers.grpc_status), headers.grpc_message);
  }
  if (headers.http_status != 200) {
    return absl::Status(CodeOfHttpStatus(headers.http_status),
                        absl::StrCat("the answer is not gRPC: HTTP status ", headers.http_status));
  }
  return absl::UnknownError("the call was ended without a status");
}

absl::Status OutcomeOfReset(std::uint32_t error_code) {
  const std::string text = absl::StrCat("the call was reset (HTTP/2 error code ", error_code, ")");
  switch (error_code) {
    case 5:  // STREAM_CLOSED
      return absl::UnknownError(text);
    case 7:  // REFUSED_STREAM
      return absl::UnavailableError(text);
    case 8:  // CANCEL
      return absl::CancelledError(text);
    case 11:  // ENHANCE_YOUR_CALM
      return absl::ResourceExhaustedError(text);
    case 12:  // INADEQUATE_SECURITY
      return absl::PermissionDeniedError(text);
    default:
      return absl::InternalError(text);
  }
}

}  // namespace cloudstate::userfunction
