#include "emulator/testing/typed_comparison.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/base/names.h"
#include "emulator/testing/matchers.h"

namespace cloudstate::testing {
namespace {

// One message that may have been stored.
struct Choice {
  bool any = false;
  std::string type = {};  // as it is written
  const Json* message = nullptr;
  const Json* place = nullptr;  // the part of the file that says so
  Fields fields = Fields::kAll;
};

Json EmptyMessage() {
  Json message;
  message.mutable_struct_value();
  return message;
}

void AddChoices(const Json& expected, Fields fields, std::vector<Choice>& choices) {
  static const Json kEmpty = EmptyMessage();
  if (IsTextMatcher(expected, kAny)) {
    choices.push_back({.any = true});
  } else if (expected.has_string_value()) {
    choices.push_back({.type = expected.string_value(), .message = &kEmpty, .place = &expected, .fields = fields});
  } else if (const auto& members = expected.struct_value().fields(); members.size() == 1) {
    const auto& [name, member] = *members.begin();
    if (name == kPartial) return AddChoices(member, Fields::kNamed, choices);
    if (name == kOneOf) {
      for (const Json& each : member.list_value().values()) AddChoices(each, fields, choices);
      return;
    }
    const bool empty = member.has_null_value();
    choices.push_back({.type = name, .message = empty ? &kEmpty : &member, .place = &member, .fields = fields});
  }
}

std::vector<Choice> ChoicesOf(const Json& expected) {
  std::vector<Choice> choices;
  AddChoices(expected, Fields::kAll, choices);
  return choices;
}

Json Named(const std::string& type, const Json& message) {
  Json value;
  (*value.mutable_struct_value()->mutable_fields())[base::LastPart(type)] = message;
  return value;
}

// "events[0] is of type ItemAdded, not ItemRemoved"; full names where that would say nothing.
std::string OtherType(const std::vector<Choice>& choices, const std::string& type, const std::string& path) {
  std::vector<std::string> names;
  for (const Choice& each : choices) names.push_back(base::LastPart(base::TypeName(each.type)));
  const bool alike = std::count(names.begin(), names.end(), base::LastPart(type)) > 0;
  if (alike) {
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = base::TypeName(choices[i].type);
  }
  return absl::StrCat(path, " is of type ", alike ? type : base::LastPart(type), ", not ",
                      absl::StrJoin(names, " or "));
}

}  // namespace

Comparison CompareTyped(const Json& expected, const TypedActual& came, const std::string& path) {
  const std::vector<Choice> choices = ChoicesOf(expected);
  std::vector<Comparison> of_its_type;
  for (const Choice& choice : choices) {
    if (choice.any) return {.mismatches = {}, .shown = ShownTyped(came)};
    if (!base::MeansName(choice.type, came.type)) continue;
    Comparison each =
        Compare(*choice.message, came.message, absl::StrCat(path, ".", base::LastPart(came.type)), choice.fields);
    for (Mismatch& mismatch : each.mismatches) {
      if (mismatch.expected == choice.message) mismatch.expected = choice.place;
    }
    each.shown = Named(came.type, each.shown);
    if (each.equal()) return each;
    of_its_type.push_back(std::move(each));
  }
  if (of_its_type.size() == 1) return std::move(of_its_type.front());
  const Json& at = choices.size() == 1 ? *choices.front().place : expected;
  const std::string problem =
      of_its_type.empty() ? OtherType(choices, came.type, path)
                          : absl::StrCat(path, " is ", ShortJsonText(ShownTyped(came)), ", none of what may come");
  return {.mismatches = {{&at, problem}}, .shown = ShownExpected(expected)};
}

Json ShownTyped(const TypedActual& came) { return Named(came.type, came.message.brief); }

Json ShownExpected(const Json& expected) {
  const std::vector<Choice> choices = ChoicesOf(expected);
  if (choices.size() != 1 || choices.front().any) return expected;
  return Named(base::TypeName(choices.front().type), *choices.front().message);
}

}  // namespace cloudstate::testing
