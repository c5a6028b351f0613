#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <string>

namespace cloudstate::base {

// All bytes of a serialized message that gRPC has received.
std::string ToString(const grpc::ByteBuffer& buffer);

}  // namespace cloudstate::base
