#include "emulator/testing/json_value.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/base/json_members.h"
#include "emulator/base/names.h"
#include "emulator/base/printable.h"
#include "emulator/userfunction/json_check.h"
#include "emulator/userfunction/json_reader.h"
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

// The key of a map's entry as JSON has it.
std::string KeyText(const Message& entry, const FieldDescriptor& key) {
  const google::protobuf::Reflection& reflection = *entry.GetReflection();
  switch (key.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.GetString(entry, &key);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(entry, &key) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(reflection.GetInt32(entry, &key));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(reflection.GetInt64(entry, &key));
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(reflection.GetUInt32(entry, &key));
    default:
      return absl::StrCat(reflection.GetUInt64(entry, &key));
  }
}

// Takes fields at their default out of a message's JSON, and notes where it has keys.
class Shortening {
 public:
  explicit Shortening(google::protobuf::DynamicMessageFactory& factory) : factory_(factory) {}

  void Shorten(const Message& message, Json& json, Keys& keys) {
    const google::protobuf::Descriptor& type = *message.GetDescriptor();
    if (HasJsonOfItsOwn(type)) return ShortenWellKnown(message, json, keys);
    if (!json.has_struct_value()) return;
    auto& members = *json.mutable_struct_value()->mutable_fields();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (field.is_map()) keys.members[field.json_name()].mapping = Keys::Mapping::kKeys;
      const auto found = members.find(field.json_name());
      if (found == members.end()) continue;
      const bool set = field.is_repeated() ? message.GetReflection()->FieldSize(message, &field) > 0
                                           : message.GetReflection()->HasField(message, &field);
      if (!set) {
        members.erase(found);
      } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        ShortenField(message, field, found->second, keys.members[field.json_name()]);
      }
    }
  }

 private:
  void ShortenWellKnown(const Message& message, Json& json, Keys& keys) {
    switch (message.GetDescriptor()->well_known_type()) {
      case google::protobuf::Descriptor::WELLKNOWNTYPE_ANY:
        ShortenAny(message, json, keys);
        return;
      case google::protobuf::Descriptor::WELLKNOWNTYPE_STRUCT:
      case google::protobuf::Descriptor::WELLKNOWNTYPE_VALUE:
      case google::protobuf::Descriptor::WELLKNOWNTYPE_LISTVALUE:
        keys.mapping = Keys::Mapping::kKeysThroughout;
        return;
      default:
        return;
    }
  }

  // Its fields stand beside "@type"; what has JSON of its own is its "value".
  void ShortenAny(const Message& any, Json& json, Keys& keys) {
    const google::protobuf::Descriptor& type = *any.GetDescriptor();
    const std::string url = any.GetReflection()->GetString(any, type.FindFieldByName("type_url"));
    const auto* contained = type.file()->pool()->FindMessageTypeByName(base::TypeName(url));
    if (contained == nullptr) return;
    const std::unique_ptr<Message> contents(factory_.GetPrototype(contained)->New());
    const std::string bytes = any.GetReflection()->GetString(any, type.FindFieldByName("value"));
    if (!userfunction::ParsePartial(bytes, *contents)) return;
    if (!HasJsonOfItsOwn(*contained)) return Shorten(*contents, json, keys);
    auto& members = *json.mutable_struct_value()->mutable_fields();
    const auto found = members.find("value");
    if (found != members.end()) Shorten(*contents, found->second, keys.members["value"]);
  }

  void ShortenField(const Message& message, const FieldDescriptor& field, Json& json, Keys& keys) {
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    if (field.is_map()) return ShortenMap(message, field, json, keys);
    if (!field.is_repeated()) return Shorten(reflection.GetMessage(message, &field), json, keys);
    const int size = std::min(reflection.FieldSize(message, &field), json.list_value().values_size());
    keys.elements.resize(static_cast<std::size_t>(size));
    for (int i = 0; i < size; ++i) {
      Shorten(reflection.GetRepeatedMessage(message, &field, i), *json.mutable_list_value()->mutable_values(i),
              keys.elements[static_cast<std::size_t>(i)]);
    }
  }

  void ShortenMap(const Message& message, const FieldDescriptor& field, Json& json, Keys& keys) {
    const FieldDescriptor& key = *field.message_type()->map_key();
    const FieldDescriptor& value = *field.message_type()->map_value();
    if (value.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
    auto& members = *json.mutable_struct_value()->mutable_fields();
    for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
      const Message& entry = message.GetReflection()->GetRepeatedMessage(message, &field, i);
      const std::string name = KeyText(entry, key);
      const auto found = members.find(name);
      if (found == members.end()) continue;
      Shorten(entry.GetReflection()->GetMessage(entry, &value), found->second, keys.members[name]);
    }
  }

  google::protobuf::DynamicMessageFactory& factory_;
};

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
      const char* before = "{";
      for (const auto& [name, member] : base::MembersByName(value)) {
        out += before;
        userfunction::AppendJsonString(name, out);
        out += ":";
        AppendJson(*member, out);
        before = ",";
      }
      out += value.struct_value().fields().empty() ? "{}" : "}";
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
  return std::string(base::Beginning(text, kShortText)) + "…";
}

std::string JsonName(absl::string_view field) {
  std::string result;
  bool upper = false;
  for (const char each : field) {
    if (each == '_') {
      upper = true;
      continue;
    }
    result += upper ? absl::ascii_toupper(static_cast<unsigned char>(each)) : each;
    upper = false;
  }
  return result;
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

absl::StatusOr<Actual> ActualOf(const Message& message, const userfunction::MessageJson& json,
                                google::protobuf::DynamicMessageFactory& factory) {
  absl::StatusOr<std::string> text = json.Write(message);
  if (!text.ok()) return text.status();
  absl::StatusOr<Json> full = ParseJson(*text);
  if (!full.ok()) return full.status();
  Actual actual{.full = *full, .brief = *full};
  Shortening(factory).Shorten(message, actual.brief, actual.keys);
  return actual;
}

Actual ActualOf(Json value) {
  Json brief = WithoutDefaults(value);
  return {.full = std::move(value), .brief = std::move(brief)};
}

Actual ActualList(const std::vector<Actual>& elements) {
  Actual list;
  for (Json* each : {&list.full, &list.brief}) each->mutable_list_value();
  for (const Actual& element : elements) {
    *list.full.mutable_list_value()->add_values() = element.full;
    *list.brief.mutable_list_value()->add_values() = element.brief;
    list.keys.elements.push_back(element.keys);
  }
  return list;
}

void AddMember(Actual& mapping, const std::string& name, Actual member) {
  (*mapping.full.mutable_struct_value()->mutable_fields())[name] = std::move(member.full);
  (*mapping.brief.mutable_struct_value()->mutable_fields())[name] = std::move(member.brief);
  mapping.keys.members[name] = std::move(member.keys);
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
