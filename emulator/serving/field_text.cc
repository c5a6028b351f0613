#include "emulator/serving/field_text.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "emulator/userfunction/utf8.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/field_mask_util.h"
#include "google/protobuf/util/time_util.h"

namespace cloudstate::serving {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::FieldMaskUtil;
using google::protobuf::util::TimeUtil;

constexpr std::size_t kMaxDepth = 32;

const FieldDescriptor* FindField(const Descriptor& message, const std::string& name) {
  if (const auto* field = message.FindFieldByName(name); field != nullptr) return field;
  for (int i = 0; i < message.field_count(); ++i) {
    if (message.field(i)->json_name() == name) return message.field(i);
  }
  return nullptr;
}

absl::Status Expected(absl::string_view what, const std::string& text) {
  return absl::InvalidArgumentError(absl::StrCat("expected ", what, ", not '", text, "'"));
}

template <typename Integer>
std::optional<Integer> ParseInteger(const std::string& text) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <typename Float>
std::optional<Float> ParseFloat(const std::string& text) {
  if (text == "NaN") return std::numeric_limits<Float>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<Float>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<Float>::infinity();
  Float value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<int> ParseEnum(const FieldDescriptor& field, const std::string& text) {
  const auto& type = *field.enum_type();
  if (const auto* value = type.FindValueByName(text); value != nullptr) return value->number();
  const auto number = ParseInteger<std::int32_t>(text);
  const bool open = type.file()->syntax() == google::protobuf::FileDescriptor::SYNTAX_PROTO3;
  if (!number.has_value() || (!open && type.FindValueByNumber(*number) == nullptr)) return std::nullopt;
  return *number;
}

std::optional<std::string> ParseBytes(const std::string& text) {
  std::string bytes;
  if (absl::Base64Unescape(text, &bytes) || absl::WebSafeBase64Unescape(text, &bytes)) return bytes;
  return std::nullopt;
}

bool IsWrapper(const Descriptor& type) {
  switch (type.well_known_type()) {
    case Descriptor::WELLKNOWNTYPE_DOUBLEVALUE:
    case Descriptor::WELLKNOWNTYPE_FLOATVALUE:
    case Descriptor::WELLKNOWNTYPE_INT64VALUE:
    case Descriptor::WELLKNOWNTYPE_UINT64VALUE:
    case Descriptor::WELLKNOWNTYPE_INT32VALUE:
    case Descriptor::WELLKNOWNTYPE_UINT32VALUE:
    case Descriptor::WELLKNOWNTYPE_STRINGVALUE:
    case Descriptor::WELLKNOWNTYPE_BYTESVALUE:
    case Descriptor::WELLKNOWNTYPE_BOOLVALUE:
      return true;
    default:
      return false;
  }
}

// Sets a well-known message from the text of its JSON form.
absl::Status SetWellKnown(Message& message, const std::string& text) {
  const Descriptor& type = *message.GetDescriptor();
  google::protobuf::Timestamp timestamp;
  google::protobuf::Duration duration;
  google::protobuf::FieldMask mask;
  switch (type.well_known_type()) {
    case Descriptor::WELLKNOWNTYPE_TIMESTAMP:
      if (!TimeUtil::FromString(text, &timestamp)) return Expected("a time such as 2022-03-01T12:00:00Z", text);
      message.ParsePartialFromString(timestamp.SerializeAsString());
      return absl::OkStatus();
    case Descriptor::WELLKNOWNTYPE_DURATION:
      if (!TimeUtil::FromString(text, &duration)) return Expected("a duration such as 1.5s", text);
      message.ParsePartialFromString(duration.SerializeAsString());
      return absl::OkStatus();
    case Descriptor::WELLKNOWNTYPE_FIELDMASK:
      if (!FieldMaskUtil::FromJsonString(text, &mask)) return Expected("field paths such as userId,items", text);
      message.ParsePartialFromString(mask.SerializeAsString());
      return absl::OkStatus();
    default:
      return SetFromText(message, {type.FindFieldByNumber(1)}, text);
  }
}

// Stores a parsed value, if there is one.
template <typename Value>
absl::Status Store(Message& message, const FieldDescriptor& field, const std::optional<Value>& value,
                   const std::string& text, absl::string_view expected,
                   void (google::protobuf::Reflection::*set)(Message*, const FieldDescriptor*, Value) const,
                   void (google::protobuf::Reflection::*add)(Message*, const FieldDescriptor*, Value) const) {
  if (!value.has_value()) return Expected(expected, text);
  (message.GetReflection()->*(field.is_repeated() ? add : set))(&message, &field, *value);
  return absl::OkStatus();
}

absl::Status SetLeaf(Message& message, const FieldDescriptor& field, const std::string& text) {
  using R = google::protobuf::Reflection;
  const R& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return Store(message, field, ParseInteger<std::int32_t>(text), text, "a 32-bit integer", &R::SetInt32,
                   &R::AddInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return Store(message, field, ParseInteger<std::int64_t>(text), text, "a 64-bit integer", &R::SetInt64,
                   &R::AddInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return Store(message, field, ParseInteger<std::uint32_t>(text), text, "an unsigned 32-bit integer", &R::SetUInt32,
                   &R::AddUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return Store(message, field, ParseInteger<std::uint64_t>(text), text, "an unsigned 64-bit integer", &R::SetUInt64,
                   &R::AddUInt64);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Store(message, field, ParseFloat<double>(text), text, "a number", &R::SetDouble, &R::AddDouble);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return Store(message, field, ParseFloat<float>(text), text, "a number", &R::SetFloat, &R::AddFloat);
    case FieldDescriptor::CPPTYPE_BOOL: {
      const auto value = text == "true" ? std::optional(true) : text == "false" ? std::optional(false) : std::nullopt;
      return Store(message, field, value, text, "true or false", &R::SetBool, &R::AddBool);
    }
    case FieldDescriptor::CPPTYPE_ENUM:
      return Store(message, field, ParseEnum(field, text), text,
                   absl::StrCat("a value of ", field.enum_type()->full_name()), &R::SetEnumValue, &R::AddEnumValue);
    case FieldDescriptor::CPPTYPE_STRING: {
      const auto value = field.type() == FieldDescriptor::TYPE_BYTES ? ParseBytes(text)
                         : userfunction::IsValidUtf8(text)           ? std::optional(text)
                                                                     : std::nullopt;
      const auto* expected = field.type() == FieldDescriptor::TYPE_BYTES ? "base64" : "UTF-8";
      return Store(message, field, value, text, expected, &R::SetString, &R::AddString);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return SetWellKnown(
      *(field.is_repeated() ? reflection.AddMessage(&message, &field) : reflection.MutableMessage(&message, &field)),
      text);
}

}  // namespace

absl::StatusOr<FieldPath> ResolveFieldPath(const Descriptor& message, const std::string& path) {
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  if (names.size() > kMaxDepth)
    return absl::InvalidArgumentError(absl::StrCat("more than ", kMaxDepth, " nested fields"));
  FieldPath fields;
  const Descriptor* type = &message;
  for (const std::string& name : names) {
    if (type == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(fields.back()->full_name(), " has no fields of its own to be named"));
    }
    const FieldDescriptor* field = FindField(*type, name);
    if (field == nullptr)
      return absl::InvalidArgumentError(absl::StrCat(type->full_name(), " has no field '", name, "'"));
    fields.push_back(field);
    type = field->is_repeated() ? nullptr : field->message_type();
  }
  return fields;
}

bool TakesText(const FieldDescriptor& field) {
  const Descriptor* type = field.message_type();
  if (type == nullptr || IsWrapper(*type)) return true;
  switch (type->well_known_type()) {
    case Descriptor::WELLKNOWNTYPE_TIMESTAMP:
    case Descriptor::WELLKNOWNTYPE_DURATION:
    case Descriptor::WELLKNOWNTYPE_FIELDMASK:
      return true;
    default:
      return false;
  }
}

absl::Status SetFromText(Message& message, const FieldPath& path, const std::string& text) {
  Message* parent = &message;
  for (std::size_t i = 0; i + 1 < path.size(); ++i) parent = parent->GetReflection()->MutableMessage(parent, path[i]);
  return SetLeaf(*parent, *path.back(), text);
}

}  // namespace cloudstate::serving
