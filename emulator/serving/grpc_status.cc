#include "emulator/serving/grpc_status.h"

#include "absl/strings/str_cat.h"
#include "emulator/base/status.h"
#include "emulator/base/view.h"
#include "emulator/http2/grpc_framing.h"

namespace cloudstate::serving {

HttpHeaders GrpcStatusHeaders(const absl::Status& status) {
  HttpHeaders headers = {{"grpc-status", absl::StrCat(status.raw_code())}};
  if (!status.message().empty()) {
    headers.emplace_back("grpc-message", http2::PercentEncoded(base::ToStd(status.message())));
  }
  if (const auto details = status.GetPayload(base::kStatusDetails)) {
    headers.emplace_back("grpc-status-details-bin", http2::BinaryHeaderText(std::string(*details)));
  }
  return headers;
}

}  // namespace cloudstate::serving
