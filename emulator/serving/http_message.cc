#include "emulator/serving/http_message.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace cloudstate::serving {

const std::string& HttpMessage::Header(absl::string_view name) const {
  static const std::string kNone;
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& each) { return each.first == name; });
  return found == headers.end() ? kNone : found->second;
}

HttpRequest HttpMessage::TakeRequest() {
  absl::string_view rest = target;
  if (absl::ConsumePrefix(&rest, "http://")) {  // the absolute form (RFC 9112, 3.2)
    const std::size_t slash = rest.find('/');
    rest = slash == absl::string_view::npos ? "/" : rest.substr(slash);
  }
  const std::size_t question = rest.find('?');
  HttpRequest request;
  request.method = method == "HEAD" ? "GET" : method;
  request.path = std::string(rest.substr(0, question));
  if (question != absl::string_view::npos) request.query = std::string(rest.substr(question + 1));
  request.content_type = Header("content-type");
  request.body = std::move(body);
  return request;
}

}  // namespace cloudstate::serving
