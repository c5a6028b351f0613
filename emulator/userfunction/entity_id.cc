#include "emulator/userfunction/entity_id.h"

#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "cloudstate/entity_key.pb.h"
#include "cloudstate/legacy_entity_key.pb.h"
#include "emulator/userfunction/utf8.h"
#include "emulator/userfunction/wire_reader.h"

namespace cloudstate::userfunction {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

bool IsKey(const FieldDescriptor& field) {
  return field.options().GetExtension(entity_key) || field.options().GetExtension(legacy_entity_key);
}

std::string EnumText(const FieldDescriptor& field, int number) {
  const auto* value = field.enum_type()->FindValueByNumber(number);
  return value != nullptr ? value->name() : absl::StrCat(number);
}

// The text of a number as it is on the wire.
std::string NumberText(const FieldDescriptor& field, std::uint64_t raw) {
  const auto zigzag = static_cast<std::int64_t>((raw >> 1) ^ (~(raw & 1) + 1));
  switch (field.type()) {
    case FieldDescriptor::TYPE_BOOL:
      return raw != 0 ? "true" : "false";
    case FieldDescriptor::TYPE_ENUM:
      return EnumText(field, static_cast<std::int32_t>(raw));
    case FieldDescriptor::TYPE_INT32:
    case FieldDescriptor::TYPE_SFIXED32:
      return absl::StrCat(static_cast<std::int32_t>(raw));
    case FieldDescriptor::TYPE_SINT32:
      return absl::StrCat(static_cast<std::int32_t>(zigzag));
    case FieldDescriptor::TYPE_UINT32:
    case FieldDescriptor::TYPE_FIXED32:
      return absl::StrCat(static_cast<std::uint32_t>(raw));
    case FieldDescriptor::TYPE_SINT64:
      return absl::StrCat(zigzag);
    case FieldDescriptor::TYPE_UINT64:
    case FieldDescriptor::TYPE_FIXED64:
      return absl::StrCat(raw);
    default:
      return absl::StrCat(static_cast<std::int64_t>(raw));
  }
}

WireField::Type WireTypeOf(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_STRING:
      return WireField::Type::kBytes;
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED64:
      return WireField::Type::kFixed64;
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32:
      return WireField::Type::kFixed32;
    default:
      return WireField::Type::kVarint;
  }
}

std::string DefaultText(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return field.default_value_string();
    case FieldDescriptor::CPPTYPE_BOOL:
      return field.default_value_bool() ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return field.default_value_enum()->name();
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(field.default_value_int32());
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(field.default_value_uint32());
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(field.default_value_uint64());
    default:
      return absl::StrCat(field.default_value_int64());
  }
}

absl::Status CheckUsable(const FieldDescriptor& field) {
  absl::string_view problem;
  switch (field.type()) {
    case FieldDescriptor::TYPE_BYTES:
    case FieldDescriptor::TYPE_FLOAT:
    case FieldDescriptor::TYPE_DOUBLE:
      problem = field.type_name();
      break;
    case FieldDescriptor::TYPE_MESSAGE:
    case FieldDescriptor::TYPE_GROUP:
      problem = "a message";
      break;
    default:
      break;
  }
  if (field.is_repeated()) problem = "repeated";
  if (problem.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("field ", field.full_name(), " is marked as entity key but is ",
                                                 problem,
                                                 "; a key is a singular string, integer, boolean or enum field"));
}

}  // namespace

bool HasEntityKey(const Descriptor& message) {
  for (int i = 0; i < message.field_count(); ++i) {
    if (IsKey(*message.field(i))) return true;
  }
  return false;
}

absl::StatusOr<EntityIdExtractor> EntityIdExtractor::Create(const Descriptor& message) {
  std::vector<const FieldDescriptor*> keys;
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    if (!IsKey(field)) continue;
    if (absl::Status status = CheckUsable(field); !status.ok()) return status;
    keys.push_back(&field);
  }
  if (keys.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("message ", message.full_name(), " has no field marked as entity key"));
  }
  return EntityIdExtractor(std::move(keys));
}

EntityIdExtractor::EntityIdExtractor(std::vector<const FieldDescriptor*> keys) {
  for (const FieldDescriptor* field : keys) {
    keys_.push_back(
        {.field = field, .number = field->number(), .wire_type = WireTypeOf(*field), .absent = DefaultText(*field)});
  }
}

std::vector<std::string> EntityIdExtractor::KeyFields() const {
  std::vector<std::string> names;
  for (const Key& key : keys_) names.push_back(key.field->name());
  return names;
}

absl::StatusOr<std::string> EntityIdExtractor::Extract(std::string_view serialized) const {
  absl::InlinedVector<Value, 4> values(keys_.size());
  WireReader reader(serialized);
  for (WireField field; reader.Next(field);) {
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      // A field with another wire type is an unknown field to protobuf, and so it is here.
      if (keys_[i].number != field.number || keys_[i].wire_type != field.type) continue;
      values[i] = {.present = true, .number = field.value, .bytes = field.bytes};
    }
  }
  if (!reader.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the command is not a valid ", keys_.front().field->containing_type()->full_name()));
  }
  std::string id;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (i > 0) id.push_back('-');
    if (absl::Status status = Append(keys_[i], values[i], id); !status.ok()) return status;
  }
  return id;
}

absl::Status EntityIdExtractor::Append(const Key& key, const Value& value, std::string& id) const {
  if (!value.present) {
    id.append(key.absent);
  } else if (key.wire_type != WireField::Type::kBytes) {
    id.append(NumberText(*key.field, value.number));
  } else if (IsValidUtf8(value.bytes)) {
    id.append(value.bytes);
  } else {
    return absl::InvalidArgumentError(absl::StrCat("the entity key ", key.field->full_name(), " is not valid UTF-8"));
  }
  return absl::OkStatus();
}

}  // namespace cloudstate::userfunction
