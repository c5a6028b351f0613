#include <yaml-cpp/yaml.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "emulator/base/did_you_mean.h"
#include "emulator/base/proto_time.h"
#include "emulator/simulation/yaml_message.h"
#include "emulator/simulation/yaml_value.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::simulation {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Place = YamlPlaces::Place;

// Aliases can make much out of little.
constexpr int kMostValues = 100'000;

// Reads one document. Everything that finds a mistake returns it, and so ends the reading.
class Reader {
 public:
  Reader(const YamlShape& shape, YamlPlaces& places) : shape_(shape), places_(places) {}

  // `name` is what people know the message by, in quotation marks where it is a field's.
  absl::Status ReadMessage(const YAML::Node& node, Place place, const std::string& name, Message& message);

 private:
  // A key of a mapping: where its value goes to.
  struct Target {
    const FieldDescriptor* field = nullptr;
    const FieldDescriptor* through = nullptr;  // the inlined field that has it, or null
    // Two keys for the same are too many: a field, or a group of which one can be set.
    std::string slot;
  };
  struct Given {
    std::string key;
    Place place;
  };

  absl::Status ReadEntry(const YAML::Node& key, const YAML::Node& value, const std::string& name, Message& message,
                         std::map<std::string, Given>& given);
  absl::Status ReadMap(const YAML::Node& node, Place place, const FieldDescriptor* field, Message& message);
  absl::Status ReadField(const YAML::Node& node, Place place, const FieldDescriptor* field, Message& message);
  absl::Status ReadOne(const YAML::Node& node, Place place, const FieldDescriptor* field, Message& message);
  absl::Status ReadScalar(const YAML::Node& node, Place place, const FieldDescriptor* field, Message& message);
  absl::Status ReadDuration(const std::string& text, Place place, const FieldDescriptor* field, Message& message);
  absl::Status ReadEnum(const std::string& text, Place place, const FieldDescriptor* field, Message& message);
  absl::Status ReadNumber(const std::string& text, Place place, const FieldDescriptor* field, Message& message);

  std::optional<Target> Find(const Descriptor& type, const std::string& key) const;
  std::vector<std::string> Names(const Descriptor& type) const;

  const YamlShape& shape_;
  YamlPlaces& places_;
  int level_ = 0;
  int most_ = kMostValues;
};

std::string Slot(const FieldDescriptor* field) {
  const auto* group = field->real_containing_oneof();
  return group == nullptr ? field->name() : group->name();
}

std::optional<Reader::Target> Reader::Find(const Descriptor& type, const std::string& key) const {
  if (const FieldDescriptor* field = type.FindFieldByName(key); field != nullptr) {
    return Target{.field = field, .through = nullptr, .slot = Slot(field)};
  }
  for (const FieldDescriptor* through : shape_.inlined) {
    if (through->containing_type() != &type) continue;
    const FieldDescriptor* field = through->message_type()->FindFieldByName(key);
    if (field != nullptr) return Target{.field = field, .through = through, .slot = Slot(through)};
  }
  return std::nullopt;
}

// What can be written in place of a wrong name: an inlined field's own name is not told.
std::vector<std::string> Reader::Names(const Descriptor& type) const {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) {
    if (!shape_.IsInlined(type.field(i))) {
      names.push_back(type.field(i)->name());
      continue;
    }
    const Descriptor& inlined = *type.field(i)->message_type();
    for (int k = 0; k < inlined.field_count(); ++k) names.push_back(inlined.field(k)->name());
  }
  return names;
}

absl::Status Reader::ReadMessage(const YAML::Node& node, Place place, const std::string& name, Message& message) {
  if (--most_ < 0) return places_.Error(place, "there is too much in this file");
  places_.Note(message, 0, place);
  if (node.IsNull()) return absl::OkStatus();
  const Descriptor& type = *message.GetDescriptor();
  if (const FieldDescriptor* only = shape_.ShortFor(&type); only != nullptr && !node.IsMap()) {
    return ReadField(node, place, only, message);
  }
  if (!node.IsMap()) {
    return places_.Error(place, type.field_count() == 0
                                    ? absl::StrCat(name, " takes nothing")
                                    : absl::StrCat(name, " has parts: ", absl::StrJoin(Names(type), ", ")));
  }
  if (++level_ > kMostYamlLevels) return places_.Error(place, "too many levels, one within the other");
  std::map<std::string, Given> given;
  for (const auto& entry : node) {
    if (absl::Status status = ReadEntry(entry.first, entry.second, name, message, given); !status.ok()) return status;
  }
  --level_;
  return absl::OkStatus();
}

