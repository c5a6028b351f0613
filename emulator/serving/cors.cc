#include "emulator/serving/cors.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace cloudstate::serving {
namespace {

// How long a browser may remember the answer. Short, so that a changed --allow-origin is noticed.
constexpr int kMaxAgeSeconds = 600;

constexpr absl::string_view kExposed = "grpc-status, grpc-message, grpc-status-details-bin";

// Without "http://" or "https://"; nothing for another scheme.
std::optional<absl::string_view> HostAndPort(absl::string_view origin) {
  if (absl::ConsumePrefix(&origin, "http://") || absl::ConsumePrefix(&origin, "https://")) return origin;
  return std::nullopt;
}

bool IsLoopback(absl::string_view origin) {
  auto rest = HostAndPort(origin);
  if (!rest.has_value()) return false;
  const bool host = absl::ConsumePrefix(&*rest, "localhost") || absl::ConsumePrefix(&*rest, "127.0.0.1") ||
                    absl::ConsumePrefix(&*rest, "[::1]");
  if (!host || rest->empty()) return host;
  return absl::ConsumePrefix(&*rest, ":") && !rest->empty() &&
         std::all_of(rest->begin(), rest->end(), [](unsigned char each) { return absl::ascii_isdigit(each); });
}

}  // namespace

bool IsOrigin(const std::string& text) {
  if (text == "*") return true;
  const auto host = HostAndPort(text);
  return host.has_value() && !host->empty() && std::all_of(host->begin(), host->end(), [](unsigned char each) {
           return absl::ascii_isgraph(each) && !absl::ascii_isupper(each) && each != '/' && each != '?' &&
                  each != '#' && each != '@' && each != '*' && each != ',';
         });
}

bool Cors::Allows(absl::string_view origin) const {
  if (origin.empty() || IsLoopback(origin)) return true;
  return std::any_of(origins_.begin(), origins_.end(),
                     [&](const std::string& each) { return each == "*" || each == origin; });
}

std::string Cors::Refusal(absl::string_view origin) {
  return absl::StrCat("web pages of ", origin, " may not call; allow them with --allow-origin ", origin);
}

std::optional<HttpResponse> Cors::AnswerPreflight(const HttpMessage& request) const {
  const std::string& origin = request.Header("origin");
  const std::string& method = request.Header("access-control-request-method");
  if (request.method != "OPTIONS" || origin.empty() || method.empty()) return std::nullopt;
  HttpResponse response;
  if (!Allows(origin)) {
    response.status = 403;
    response.body = Refusal(origin);
    return response;
  }
  response.status = 204;
  response.headers.emplace_back("Access-Control-Allow-Methods", method);
  if (const std::string& headers = request.Header("access-control-request-headers"); !headers.empty()) {
    response.headers.emplace_back("Access-Control-Allow-Headers", headers);
  }
  if (request.Header("access-control-request-private-network") == "true") {
    response.headers.emplace_back("Access-Control-Allow-Private-Network", "true");
  }
  response.headers.emplace_back("Access-Control-Max-Age", std::to_string(kMaxAgeSeconds));
  return response;
}

HttpHeaders Cors::HeadersFor(absl::string_view origin, const HttpHeaders& metadata) const {
  HttpHeaders headers = {{"Vary", "Origin"}};
  if (origin.empty() || !Allows(origin)) return headers;
  headers.emplace_back("Access-Control-Allow-Origin", std::string(origin));
  std::string exposed(kExposed);
  for (const auto& [name, value] : metadata) absl::StrAppend(&exposed, ", ", name);  // the trace is one of them
  headers.emplace_back("Access-Control-Expose-Headers", std::move(exposed));
  return headers;
}

}  // namespace cloudstate::serving
