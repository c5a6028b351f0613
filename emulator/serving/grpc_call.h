#pragma once

#include <grpcpp/generic/async_generic_service.h>

#include <memory>

#include "absl/status/status.h"
#include "emulator/serving/backend.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::serving {

grpc::Status ToGrpcStatus(const absl::Status& status);

// Starts the call on the backend, with its request or with the stream of them, and sends what that answers. The
// reactor lives until gRPC and the backend have let go of it; it keeps `services`, which `method` is one of.
grpc::ServerGenericBidiReactor* BeginGrpcCall(Backend& backend, grpc::GenericCallbackServerContext& context,
                                              std::shared_ptr<const Services> services,
                                              const google::protobuf::MethodDescriptor& method);

// Ends a call at once.
grpc::ServerGenericBidiReactor* RefuseGrpcCall(const absl::Status& status);

}  // namespace cloudstate::serving
