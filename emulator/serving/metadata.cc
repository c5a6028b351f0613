#include "emulator/serving/metadata.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "emulator/base/log.h"
#include "emulator/base/view.h"
#include "emulator/userfunction/utf8.h"

namespace cloudstate::serving {
namespace {

constexpr std::array<absl::string_view, 14> kTransportHeaders = {
    "connection", "content-length",  "content-type",        "expect",
    "host",       "keep-alive",      "proxy-authorization", "proxy-connection",
    "te",         "trailer",         "transfer-encoding",   "upgrade",
    "x-grpc-web", "x-server-timeout"};

bool BelongsToTransport(absl::string_view name) {
  return absl::StartsWith(name, "grpc-") || absl::StartsWith(name, "sec-websocket-") ||
         std::find(kTransportHeaders.begin(), kTransportHeaders.end(), name) != kTransportHeaders.end();
}

// The characters that gRPC allows in a name, which HTTP allows as well.
bool IsName(absl::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char each) {
    return absl::ascii_islower(each) || absl::ascii_isdigit(each) || each == '-' || each == '_' || each == '.';
  });
}

bool IsPrintable(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char each) { return each >= 0x20 && each <= 0x7e; });
}

}  // namespace

void AddRequestHeader(absl::string_view name, absl::string_view value, HeaderKind kind, Metadata& metadata) {
  if (BelongsToTransport(name)) return;
  // HTTP lets such bytes through, but a message that has them in a text cannot be read at the other end.
  if (kind == HeaderKind::kText && !userfunction::IsValidUtf8(base::ToStd(value))) {
    base::LogWarning(absl::StrCat("the request header ", name, " is not UTF-8 and was left out"));
    return;
  }
  MetadataEntry& entry = *metadata.add_entries();
  entry.set_key(std::string(name));
  if (kind == HeaderKind::kBytes) {
    entry.set_bytes_value(std::string(value));
  } else {
    entry.set_string_value(std::string(value));
  }
}

std::vector<ResponseHeader> ResponseHeaders(const Metadata& metadata) {
  std::vector<ResponseHeader> headers;
  headers.reserve(static_cast<std::size_t>(metadata.entries_size()));
  for (const MetadataEntry& entry : metadata.entries()) {
    ResponseHeader header;
    header.name = absl::AsciiStrToLower(entry.key());
    const bool binary_name = absl::EndsWith(header.name, "-bin");
    header.kind = binary_name ? HeaderKind::kBytes : HeaderKind::kText;
    header.value =
        entry.has_bytes_value() ? absl::string_view(entry.bytes_value()) : absl::string_view(entry.string_value());
    const bool value_fits = binary_name || (!entry.has_bytes_value() && IsPrintable(header.value));
    if (!IsName(header.name) || BelongsToTransport(header.name) || !value_fits) {
      base::LogWarning(absl::StrCat("response metadata '", entry.key(), "' cannot travel as a header and is left out"));
      continue;
    }
    headers.push_back(std::move(header));
  }
  return headers;
}

}  // namespace cloudstate::serving
