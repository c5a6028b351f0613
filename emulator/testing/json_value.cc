#include "emulator/testing/json_value.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/userfunction/json_check.h"
#include "emulator/userfunction/json_text.h"
#include "emulator/userfunction/message_json.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/json_util.h"

namespace cloudstate::testing {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::size_t kShortText = 80;

// Their JSON is not an object of their fields.
bool HasJsonOfItsOwn(const google::protobuf::Descriptor& type) {
  return type.file()->package() == "google.protobuf" &&
         type.well_known_type() != google::protobuf::Descriptor::WELLKNOWNTYPE_UNSPECIFIED;
}

void LeaveOutDefaults(const Message& message, Json& json);

void LeaveOutWithinMap(const Message& message, const FieldDescriptor& field, Json& json) {
  const FieldDescriptor* value = field.message_type()->map_value();
  if (value->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
  const FieldDescriptor* key = field.message_type()->map_key();
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    const Message& entry = message.GetReflection()->GetRepeatedMessage(message, &field, i);
    // Keys of other types are numbers and truth values, which few maps with messages have: their values stay whole.
    if (key->cpp_type() != FieldDescriptor::CPPTYPE_STRING) return;
    auto& members = *json.mutable_struct_value()->mutable_fields();
    const auto found = members.find(entry.GetReflection()->GetString(entry, key));
    if (found != members.end()) LeaveOutDefaults(entry.GetReflection()->GetMessage(entry, value), found->second);
  }
}

void LeaveOutWithin(const Message& message, const FieldDescriptor& field, Json& json) {
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (field.is_map()) {
    LeaveOutWithinMap(message, field, json);
  } else if (!field.is_repeated()) {
    LeaveOutDefaults(reflection.GetMessage(message, &field), json);
  } else {
    for (int i = 0; i < std::min(reflection.FieldSize(message, &field), json.list_value().values_size()); ++i) {
      LeaveOutDefaults(reflection.GetRepeatedMessage(message, &field, i),
                       *json.mutable_list_value()->mutable_values(i));
    }
  }
}

// Takes fields at their default out of the JSON of `message`.
void LeaveOutDefaults(const Message& message, Json& json) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  if (HasJsonOfItsOwn(type) || !json.has_struct_value()) return;
  auto& members = *json.mutable_struct_value()->mutable_fields();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const auto found = members.find(field.json_name());
    if (found == members.end()) continue;
    const bool set = field.is_repeated() ? message.GetReflection()->FieldSize(message, &field) > 0
                                         : message.GetReflection()->HasField(message, &field);
    if (set) {
      LeaveOutWithin(message, field, found->second);
    } else {
      members.erase(found);
    }
  }
}

Json WithoutDefaults(Json value) {
  if (value.has_struct_value()) {
    Json kept;
    kept.mutable_struct_value();
    for (auto& [name, member] : *value.mutable_struct_value()->mutable_fields()) {
      if (LooksLikeDefault(member)) continue;
      (*kept.mutable_struct_value()->mutable_fields())[name] = WithoutDefaults(std::move(member));
    }
    return kept;
  }
  if (value.has_list_value()) {
    for (Json& element : *value.mutable_list_value()->mutable_values()) element = WithoutDefaults(std::move(element));
  }
  return value;
}

void AppendJson(const Json& value, std::string& out) {
  switch (value.kind_case()) {
    case Json::kBoolValue:
      out += value.bool_value() ? "true" : "false";
      return;
    case Json::kNumberValue:
      userfunction::AppendJsonNumber(value.number_value(), out);
      return;
    case Json::kStringValue:
      userfunction::AppendJsonString(value.string_value(), out);
      return;
    case Json::kListValue: {
      const char* before = "[";
      for (const Json& element : value.list_value().values()) {
        out += before;
        AppendJson(element, out);
        before = ",";
      }
      out += value.list_value().values().empty() ? "[]" : "]";
      return;
    }
    case Json::kStructValue: {
      std::vector<const std::string*> names;
      const auto& members = value.struct_value().fields();
      for (const auto& member : members) names.push_back(&member.first);
      std::sort(names.begin(), names.end(), [](const auto* one, const auto* other) { return *one < *other; });
      const char* before = "{";
      for (const std::string* name : names) {
        out += before;
        userfunction::AppendJsonString(*name, out);
        out += ":";
        AppendJson(members.at(*name), out);
        before = ",";
      }
      out += names.empty() ? "{}" : "}";
      return;
    }
    default:
      out += "null";
  }
}

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view text) {
  if (absl::Status status = userfunction::CheckJson({text.data(), text.size()}); !status.ok()) return status;
  Json value;
  const auto status = google::protobuf::util::JsonStringToMessage({text.data(), text.size()}, &value);
  if (!status.ok()) return absl::InvalidArgumentError({status.message().data(), status.message().size()});
  return value;
}

std::string JsonText(const Json& value) {
  std::string text;
  AppendJson(value, text);
  return text;
}

std::string ShortJsonText(const Json& value) {
  std::string text = JsonText(value);
  if (text.size() <= kShortText) return text;
  std::size_t end = kShortText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // whole characters
  return text.substr(0, end) + "…";
}

Json TextValue(absl::string_view text) {
  Json value;
  value.set_string_value(std::string(text));
  return value;
}

Json NumberValue(double number) {
  Json value;
  value.set_number_value(number);
  return value;
}

std::optional<double> NumberOf(const Json& value) {
  if (value.has_number_value()) return value.number_value();
  double number = 0;
  if (value.has_string_value() && absl::SimpleAtod(value.string_value(), &number)) return number;
  return std::nullopt;
}

absl::StatusOr<Actual> ActualOf(const Message& message, const userfunction::MessageJson& json) {
  absl::StatusOr<std::string> text = json.Write(message);
  if (!text.ok()) return text.status();
  absl::StatusOr<Json> full = ParseJson(*text);
  if (!full.ok()) return full.status();
  Actual actual{*full, *full};
  LeaveOutDefaults(message, actual.brief);
  return actual;
}

Actual ActualOf(Json value) {
  Json brief = WithoutDefaults(value);
  return {std::move(value), std::move(brief)};
}

bool LooksLikeDefault(const Json& value) {
  switch (value.kind_case()) {
    case Json::kBoolValue:
      return !value.bool_value();
    case Json::kNumberValue:
      return value.number_value() == 0;
    case Json::kStringValue:
      return value.string_value().empty() || value.string_value() == "0";
    case Json::kStructValue:
      return value.struct_value().fields().empty();
    case Json::kListValue:
      return value.list_value().values().empty();
    default:
      return true;
  }
}

}  // namespace cloudstate::testing
