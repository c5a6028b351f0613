#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "emulator/serving/field_text.h"
#include "emulator/serving/path_template.h"
#include "emulator/serving/transcoder.h"

namespace cloudstate::serving {

// A route with its names looked up.
struct Binding {
  Route route;
  PathTemplate path;
  std::vector<FieldPath> variables;                                   // the fields of path.variables
  const google::protobuf::FieldDescriptor* body_field = nullptr;      // of the input, where `body` names one
  const google::protobuf::FieldDescriptor* response_field = nullptr;  // of the output, where `response_body` names one
};

// The bindings of one method: those of its google.api.http rule, then the generated POST. Errors as
// Transcoder::Create's.
absl::StatusOr<std::vector<Binding>> BindingsOf(const google::protobuf::MethodDescriptor& method);

}  // namespace cloudstate::serving
