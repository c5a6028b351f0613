#include "emulator/simulation/yaml_message.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"

namespace cloudstate::simulation {

bool YamlShape::IsInlined(const google::protobuf::FieldDescriptor* field) const {
  return std::find(inlined.begin(), inlined.end(), field) != inlined.end();
}

YamlPlaces::Place YamlPlaces::Of(const google::protobuf::Message& message, int field) const {
  if (const auto found = places_.find({&message, field}); found != places_.end()) return found->second;
  const auto found = places_.find({&message, 0});
  return found == places_.end() ? Place{} : found->second;
}

absl::Status YamlPlaces::Error(Place place, const std::string& text) const {
  if (place.line == 0) return absl::InvalidArgumentError(absl::StrCat(file_, ": ", text));
  return absl::InvalidArgumentError(absl::StrCat(file_, ":", place.line, ":", place.column, ": ", text));
}

bool IsDuration(const google::protobuf::FieldDescriptor* field) {
  return field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE &&
         field->message_type() == google::protobuf::Duration::descriptor();
}

}  // namespace cloudstate::simulation
