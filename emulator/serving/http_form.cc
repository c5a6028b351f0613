#include "emulator/serving/http_form.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/serving/http_text.h"
#include "emulator/serving/metadata.h"

namespace cloudstate::serving {
namespace {

constexpr char kProblem[] = "application/problem+json";

absl::StatusOr<absl::Duration> Timeout(const HttpMessage& request) {
  if (const std::string& timeout = request.Header("grpc-timeout"); !timeout.empty()) return ParseGrpcTimeout(timeout);
  if (const std::string& seconds = request.Header("x-server-timeout"); !seconds.empty()) {
    return ParseServerTimeout(seconds);
  }
  return absl::InfiniteDuration();
}

}  // namespace

absl::StatusOr<Call> MakeCall(const HttpMessage& request, const google::protobuf::MethodDescriptor& method,
                              std::string payload, absl::string_view protocol) {
  Call call;
  call.service = method.service()->full_name();
  call.method = method.name();
  call.payload = std::move(payload);
  call.peer = request.peer;
  call.protocol = protocol;
  for (const auto& [name, value] : request.headers) {
    std::string bytes;
    if (!absl::EndsWith(name, "-bin")) {
      AddRequestHeader(name, value, HeaderKind::kText, call.metadata);
    } else if (absl::Base64Unescape(value, &bytes)) {
      AddRequestHeader(name, bytes, HeaderKind::kBytes, call.metadata);
    } else {
      return absl::InvalidArgumentError(absl::StrCat("header ", name, " is not base64"));
    }
  }
  const auto timeout = Timeout(request);
  if (!timeout.ok()) return timeout.status();
  if (*timeout != absl::InfiniteDuration()) call.deadline = absl::Now() + *timeout;
  return call;
}

HttpResponse ErrorResponse(const HttpError& error, absl::string_view accept) {
  HttpResponse response;
  response.status = error.status;
  if (!error.allow.empty()) response.headers.emplace_back("Allow", error.allow);
  if (Accepts(accept, kProblem)) {
    response.content_type = kProblem;
    response.body = ProblemJson(error.status, error.text);
  } else {
    response.body = error.text;
  }
  return response;
}

HttpResponse ErrorResponse(const absl::Status& status, absl::string_view accept) {
  HttpResponse response;
  response.status = HttpStatus(status.code());
  if (Accepts(accept, kProblem)) {
    response.content_type = kProblem;
    response.body = ProblemJson(response.status, status);
  } else {
    response.body = std::string(status.message());
  }
  return response;
}

}  // namespace cloudstate::serving
