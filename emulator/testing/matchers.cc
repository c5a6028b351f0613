#include "emulator/testing/matchers.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/base/did_you_mean.h"
#include "emulator/base/json_members.h"
#include "re2/re2.h"

namespace cloudstate::testing {
namespace {

const std::vector<std::string>& MatcherNames() {
  static const std::vector<std::string> kNames = {kAny,       kAbsent, kRegex, kPartial, kContains,
                                                  kUnordered, kLength, kAbove, kBelow,   kOneOf};
  return kNames;
}

bool IsMatcherName(absl::string_view text) { return absl::StartsWith(text, "$") && !absl::StartsWith(text, "$$"); }

class MatcherCheck {
 public:
  explicit MatcherCheck(const simulation::YamlPlaces& places) : places_(places) {}

  absl::Status Check(const Json& value) const {
    if (value.has_string_value()) return CheckText(value);
    if (value.has_list_value()) return CheckElements(value);
    if (!value.has_struct_value()) return absl::OkStatus();
    const bool matchers = HasMatcher(value);
    for (const auto& [name, member] : base::MembersByName(value)) {
      if (matchers && !IsMatcherName(name)) {
        return Error(*member,
                     absl::StrCat("'", name, "' stands beside matchers, which take the place of a whole value"));
      }
      if (absl::Status status = matchers ? CheckMatcher(name, *member) : Check(*member); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  static bool HasMatcher(const Json& value) {
    const auto& fields = value.struct_value().fields();
    return std::any_of(fields.begin(), fields.end(), [](const auto& each) { return IsMatcherName(each.first); });
  }

  absl::Status Error(const Json& value, const std::string& text) const {
    return places_.Error(places_.Of(value), text);
  }

  absl::Status Unknown(const Json& value, const std::string& name) const {
    std::string hint = base::DidYouMean(name, MatcherNames());
    if (hint.empty()) hint = absl::StrCat("; there is ", absl::StrJoin(MatcherNames(), ", "));
    return Error(value,
                 absl::StrCat("there is no matcher '", name, "' (a text that begins with $ is written with $$)", hint));
  }

  absl::Status CheckText(const Json& value) const {
    const std::string& text = value.string_value();
    if (!IsMatcherName(text) || text == kAny || text == kAbsent) return absl::OkStatus();
    if (std::count(MatcherNames().begin(), MatcherNames().end(), text) > 0) {
      return Error(value, absl::StrCat("'", text, "' takes a value, as in {", text, ": …}"));
    }
    return Unknown(value, text);
  }

  absl::Status CheckElements(const Json& list) const {
    for (const Json& element : list.list_value().values()) {
      if (absl::Status status = Check(element); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status CheckMatcher(const std::string& name, const Json& argument) const {
    if (name == kRegex) {
      if (!argument.has_string_value()) return Error(argument, "'$regex' takes a pattern, as in {$regex: ^a}");
      const absl::Status status = CheckPattern(argument.string_value());
      return status.ok() ? status : Error(argument, std::string(status.message()));
    }
    if (name == kAbove || name == kBelow) {
      return NumberOf(argument).has_value() ? absl::OkStatus()
                                            : Error(argument, absl::StrCat("'", name, "' takes a number"));
    }
    if (name == kLength) {
      const bool fits = NumberOf(argument).has_value() || IsMappedMatchers(argument);
      return fits ? Check(argument) : Error(argument, "'$length' takes a number, or {$above: …}");
    }
    if (name == kPartial) {
      return argument.has_struct_value() ? Check(argument) : Error(argument, "'$partial' takes names with values");
    }
    if (name == kContains && argument.has_string_value()) return absl::OkStatus();
    if (name == kContains || name == kUnordered || name == kOneOf) {
      if (!argument.has_list_value()) return Error(argument, absl::StrCat("'", name, "' takes a list"));
      return CheckElements(argument);
    }
    if (name == kAny || name == kAbsent) {
      return Error(argument, absl::StrCat("'", name, "' takes nothing: write ", name, " in place of the value"));
    }
    return Unknown(argument, name);
  }

  const simulation::YamlPlaces& places_;
};

}  // namespace

bool IsTextMatcher(const Json& value, absl::string_view matcher) {
  return value.has_string_value() && value.string_value() == matcher;
}

bool IsMappedMatchers(const Json& value) {
  if (!value.has_struct_value() || value.struct_value().fields().empty()) return false;
  const auto& fields = value.struct_value().fields();
  return std::all_of(fields.begin(), fields.end(), [](const auto& each) { return IsMatcherName(each.first); });
}

std::vector<const Json*> Alternatives(const Json& expected) {
  if (IsTextMatcher(expected, kAny)) return {};
  const auto& fields = expected.struct_value().fields();
  if (fields.size() != 1) return {&expected};
  const auto& [name, argument] = *fields.begin();
  if (name == kPartial) return Alternatives(argument);
  if (name != kOneOf) return {&expected};
  std::vector<const Json*> all;
  for (const Json& each : argument.list_value().values()) {
    for (const Json* alternative : Alternatives(each)) all.push_back(alternative);
  }
  return all;
}

std::string Unescaped(const std::string& text) { return absl::StartsWith(text, "$$") ? text.substr(1) : text; }

std::string Escaped(const std::string& text) { return absl::StartsWith(text, "$") ? "$" + text : text; }

Json Expecting(const Json& came) {
  if (came.has_string_value()) return TextValue(Escaped(came.string_value()));
  Json result = came;
  if (came.has_list_value()) {
    for (Json& each : *result.mutable_list_value()->mutable_values()) each = Expecting(each);
  }
  if (came.has_struct_value()) {
    auto& fields = *result.mutable_struct_value()->mutable_fields();
    fields.clear();
    for (const auto& [name, field] : came.struct_value().fields()) fields[Escaped(name)] = Expecting(field);
  }
  return result;
}

absl::Status CheckMatchers(const Json& expected, const simulation::YamlPlaces& places) {
  return MatcherCheck(places).Check(expected);
}

absl::Status CheckPattern(const std::string& pattern) {
  const RE2 compiled(pattern, RE2::Quiet);
  if (compiled.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("'", pattern, "' is no regular expression: ", compiled.error()));
}

bool MatchesPattern(const std::string& pattern, const std::string& text) {
  return RE2::PartialMatch(text, RE2(pattern, RE2::Quiet));
}

std::optional<double> LengthOf(const Json& value) {
  if (value.has_list_value()) return value.list_value().values_size();
  if (value.has_struct_value()) return static_cast<double>(value.struct_value().fields().size());
  if (!value.has_string_value()) return std::nullopt;
  const std::string& text = value.string_value();
  return static_cast<double>(std::count_if(
      text.begin(), text.end(), [](char each) { return (static_cast<unsigned char>(each) & 0xC0) != 0x80; }));
}

}  // namespace cloudstate::testing