absl::Status Reader::ReadEntry(const YAML::Node& key, const YAML::Node& value, const std::string& name,
                               Message& message, std::map<std::string, Given>& given) {
  const Place place = PlaceOf(key, places_.Of(message));
  if (!key.IsScalar()) return places_.Error(place, absl::StrCat("there is no name of a part of ", name));
  const std::string& text = key.Scalar();
  const Descriptor& type = *message.GetDescriptor();
  const std::optional<Target> target = Find(type, text);
  if (!target.has_value()) {
    const std::vector<std::string> names = Names(type);
    std::string hint = base::DidYouMean(text, names);
    if (hint.empty() && !names.empty()) hint = absl::StrCat("; there is ", absl::StrJoin(names, ", "));
    return places_.Error(place, absl::StrCat("there is no '", text, "' in ", name, hint));
  }
  const auto [before, first] = given.try_emplace(target->slot, Given{text, place});
  if (!first) {
    const Given& other = before->second;
    return places_.Error(place, other.key == text
                                    ? absl::StrCat("'", text, "' is there twice, first in line ", other.place.line)
                                    : absl::StrCat("'", text, "' and '", other.key, "' (line ", other.place.line,
                                                   ") exclude each other: ", name, " takes one of them"));
  }
  places_.Note(message, (target->through == nullptr ? target->field : target->through)->number(), place);
  Message* owner = &message;
  if (target->through != nullptr) {
    owner = message.GetReflection()->MutableMessage(&message, target->through);
    places_.Note(*owner, 0, place);
    places_.Note(*owner, target->field->number(), place);
  }
  return ReadField(value, PlaceOf(value, place), target->field, *owner);
}

absl::Status Reader::ReadMap(const YAML::Node& node, Place place, const FieldDescriptor* field, Message& message) {
  if (node.IsNull()) return absl::OkStatus();
  if (!node.IsMap()) {
    return places_.Error(place, absl::StrCat("'", field->name(), "' takes names with values, such as {name: value}"));
  }
  const FieldDescriptor* key = field->message_type()->map_key();
  const FieldDescriptor* value = field->message_type()->map_value();
  std::map<std::string, Place> given;
  for (const auto& entry : node) {
    const Place here = PlaceOf(entry.first, place);
    Message& added = *message.GetReflection()->AddMessage(&message, field);
    if (absl::Status status = ReadScalar(entry.first, here, key, added); !status.ok()) return status;
    if (absl::Status status = ReadScalar(entry.second, PlaceOf(entry.second, here), value, added); !status.ok())
      return status;
    const std::string& name = entry.first.Scalar();
    const auto [before, first] = given.try_emplace(name, here);
    if (first) continue;
    return places_.Error(here, absl::StrCat("'", name, "' is there twice, first in line ", before->second.line));
  }
  return absl::OkStatus();
}

absl::Status Reader::ReadField(const YAML::Node& node, Place place, const FieldDescriptor* field, Message& message) {
  if (field->is_map()) return ReadMap(node, place, field, message);
  if (!field->is_repeated()) return ReadOne(node, place, field, message);
  if (!node.IsSequence()) {
    return places_.Error(place, absl::StrCat("'", field->name(), "' takes a list, such as [a, b] or lines with '- '"));
  }
  for (const auto& element : node) {
    if (absl::Status status = ReadOne(element, PlaceOf(element, place), field, message); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Reader::ReadOne(const YAML::Node& node, Place place, const FieldDescriptor* field, Message& message) {
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || IsDuration(field)) {
    return ReadScalar(node, place, field, message);
  }
  const Reflection& reflection = *message.GetReflection();
  Message* part =
      field->is_repeated() ? reflection.AddMessage(&message, field) : reflection.MutableMessage(&message, field);
  if (IsAnyValue(field)) {
    return ReadYamlValue(node, place, places_, most_, static_cast<google::protobuf::Value&>(*part));
  }
  return ReadMessage(node, place, absl::StrCat("'", field->name(), "'"), *part);
}

absl::Status Reader::ReadScalar(const YAML::Node& node, Place place, const FieldDescriptor* field, Message& message) {
  if (--most_ < 0) return places_.Error(place, "there is too much in this file");
  if (node.IsNull()) return places_.Error(place, absl::StrCat("'", field->name(), "' has no value"));
  if (!node.IsScalar()) {
    return places_.Error(
        place, absl::StrCat("'", field->name(), "' takes one value, no ", node.IsMap() ? "names with values" : "list"));
  }
  const std::string& text = node.Scalar();
  const Reflection& reflection = *message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      field->is_repeated() ? reflection.AddString(&message, field, text) : reflection.SetString(&message, field, text);
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false") {
        return places_.Error(place, absl::StrCat("'", text, "' is neither true nor false"));
      }
      reflection.SetBool(&message, field, text == "true");
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ReadDuration(text, place, field, message);
    case FieldDescriptor::CPPTYPE_ENUM:
      return ReadEnum(text, place, field, message);
    default:
      return ReadNumber(text, place, field, message);
  }
}

