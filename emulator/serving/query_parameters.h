#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace cloudstate::serving {

// Sets fields of `message` from a query such as "user_id=7&filter.tags=a&filter.tags=b": percent-encoded, nested by
// dots, a repeated field by repetition, proto or JSON names, values as SetFromText takes them.
//
// `body_field`, which may be null, comes from the body and cannot be a parameter. INVALID_ARGUMENT names the parameter
// that is unknown, malformed, cannot be one, or is given more than once for a singular field or a oneof.
absl::Status SetFromQuery(std::string_view query, const google::protobuf::FieldDescriptor* body_field,
                          google::protobuf::Message& message);

}  // namespace cloudstate::serving
