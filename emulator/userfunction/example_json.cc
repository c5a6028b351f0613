#include <algorithm>
#include <string>
#include <vector>

#include "emulator/userfunction/json_text.h"
#include "emulator/userfunction/payload_json.h"

namespace cloudstate::userfunction {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr int kMaxFields = 500;  // an example longer than that helps nobody

class Example {
 public:
  std::string Message(const Descriptor& type) {
    switch (type.well_known_type()) {
      case Descriptor::WELLKNOWNTYPE_UNSPECIFIED:
        return Object(type);
      case Descriptor::WELLKNOWNTYPE_TIMESTAMP:
        return "\"2022-03-01T12:00:00Z\"";
      case Descriptor::WELLKNOWNTYPE_DURATION:
        return "\"1.5s\"";
      case Descriptor::WELLKNOWNTYPE_FIELDMASK:
        return "\"\"";
      case Descriptor::WELLKNOWNTYPE_ANY:
      case Descriptor::WELLKNOWNTYPE_STRUCT:
        return "{}";
      case Descriptor::WELLKNOWNTYPE_LISTVALUE:
        return "[]";
      case Descriptor::WELLKNOWNTYPE_VALUE:
        return "null";
      default:  // a wrapper
        return Value(*type.FindFieldByNumber(1));
    }
  }

 private:
  std::string Object(const Descriptor& type) {
    if (std::ranges::find(within_, &type) != within_.end()) return "{}";
    within_.push_back(&type);
    std::string json = "{";
    for (int i = 0; i < type.field_count() && ++fields_ <= kMaxFields; ++i) {
      const FieldDescriptor& field = *type.field(i);
      const auto* oneof = field.containing_oneof();
      if (oneof != nullptr && oneof->field(0) != &field) continue;
      if (json.size() > 1) json.push_back(',');
      AppendJsonString(field.json_name(), json);
      json.push_back(':');
      json.append(Field(field));
    }
    within_.pop_back();
    json.push_back('}');
    return json;
  }

  std::string Field(const FieldDescriptor& field) {
    if (field.is_map()) {
      const std::string key = Value(*field.message_type()->map_key());
      const std::string quoted = key.front() == '"' ? key : "\"" + key + "\"";
      return "{" + quoted + ":" + Value(*field.message_type()->map_value()) + "}";
    }
    const bool recursive = std::ranges::find(within_, field.message_type()) != within_.end();
    if (field.is_repeated()) return recursive ? "[]" : "[" + Value(field) + "]";
    return Value(field);
  }

  std::string Value(const FieldDescriptor& field) {
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Message(*field.message_type());
      case FieldDescriptor::CPPTYPE_STRING:
        return field.type() == FieldDescriptor::TYPE_BYTES ? "\"\"" : Quoted(field.name());
      case FieldDescriptor::CPPTYPE_BOOL:
        return "false";
      case FieldDescriptor::CPPTYPE_ENUM:
        return Enum(field);
      case FieldDescriptor::CPPTYPE_INT64:
      case FieldDescriptor::CPPTYPE_UINT64:
        return "\"1\"";
      default:
        return "1";
    }
  }

  static std::string Quoted(const std::string& text) {
    std::string json;
    AppendJsonString(text, json);
    return json;
  }

  static std::string Enum(const FieldDescriptor& field) {
    if (field.enum_type()->full_name() == "google.protobuf.NullValue") return "null";
    return Quoted(field.enum_type()->value(0)->name());
  }

  std::vector<const Descriptor*> within_;  // the types that are being written
  int fields_ = 0;
};

}  // namespace

std::string ExampleJson(const Descriptor& message) { return Example().Message(message); }

}  // namespace cloudstate::userfunction
