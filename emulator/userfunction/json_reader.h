#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/type_resolver.h"

namespace cloudstate::userfunction {

// Reads proto3 JSON, with protobuf's own conversion. Any thread. `pool` must outlive this.
class JsonReader {
 public:
  explicit JsonReader(const google::protobuf::DescriptorPool* pool);

  // The message in serialized form. INVALID_ARGUMENT with protobuf's words.
  absl::StatusOr<std::string> Read(const std::string& json, const google::protobuf::Descriptor& type) const;

 private:
  const std::unique_ptr<google::protobuf::util::TypeResolver> resolver_;
};

// Whether the bytes are such a message, of which required fields may be missing.
bool ParsePartial(std::string_view bytes, google::protobuf::Message& message);

}  // namespace cloudstate::userfunction
