#include "emulator/testing/field_check.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/base/did_you_mean.h"
#include "emulator/base/json_members.h"
#include "emulator/testing/matchers.h"

namespace cloudstate::testing {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Found = std::optional<FieldProblem>;

// Follows a message down its type.
class FieldCheck {
 public:
  static Found Message(const Json& value, const Descriptor& type) {
    // Well-known types have JSON of their own.
    if (type.well_known_type() != Descriptor::WELLKNOWNTYPE_UNSPECIFIED) return std::nullopt;
    if (IsMappedMatchers(value)) {
      return Within(value, [&](const Json& each) { return Message(each, type); });
    }
    if (!value.has_struct_value()) return std::nullopt;
    for (const auto& [name, member] : base::MembersByName(value)) {
      const FieldDescriptor* field = FindField(type, Unescaped(name));
      if (field == nullptr) return Unknown(name, *member, type);
      if (Found found = Field(*member, *field)) return found;
    }
    return std::nullopt;
  }

 private:
  static Found Unknown(const std::string& name, const Json& member, const Descriptor& type) {
    std::vector<std::string> names;
    for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->json_name());
    std::string hint = base::DidYouMean(name, names);
    if (hint.empty()) {
      hint = names.empty() ? ", which has none" : absl::StrCat("; there is ", absl::StrJoin(names, ", "));
    }
    return FieldProblem{&member, absl::StrCat("there is no field '", name, "' in ", type.name(), hint)};
  }

  // What a matcher takes: $partial the message itself, lists its alternatives or elements.
  template <class Check>
  static Found Within(const Json& matchers, const Check& check) {
    for (const auto& [name, argument] : base::MembersByName(matchers)) {
      if (name == kPartial) {
        if (Found found = check(*argument)) return found;
      }
      if (name != kOneOf) continue;
      for (const Json& each : argument->list_value().values()) {
        if (Found found = check(each)) return found;
      }
    }
    return std::nullopt;
  }

  static Found Field(const Json& value, const FieldDescriptor& field) {
    if (field.is_map()) return std::nullopt;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM && value.has_string_value()) return Enum(value, field);
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return std::nullopt;
    if (!field.is_repeated()) return Message(value, *field.message_type());
    if (IsMappedMatchers(value)) {
      for (const auto& [name, argument] : base::MembersByName(value)) {
        if (name != kContains && name != kUnordered) continue;
        if (Found found = Elements(*argument, field)) return found;
      }
    }
    return Elements(value, field);
  }

  static Found Elements(const Json& list, const FieldDescriptor& field) {
    for (const Json& element : list.list_value().values()) {
      if (Found found = Message(element, *field.message_type())) return found;
    }
    return std::nullopt;
  }

  static Found Enum(const Json& value, const FieldDescriptor& field) {
    const std::string& name = value.string_value();
    if (absl::StartsWith(name, "$") || field.enum_type()->FindValueByName(name) != nullptr) return std::nullopt;
    std::vector<std::string> names;
    for (int i = 0; i < field.enum_type()->value_count(); ++i) names.push_back(field.enum_type()->value(i)->name());
    std::string hint = base::DidYouMean(name, names);
    if (hint.empty()) hint = absl::StrCat("; there is ", absl::StrJoin(names, ", "));
    return FieldProblem{&value, absl::StrCat("there is no '", name, "' in ", field.enum_type()->name(), hint)};
  }
};

}  // namespace

const FieldDescriptor* FindField(const Descriptor& type, const std::string& name) {
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->name() == name || type.field(i)->json_name() == name) return type.field(i);
  }
  return nullptr;
}

std::optional<FieldProblem> FindFieldProblem(const Json& message, const Descriptor& type) {
  return FieldCheck::Message(message, type);
}

}  // namespace cloudstate::testing
