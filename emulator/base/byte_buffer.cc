#include "emulator/base/byte_buffer.h"

#include <grpcpp/support/slice.h>

#include <memory>
#include <utility>
#include <vector>

namespace cloudstate::base {
namespace {

// Below this, copying into gRPC's own memory costs less than keeping the string for it.
constexpr std::size_t kSmallPayload = 4096;

}  // namespace

grpc::ByteBuffer ToByteBuffer(std::string payload) {
  if (payload.size() < kSmallPayload) {
    grpc::Slice slice(payload);
    return grpc::ByteBuffer(&slice, 1);
  }
  auto owned = std::make_unique<std::string>(std::move(payload));
  std::string& bytes = *owned;
  grpc::Slice slice(
      bytes.data(), bytes.size(),
      [](void* string) { std::unique_ptr<std::string> released(static_cast<std::string*>(string)); }, owned.release());
  return grpc::ByteBuffer(&slice, 1);
}

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
