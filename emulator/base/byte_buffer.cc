#include "emulator/base/byte_buffer.h"

#include <grpcpp/support/slice.h>

#include <vector>

namespace cloudstate::base {

std::string ToString(const grpc::ByteBuffer& buffer) {
  grpc::Slice single;
  if (buffer.TrySingleSlice(&single).ok())
    return std::string(reinterpret_cast<const char*>(single.begin()), single.size());
  std::string bytes;
  bytes.reserve(buffer.Length());
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

}  // namespace cloudstate::base
