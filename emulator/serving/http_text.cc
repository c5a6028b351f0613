#include "emulator/serving/http_text.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "emulator/base/printable.h"
#include "emulator/base/view.h"
#include "emulator/http2/grpc_framing.h"

namespace cloudstate::serving {
namespace {

constexpr absl::string_view kReplacementCharacter = "\xEF\xBF\xBD";

absl::Status BadTimeout(absl::string_view header, absl::string_view value) {
  return absl::InvalidArgumentError(absl::StrCat("header ", header, " is no time: ", value));
}

// Without the closing brace.
std::string ProblemStart(int http_status, absl::string_view detail) {
  return absl::StrCat(R"({"type":"about:blank","title":)", JsonString(ReasonPhrase(http_status)), R"(,"status":)",
                      http_status, R"(,"detail":)", JsonString(detail));
}

}  // namespace

bool Accepts(absl::string_view accept, absl::string_view type) {
  for (absl::string_view range : absl::StrSplit(accept, ',')) {
    std::vector<absl::string_view> parts = absl::StrSplit(range, ';');
    if (!absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(parts[0]), type)) continue;
    return std::none_of(parts.begin() + 1, parts.end(), [](absl::string_view part) {
      part = absl::StripAsciiWhitespace(part);
      double quality = 1;
      return absl::ConsumePrefix(&part, "q=") && absl::SimpleAtod(part, &quality) && quality <= 0;
    });
  }
  return false;
}

std::string JsonString(absl::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    const std::size_t length = base::CharacterBytes(base::ToStd(text));
    const char first = text[0];
    if (length == 0) {
      absl::StrAppend(&json, kReplacementCharacter);
    } else if (first == '"' || first == '\\') {
      json += {'\\', first};
    } else if (first == '\n') {
      json += "\\n";
    } else if (static_cast<unsigned char>(first) < 0x20) {
      absl::StrAppendFormat(&json, "\\u%04x", first);
    } else {
      absl::StrAppend(&json, text.substr(0, length));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  json += '"';
  return json;
}

std::string Utf8Prefix(absl::string_view text, std::size_t most_bytes) {
  std::string prefix;
  while (!text.empty()) {
    const std::size_t length = base::CharacterBytes(base::ToStd(text));
    const absl::string_view character = length == 0 ? kReplacementCharacter : text.substr(0, length);
    if (prefix.size() + character.size() > most_bytes) break;
    absl::StrAppend(&prefix, character);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return prefix;
}

std::string ProblemJson(int http_status, absl::string_view detail) {
  return absl::StrCat(ProblemStart(http_status, detail), "}");
}

std::string ProblemJson(int http_status, const absl::Status& status) {
  std::string json = absl::StrCat(ProblemStart(http_status, status.message()), R"(,"code":)",
                                  JsonString(absl::StatusCodeToString(status.code())));
  std::vector<std::pair<std::string, std::string>> members;
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& value) {
    if (absl::ConsumePrefix(&url, kProblemMember)) members.emplace_back(std::string(url), std::string(value));
  });
  std::sort(members.begin(), members.end());
  for (const auto& [name, value] : members) absl::StrAppend(&json, ",", JsonString(name), ":", JsonString(value));
  return json + "}";
}

absl::StatusOr<absl::Duration> ParseGrpcTimeout(absl::string_view value) {
  const auto timeout = http2::ParseTimeout(base::ToStd(value));
  if (!timeout.has_value()) return BadTimeout("grpc-timeout", value);
  return *timeout;
}

absl::StatusOr<absl::Duration> ParseServerTimeout(absl::string_view value) {
  double seconds = 0;
  if (!absl::SimpleAtod(value, &seconds) || !(seconds >= 0)) return BadTimeout("x-server-timeout", value);
  return absl::Seconds(seconds);
}

absl::string_view ReasonPhrase(int http_status) {
  switch (http_status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Status";
  }
}

std::string ResponseHead(int http_status, const HttpHeaders& headers) {
  std::string head = absl::StrCat("HTTP/1.1 ", http_status, " ", ReasonPhrase(http_status), "\r\n");
  for (const auto& [name, value] : headers) absl::StrAppend(&head, name, ": ", value, "\r\n");
  absl::StrAppend(&head, "\r\n");
  return head;
}

std::string Chunk(absl::string_view bytes) {
  if (bytes.empty()) return "";
  return absl::StrCat(absl::Hex(bytes.size()), "\r\n", bytes, "\r\n");
}

std::string ServerSentEvent(absl::string_view event, absl::string_view data) {
  if (event.empty()) return absl::StrCat("data: ", data, "\n\n");
  return absl::StrCat("event: ", event, "\ndata: ", data, "\n\n");
}

}  // namespace cloudstate::serving
