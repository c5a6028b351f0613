#include "emulator/http2/grpc_framing.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "emulator/base/hex_digit.h"
#include "emulator/base/view.h"

namespace cloudstate::http2 {
namespace {

absl::Duration Unit(char letter) {
  switch (letter) {
    case 'n':
      return absl::Nanoseconds(1);
    case 'u':
      return absl::Microseconds(1);
    case 'm':
      return absl::Milliseconds(1);
    case 'S':
      return absl::Seconds(1);
    case 'M':
      return absl::Minutes(1);
    case 'H':
      return absl::Hours(1);
    default:
      return absl::ZeroDuration();
  }
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
    std::string message = std::exchange(message_, {});
    if (prefix_[0] != 0) {
      absl::StatusOr<std::string> plain = decompress_(message, max_message_bytes_);
      if (!plain.ok()) return plain.status();
      message = *std::move(plain);
    }
    take(std::move(message));
  }
  return absl::OkStatus();
}

absl::Status Deframer::TakePrefix() {
  if (prefix_[0] != 0 && (prefix_[0] != 1 || decompress_ == nullptr)) {
    return absl::InternalError("a message is said to be compressed, and nothing says how");
  }
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
  for (const char letter : {'u', 'm', 'S', 'H'}) {
    const absl::Duration unit = Unit(letter);
    const std::int64_t count = absl::Ceil(timeout, unit) / unit;
    if (count <= kMost) return absl::StrCat(std::max<std::int64_t>(count, 1), absl::string_view(&letter, 1));
  }
  return absl::StrCat(kMost, "H");
}

std::optional<absl::Duration> ParseTimeout(std::string_view text) {
  if (text.size() < 2 || text.size() > 9) return std::nullopt;
  const absl::Duration unit = Unit(text.back());
  text.remove_suffix(1);
  const bool digits =
      std::all_of(text.begin(), text.end(), [](unsigned char each) { return absl::ascii_isdigit(each); });
  std::int64_t count = 0;
  if (unit == absl::ZeroDuration() || !digits || !absl::SimpleAtoi(base::ToAbsl(text), &count)) return std::nullopt;
  return count * unit;
}

std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string result;
  result.reserve(text.size());
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    if (byte >= 0x20 && byte <= 0x7e && each != '%') {
      result.push_back(each);
    } else {
      result.append({'%', kDigits[byte >> 4], kDigits[byte & 0xf]});
    }
  }
  return result;
}

std::string PercentDecoded(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = base::HexDigit(text[i + 1]);
      const int low = base::HexDigit(text[i + 2]);
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

std::string BinaryHeaderText(std::string_view bytes) {
  std::string text = absl::Base64Escape(base::ToAbsl(bytes));
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::optional<std::string> ParseBinaryHeader(std::string_view text) {
  std::string bytes;
  if (!absl::Base64Unescape(base::ToAbsl(text), &bytes)) return std::nullopt;
  return bytes;
}

}  // namespace cloudstate::http2
