#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/message.h"

namespace cloudstate::userfunction {

// Writes messages as proto3 JSON: camel case names, 64-bit integers as strings, enums by name, bytes in base64,
// well-known types in their own forms, no white space. Fields at their default value are included, but for messages and
// members of a oneof (proto3's `optional` is one) that are not set. Fields come in declaration order, map entries by
// key.
//
// Unlike protobuf's own conversion it reads the message by reflection in one pass, without converting its descriptor
// first.
class MessageJson {
 public:
  // The value to show for a google.protobuf.Any whose type is not in the message's pool, as JSON text.
  using UnknownAny = std::function<std::string(std::string_view type_url, std::string_view value)>;

  // `factory` makes the contents of google.protobuf.Any and must outlive this. Without `unknown_any`, an Any of an
  // unknown type is an error.
  explicit MessageJson(google::protobuf::DynamicMessageFactory& factory, UnknownAny unknown_any = nullptr)
      : factory_(factory), unknown_any_(std::move(unknown_any)) {}

  // Any thread. INVALID_ARGUMENT, naming the field, for what has no JSON: an Any of an unknown type or with malformed
  // contents, times out of range, strings that are not UTF-8, more than 100 levels.
  absl::StatusOr<std::string> Write(const google::protobuf::Message& message) const;

  // One field's value alone; null if it is a message that is not set.
  absl::StatusOr<std::string> WriteField(const google::protobuf::Message& message,
                                         const google::protobuf::FieldDescriptor& field) const;

 private:
  google::protobuf::DynamicMessageFactory& factory_;
  UnknownAny unknown_any_;
};

}  // namespace cloudstate::userfunction
