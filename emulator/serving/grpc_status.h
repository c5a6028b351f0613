#pragma once

#include "absl/status/status.h"
#include "emulator/serving/http_text.h"

namespace cloudstate::serving {

// How gRPC tells a status: grpc-status, grpc-message (percent-encoded) and grpc-status-details-bin, where there is
// something to say.
HttpHeaders GrpcStatusHeaders(const absl::Status& status);

}  // namespace cloudstate::serving
