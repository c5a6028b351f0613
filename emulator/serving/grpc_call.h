#pragma once

#include <grpcpp/generic/async_generic_service.h>

#include <memory>

#include "absl/status/status.h"
#include "emulator/serving/backend.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::serving {

grpc::Status ToGrpcStatus(const absl::Status& status);

// Reads the request of a unary or server-streamed method, starts it on the backend and sends what that answers. The
// reactor lives until gRPC and the backend have let go of it; it keeps `services`, which `method` is one of.
grpc::ServerGenericBidiReactor* BeginGrpcCall(Backend& backend, grpc::GenericCallbackServerContext& context,
                                              std::shared_ptr<const Services> services,
                                              const google::protobuf::MethodDescriptor& method);

// Ends a call at once.
grpc::ServerGenericBidiReactor* RefuseGrpcCall(const absl::Status& status);

}  // namespace cloudstate::serving
