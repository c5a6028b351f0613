#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/base/did_you_mean.h"
#include "emulator/testing/file_check.h"
#include "emulator/testing/matchers.h"

namespace cloudstate::testing {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Follows a message down its type.
class FieldCheck {
 public:
  explicit FieldCheck(const simulation::YamlPlaces& places) : places_(places) {}

  absl::Status Message(const Json& value, const Descriptor& type) const {
    // Well-known types have JSON of their own.
    if (type.well_known_type() != Descriptor::WELLKNOWNTYPE_UNSPECIFIED) return absl::OkStatus();
    if (IsMappedMatchers(value)) {
      return Within(value, [&](const Json& each) { return Message(each, type); });
    }
    if (!value.has_struct_value()) return absl::OkStatus();
    for (const auto& [name, member] : value.struct_value().fields()) {
      const FieldDescriptor* field = Find(type, Unescaped(name));
      if (field == nullptr) return Unknown(name, member, type);
      if (absl::Status status = Field(member, *field); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  static const FieldDescriptor* Find(const Descriptor& type, const std::string& name) {
    for (int i = 0; i < type.field_count(); ++i) {
      if (type.field(i)->name() == name || type.field(i)->json_name() == name) return type.field(i);
    }
    return nullptr;
  }

  absl::Status Unknown(const std::string& name, const Json& member, const Descriptor& type) const {
    std::vector<std::string> names;
    for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->json_name());
    std::string hint = base::DidYouMean(name, names);
    if (hint.empty()) {
      hint = names.empty() ? ", which has none" : absl::StrCat("; there is ", absl::StrJoin(names, ", "));
    }
    return places_.Error(places_.Of(member), absl::StrCat("there is no field '", name, "' in ", type.name(), hint));
  }

  // What a matcher takes: $partial the message itself, lists its alternatives or elements.
  template <class Check>
  static absl::Status Within(const Json& matchers, const Check& check) {
    for (const auto& [name, argument] : matchers.struct_value().fields()) {
      if (name == kPartial) {
        if (absl::Status status = check(argument); !status.ok()) return status;
      }
      if (name != kOneOf) continue;
      for (const Json& each : argument.list_value().values()) {
        if (absl::Status status = check(each); !status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  absl::Status Field(const Json& value, const FieldDescriptor& field) const {
    if (field.is_map()) return absl::OkStatus();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM && value.has_string_value()) return Enum(value, field);
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return absl::OkStatus();
    if (!field.is_repeated()) return Message(value, *field.message_type());
    if (IsMappedMatchers(value)) {
      for (const auto& [name, argument] : value.struct_value().fields()) {
        if (name != kContains && name != kUnordered) continue;
        if (absl::Status status = Elements(argument, field); !status.ok()) return status;
      }
    }
    return Elements(value, field);
  }

  absl::Status Elements(const Json& list, const FieldDescriptor& field) const {
    for (const Json& element : list.list_value().values()) {
      if (absl::Status status = Message(element, *field.message_type()); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status Enum(const Json& value, const FieldDescriptor& field) const {
    const std::string& name = value.string_value();
    if (absl::StartsWith(name, "$") || field.enum_type()->FindValueByName(name) != nullptr) return absl::OkStatus();
    std::vector<std::string> names;
    for (int i = 0; i < field.enum_type()->value_count(); ++i) names.push_back(field.enum_type()->value(i)->name());
    std::string hint = base::DidYouMean(name, names);
    if (hint.empty()) hint = absl::StrCat("; there is ", absl::StrJoin(names, ", "));
    return places_.Error(places_.Of(value),
                         absl::StrCat("there is no '", name, "' in ", field.enum_type()->name(), hint));
  }

  const simulation::YamlPlaces& places_;
};

}  // namespace

absl::Status CheckFields(const Json& message, const Descriptor& type, const simulation::YamlPlaces& places) {
  return FieldCheck(places).Message(message, type);
}

}  // namespace cloudstate::testing
