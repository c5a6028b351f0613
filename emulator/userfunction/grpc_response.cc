#include "emulator/userfunction/grpc_response.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "emulator/base/view.h"
#include "emulator/http2/grpc_framing.h"

namespace cloudstate::userfunction {
namespace {

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

}  // namespace

void ResponseHeaders::Add(std::string_view name, std::string_view value) {
  if (name == ":status") {
    if (!absl::SimpleAtoi(base::ToAbsl(value), &http_status)) http_status = 0;
  } else if (name == "content-type") {
    grpc_content = value.starts_with("application/grpc");
  } else if (name == "grpc-status") {
    // A number that is none of gRPC's is an unknown failure.
    if (!absl::SimpleAtoi(base::ToAbsl(value), &grpc_status) || grpc_status < 0 || grpc_status > 16) grpc_status = 2;
  } else if (name == "grpc-message") {
    grpc_message = http2::PercentDecoded(value);
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
