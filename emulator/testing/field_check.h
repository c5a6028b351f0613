#pragma once

#include <optional>
#include <string>

#include "emulator/testing/json_value.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::testing {

// By its name in the .proto file or in JSON; null where the type has none such.
const google::protobuf::FieldDescriptor* FindField(const google::protobuf::Descriptor& type, const std::string& name);

// The first field that a message names, here or below, and its type does not have; likewise of enums. There may be
// matchers in their place.
struct FieldProblem {
  const Json* at = nullptr;  // within the message
  std::string text;
};
std::optional<FieldProblem> FindFieldProblem(const Json& message, const google::protobuf::Descriptor& type);

}  // namespace cloudstate::testing
