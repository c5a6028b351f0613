#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace cloudstate::serving {

// A field of a message or of a message within it: each but the last is a singular message field.
using FieldPath = std::vector<const google::protobuf::FieldDescriptor*>;

// Looks up "a.b.c", each part a proto or a JSON name. INVALID_ARGUMENT says which part is unknown or has no fields, and
// for more than 32 parts.
absl::StatusOr<FieldPath> ResolveFieldPath(const google::protobuf::Descriptor& message, const std::string& path);

// Whether one text can be a value of the field: all scalar types, enums, and of the messages google.protobuf.Timestamp,
// Duration, FieldMask and the wrappers. For a repeated field, of one element.
bool TakesText(const google::protobuf::FieldDescriptor& field);

// Sets the field that `path` leads to, or adds an element if it is repeated. The text is what the JSON value would be,
// without quotes; an enum by name or number, bytes in either base64 alphabet. INVALID_ARGUMENT says what was expected.
absl::Status SetFromText(google::protobuf::Message& message, const FieldPath& path, const std::string& text);

}  // namespace cloudstate::serving
