#include "emulator/simulation/yaml_message.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/struct.pb.h"

namespace cloudstate::simulation {

bool YamlShape::IsInlined(const google::protobuf::FieldDescriptor* field) const {
  return std::find(inlined.begin(), inlined.end(), field) != inlined.end();
}

bool YamlShape::IsWrittenEmpty(const google::protobuf::FieldDescriptor* field) const {
  return std::find(even_empty.begin(), even_empty.end(), field) != even_empty.end();
}

const google::protobuf::FieldDescriptor* YamlShape::ShortFor(const google::protobuf::Descriptor* type) const {
  if (type->field_count() == 1) return type->field(0);
  const auto found = std::find_if(shorthands.begin(), shorthands.end(),
                                  [&](const auto* field) { return field->containing_type() == type; });
  return found == shorthands.end() ? nullptr : *found;
}

YamlPlaces::Place YamlPlaces::Of(const google::protobuf::Message& message, int field) const {
  if (const auto found = places_.find({&message, field}); found != places_.end()) return found->second;
  const auto found = places_.find({&message, 0});
  return found == places_.end() ? Place{} : found->second;
}

std::string YamlPlaces::Text(Place place) const {
  return place.line == 0 ? file_ : absl::StrCat(file_, ":", place.line, ":", place.column);
}

absl::Status YamlPlaces::Error(Place place, const std::string& text) const {
  return absl::InvalidArgumentError(absl::StrCat(Text(place), ": ", text));
}

bool IsDuration(const google::protobuf::FieldDescriptor* field) {
  return field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE &&
         field->message_type() == google::protobuf::Duration::descriptor();
}

bool IsAnyValue(const google::protobuf::FieldDescriptor* field) {
  return field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE && !field->is_map() &&
         field->message_type() == google::protobuf::Value::descriptor();
}

}  // namespace cloudstate::simulation
