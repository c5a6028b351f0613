#pragma once

#include <grpcpp/support/byte_buffer.h>

#include <string>

namespace cloudstate::base {

// Serialized messages on their way into gRPC and out of it. Large ones are handed over without a copy.
grpc::ByteBuffer ToByteBuffer(std::string payload);

// All bytes of the buffer.
std::string ToString(const grpc::ByteBuffer& buffer);

}  // namespace cloudstate::base
