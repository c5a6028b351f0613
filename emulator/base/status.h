#pragma once

namespace cloudstate::base {

// The payload of an absl::Status that travels to gRPC clients as grpc-status-details-bin: a serialized
// google.rpc.Status.
inline constexpr char kStatusDetails[] = "cloudstate.dev/status-details";

}  // namespace cloudstate::base
