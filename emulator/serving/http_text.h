#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace cloudstate::serving {

// The text forms that an HTTP answer is made of. Pure.

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// A status payload under this prefix becomes a member of the problem document: "cloudstate.dev/problem/entityId" gives
// "entityId". Its bytes are text.
inline constexpr absl::string_view kProblemMember = "cloudstate.dev/problem/";

// What a client waits for that asked whether to send the body of its request.
inline constexpr absl::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// Whether an Accept header names `type` itself, not by a wildcard, with a quality above zero.
bool Accepts(absl::string_view accept, absl::string_view type);

// A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
std::string JsonString(absl::string_view text);

// As much of `text` as fits into `most_bytes` in whole characters; bytes that are not UTF-8 become U+FFFD.
std::string Utf8Prefix(absl::string_view text, std::size_t most_bytes);

// An RFC 9457 problem document: type, title, status and detail; for a failed call, the gRPC code's name and the members
// above as well.
std::string ProblemJson(int http_status, absl::string_view detail);
std::string ProblemJson(int http_status, const absl::Status& status);

// The deadline that a client asks for: gRPC's form ("100m": digits and one of H M S m u n) or seconds ("1.5").
// INVALID_ARGUMENT names the header and its value.
absl::StatusOr<absl::Duration> ParseGrpcTimeout(absl::string_view value);
absl::StatusOr<absl::Duration> ParseServerTimeout(absl::string_view value);

absl::string_view ReasonPhrase(int http_status);

// Everything before the body, with the empty line.
std::string ResponseHead(int http_status, const HttpHeaders& headers);

// One chunk of a chunked body; nothing for no bytes, because an empty chunk would end the body.
std::string Chunk(absl::string_view bytes);
inline constexpr absl::string_view kLastChunk = "0\r\n\r\n";

// One server-sent event; `data` has no line breaks. An empty `event` is the default one.
std::string ServerSentEvent(absl::string_view event, absl::string_view data);
inline constexpr absl::string_view kServerSentHeartbeat = ":\n\n";

}  // namespace cloudstate::serving