absl::Status Reader::ReadDuration(const std::string& text, Place place, const FieldDescriptor* field,
                                  Message& message) {
  absl::Duration time;
  // Protobuf's durations go as far as 10,000 years.
  if (!absl::ParseDuration(text, &time) || absl::AbsDuration(time) > absl::Hours(24 * 365) * 10'000) {
    return places_.Error(place, absl::StrCat("'", text, "' is no duration such as 500ms, 30s or 2m"));
  }
  Message* part = message.GetReflection()->MutableMessage(&message, field);
  static_cast<google::protobuf::Duration&>(*part) = base::ToDuration(time);
  return absl::OkStatus();
}

absl::Status Reader::ReadEnum(const std::string& text, Place place, const FieldDescriptor* field, Message& message) {
  const google::protobuf::EnumDescriptor& type = *field->enum_type();
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    if (absl::EqualsIgnoreCase(type.value(i)->name(), text)) {
      message.GetReflection()->SetEnum(&message, field, type.value(i));
      return absl::OkStatus();
    }
    if (type.value(i)->number() != 0) names.push_back(absl::AsciiStrToLower(type.value(i)->name()));
  }
  std::string hint = base::DidYouMean(absl::AsciiStrToLower(text), names);
  if (hint.empty()) hint = absl::StrCat("; there is ", absl::StrJoin(names, ", "));
  return places_.Error(place, absl::StrCat("there is no ", field->name(), " '", text, "'", hint));
}

absl::Status Reader::ReadNumber(const std::string& text, Place place, const FieldDescriptor* field, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  double number = 0;
  if (!absl::SimpleAtod(text, &number) || !std::isfinite(number)) {
    return places_.Error(place, absl::StrCat("'", text, "' is no number"));
  }
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) {
    reflection.SetDouble(&message, field, number);
    return absl::OkStatus();
  }
  const bool wide = field->cpp_type() == FieldDescriptor::CPPTYPE_INT64;
  const double most = wide ? 9.2233e18 : std::numeric_limits<std::int32_t>::max();
  if (std::abs(number) > most) return places_.Error(place, absl::StrCat("'", text, "' is too large a number"));
  std::int64_t whole = 0;
  if (!absl::SimpleAtoi(text, &whole)) return places_.Error(place, absl::StrCat("'", text, "' is no whole number"));
  if (wide) {
    reflection.SetInt64(&message, field, whole);
  } else if (field->is_repeated()) {
    reflection.AddInt32(&message, field, static_cast<std::int32_t>(whole));
  } else {
    reflection.SetInt32(&message, field, static_cast<std::int32_t>(whole));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadYaml(absl::string_view yaml, const YamlShape& shape, Message& message, YamlPlaces& places) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(yaml.data(), yaml.size()));
    const Place start{1, 1};
    if (documents.empty() || documents.front().IsNull()) return places.Error(start, "there is nothing in this file");
    if (documents.size() > 1) return places.Error(start, "there is more than one document in this file");
    const YAML::Node& root = documents.front();
    if (!root.IsMap()) return places.Error(start, "there are no names with values, such as 'nodes: 3', in this file");
    return Reader(shape, places).ReadMessage(root, start, absl::StrCat("a ", message.GetDescriptor()->name()), message);
  } catch (const YAML::Exception& error) {
    const bool known = !error.mark.is_null();
    return places.Error(known ? Place{error.mark.line + 1, error.mark.column + 1} : Place{1, 1}, error.msg);
  }
}

}  // namespace cloudstate::simulation
