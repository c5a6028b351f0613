#include "emulator/testing/comparison.h"

#include <cmath>
#include <compare>
#include <functional>
#include <set>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "emulator/base/json_members.h"
#include "emulator/base/line_diff.h"
#include "emulator/testing/matchers.h"

namespace cloudstate::testing {
namespace {

// What stands at one place of what came; both null where nothing does.
struct Came {
  const Json* full = nullptr;
  const Json* brief = nullptr;  // null as well where it is at its default
  const Keys* keys = nullptr;   // null where there are none
  bool of_key = false;          // stands behind a key: has no default

  bool empty() const { return full == nullptr; }
  bool LacksKey() const { return of_key && empty(); }
  bool HasKeys() const { return keys != nullptr && keys->mapping != Keys::Mapping::kFields; }
  // Of what stands below, if it has its own.
  const Keys* KeysBelow(const Keys* own) const {
    return keys != nullptr && keys->mapping == Keys::Mapping::kKeysThroughout ? keys : own;
  }
};

Came Whole(const Json& value) { return {.full = &value, .brief = &value}; }
Came Nothing() { return {}; }

const Json* Member(const Json* value, const std::string& name) {
  if (value == nullptr || !value->has_struct_value()) return nullptr;
  const auto found = value->struct_value().fields().find(name);
  return found == value->struct_value().fields().end() ? nullptr : &found->second;
}

Came MemberOf(const Came& came, const std::string& name) {
  const Keys* own = nullptr;
  if (came.keys != nullptr) {
    const auto found = came.keys->members.find(name);
    if (found != came.keys->members.end()) own = &found->second;
  }
  return {.full = Member(came.full, name),
          .brief = Member(came.brief, name),
          .keys = came.KeysBelow(own),
          .of_key = came.HasKeys()};
}

// The name that a member has in what came.
std::string NameIn(const Came& came, const std::string& written) {
  std::string name = Unescaped(written);
  if (came.HasKeys()) return name;
  if (Member(came.full, name) != nullptr) return name;
  std::string json_name = JsonName(name);
  return Member(came.full, json_name) != nullptr ? json_name : name;
}

// A number that is whole, also one of 64 bits, of which a double would keep 53.
std::optional<absl::int128> WholeNumberOf(const Json& value) {
  constexpr double kWholeBelow = 9007199254740992;
  absl::int128 whole = 0;
  if (value.has_string_value() && absl::SimpleAtoi(value.string_value(), &whole)) return whole;
  const double number = value.number_value();
  const bool is_whole = value.has_number_value() && std::abs(number) < kWholeBelow && std::trunc(number) == number;
  return is_whole ? std::make_optional(absl::int128(number)) : std::nullopt;
}

// Unordered where one of them is no number.
std::partial_ordering Order(const Json& one, const Json& other) {
  const auto whole_one = WholeNumberOf(one);
  const auto whole_other = WholeNumberOf(other);
  if (whole_one.has_value() && whole_other.has_value()) {
    return *whole_one < *whole_other   ? std::partial_ordering::less
           : *whole_one > *whole_other ? std::partial_ordering::greater
                                       : std::partial_ordering::equivalent;
  }
  const auto number_one = NumberOf(one);
  const auto number_other = NumberOf(other);
  if (!number_one.has_value() || !number_other.has_value()) return std::partial_ordering::unordered;
  return *number_one <=> *number_other;
}

// One comparison, which writes down what does not fit.
class Comparer {
 public:
  explicit Comparer(std::vector<Mismatch>& mismatches) : mismatches_(mismatches) {}

  // The expected value as it is to be shown.
  Json Compare(const Json& expected, const Came& came, const std::string& path, Fields fields) {
    if (IsTextMatcher(expected, kAny)) return Shown(came);
    if (IsTextMatcher(expected, kAbsent)) return CompareAbsent(expected, came, path);
    if (IsMappedMatchers(expected)) return CompareMatchers(expected, came, path, fields);
    if (expected.has_struct_value()) return CompareMembers(expected, came, path, fields);
    if (expected.has_list_value()) return CompareElements(expected, came, path, fields);
    return CompareScalar(expected, came, path);
  }

 private:
  // Whether it would fit, without writing anything down.
  static bool Fits(const Json& expected, const Came& came, Fields fields) {
    std::vector<Mismatch> mismatches;
    Comparer(mismatches).Compare(expected, came, "", fields);
    return mismatches.empty();
  }

  static Json Shown(const Came& came) { return came.brief != nullptr ? *came.brief : Json(); }
  static std::string Text(const Came& came) { return came.empty() ? "absent" : ShortJsonText(*came.full); }

  Json Differs(const Json& expected, const std::string& problem) {
    mismatches_.push_back({&expected, problem});
    return expected;
  }

  Json CompareAbsent(const Json& expected, const Came& came, const std::string& path) {
    if (came.brief == nullptr) return {};
    return Differs(expected, absl::StrCat(path, " is ", Text(came), ", and should not be there"));
  }

  Json CompareScalar(const Json& expected, const Came& came, const std::string& path) {
    if (IsNull(expected) ? FitsNull(came) : FitsScalar(expected, came)) return Shown(came);
    Json meant = expected;
    if (meant.has_string_value()) meant.set_string_value(Unescaped(meant.string_value()));
    if (came.empty()) return Differs(expected, absl::StrCat(path, " is not there; expected ", ShortJsonText(meant)));
    return Differs(expected, absl::StrCat(path, " is ", Text(came), ", not ", ShortJsonText(meant)));
  }

  static bool IsNull(const Json& value) {
    return value.kind_case() == Json::kNullValue || value.kind_case() == Json::KIND_NOT_SET;
  }

  static bool FitsNull(const Came& came) {
    if (came.LacksKey()) return false;
    return came.brief == nullptr || LooksLikeDefault(*came.brief);
  }

  static bool FitsScalar(const Json& expected, const Came& came) {
    if (came.empty()) return !came.of_key && LooksLikeDefault(expected);
    return SameScalar(expected, *came.full);
  }

  static bool SameScalar(const Json& expected, const Json& came) {
    if (expected.has_string_value() && came.has_string_value()) {
      return Unescaped(expected.string_value()) == came.string_value();
    }
    if (expected.has_number_value() || came.has_number_value()) return Order(expected, came) == 0;
    return expected.has_bool_value() && came.has_bool_value() && expected.bool_value() == came.bool_value();
  }

  Json CompareMembers(const Json& expected, const Came& came, const std::string& path, Fields fields) {
    if (came.empty() && !came.of_key && expected.struct_value().fields().empty()) return {};
    if (!came.empty() && !came.full->has_struct_value()) {
      return Differs(expected, absl::StrCat(path, " is ", Text(came), ", not ", ShortJsonText(expected)));
    }
    if (came.LacksKey() || (came.empty() && fields == Fields::kAll && !AllFitAbsent(expected))) {
      return Differs(expected, absl::StrCat(path, " is not there; expected ", ShortJsonText(expected)));
    }
    Json shown;
    shown.mutable_struct_value();
    std::set<std::string> named;
    for (const auto& [written, member] : base::MembersByName(expected)) {
      const std::string name = NameIn(came, written);
      named.insert(name);
      Json part = Compare(*member, MemberOf(came, name), Below(path, name), fields);
      if (part.kind_case() != Json::KIND_NOT_SET) (*shown.mutable_struct_value()->mutable_fields())[name] = part;
    }
    if (came.brief != nullptr) CompareOthers(expected, came, named, path, fields, shown);
    return shown;
  }

  static bool AllFitAbsent(const Json& expected) {
    for (const auto& member : expected.struct_value().fields()) {
      if (!Fits(member.second, Nothing(), Fields::kAll)) return false;
    }
    return true;
  }

  // Members that are not named: at their default, or nobody's concern.
  void CompareOthers(const Json& expected, const Came& came, const std::set<std::string>& named,
                     const std::string& path, Fields fields, Json& shown) {
    for (const auto& [name, value] : base::MembersByName(*came.brief)) {
      if (named.count(name) > 0) continue;
      if (fields == Fields::kNamed) {
        (*shown.mutable_struct_value()->mutable_fields())[name] = *value;
      } else {
        Differs(expected, absl::StrCat(Below(path, name), " is ", ShortJsonText(*value), ", which was not expected"));
      }
    }
  }

  static std::string Below(const std::string& path, const std::string& name) {
    return path.empty() ? name : absl::StrCat(path, ".", name);
  }

  static Came Element(const Came& list, int index) {
    const Json& full = list.full->list_value().values(index);
    const bool both = list.brief != nullptr && index < list.brief->list_value().values_size();
    const auto at = static_cast<std::size_t>(index);
    const Keys* own = list.keys != nullptr && at < list.keys->elements.size() ? &list.keys->elements[at] : nullptr;
    return {
        .full = &full, .brief = both ? &list.brief->list_value().values(index) : &full, .keys = list.KeysBelow(own)};
  }
  static int Size(const Came& list) { return list.empty() ? 0 : list.full->list_value().values_size(); }
  static bool IsList(const Came& came) { return !came.empty() && came.full->has_list_value(); }

  Json CompareElements(const Json& expected, const Came& came, const std::string& path, Fields fields) {
    const auto& elements = expected.list_value().values();
    if (came.LacksKey()) {
      return Differs(expected, absl::StrCat(path, " is not there; expected ", ShortJsonText(expected)));
    }
    if (came.empty() && elements.empty()) return {};
    if (!came.empty() && !IsList(came)) {
      return Differs(expected, absl::StrCat(path, " is ", Text(came), ", and no list"));
    }
    Json shown;
    shown.mutable_list_value();
    const std::size_t before = mismatches_.size();
    for (int i = 0; i < elements.size(); ++i) {
      if (i >= Size(came)) {
        *shown.mutable_list_value()->add_values() = elements[i];
        continue;
      }
      Json part = Compare(elements[i], Element(came, i), absl::StrCat(path, "[", i, "]"), fields);
      *shown.mutable_list_value()->add_values() = std::move(part);
    }
    if (elements.size() != Size(came)) {
      const std::string problem = absl::StrCat(path, " has ", Size(came), Size(came) == 1 ? " element" : " elements",
                                               ", not ", elements.size());
      // That says more than what differs because of it.
      mismatches_.insert(mismatches_.begin() + static_cast<std::ptrdiff_t>(before), {&expected, problem});
    }
    if (came.brief == nullptr && mismatches_.size() == before) return {};
    return shown;
  }

  // ---- matchers

  Json CompareMatchers(const Json& expected, const Came& came, const std::string& path, Fields fields) {
    const std::size_t before = mismatches_.size();
    Json shown = Shown(came);
    for (const auto& [name, argument] : base::MembersByName(expected)) {
      if (name == kPartial) {
        shown = Compare(*argument, came, path, Fields::kNamed);
      } else if (std::string problem = Problem(name, *argument, came, fields); !problem.empty()) {
        Differs(expected, absl::StrCat(path, " is ", Text(came), ", ", problem));
      }
    }
    if (mismatches_.size() == before || expected.struct_value().fields().count(kPartial) > 0) return shown;
    return expected;
  }

  // Why it does not fit; empty if it does.
  static std::string Problem(const std::string& name, const Json& argument, const Came& came, Fields fields) {
    const std::string what = ShortJsonText(argument);
    static const Json kNothing;
    const Json& value = came.empty() ? kNothing : *came.full;
    if (came.LacksKey() && name != kOneOf) return "and should be there";
    if (name == kRegex || (name == kContains && argument.has_string_value())) return TextProblem(name, argument, value);
    if (name == kAbove || name == kBelow) {
      // A number that is not there is 0.
      const Json number = came.empty() ? NumberValue(0) : value;
      if (!NumberOf(number).has_value()) return "and no number";
      if (name == kAbove) return Order(number, argument) > 0 ? "" : absl::StrCat("not above ", what);
      return Order(number, argument) < 0 ? "" : absl::StrCat("not below ", what);
    }
    if (name == kLength) return LengthProblem(argument, came.empty() ? 0 : LengthOf(value));
    if (name == kOneOf) {
      for (const Json& each : argument.list_value().values()) {
        if (Fits(each, came, fields)) return "";
      }
      return absl::StrCat("none of ", what);
    }
    if (!came.empty() && !IsList(came)) return "and no list";
    return ElementsProblem(name, argument, came, fields);
  }

  static std::string TextProblem(const std::string& name, const Json& argument, const Json& value) {
    const std::optional<std::string> text = TextOf(value);
    if (!text.has_value()) return "and no text";
    if (name == kContains) {
      const bool contains = absl::StrContains(*text, argument.string_value());
      return contains ? "" : absl::StrCat("which does not contain ", ShortJsonText(argument));
    }
    const bool matches = MatchesPattern(argument.string_value(), *text);
    return matches ? "" : absl::StrCat("which does not match ", argument.string_value());
  }

  // A number is its digits; what is not there is an empty text.
  static std::optional<std::string> TextOf(const Json& value) {
    if (IsNull(value)) return "";
    if (value.has_number_value()) return JsonText(value);
    if (!value.has_string_value()) return std::nullopt;
    return value.string_value();
  }

  static std::string LengthProblem(const Json& argument, std::optional<double> length) {
    if (!length.has_value()) return "and has no length";
    const Json value = NumberValue(*length);
    if (Fits(argument, Whole(value), Fields::kAll)) return "";
    return absl::StrCat("whose length ", JsonText(value), " is not ", ShortJsonText(argument));
  }

  // Elements are assigned to each other so that as many as possible fit: by augmenting paths (Kuhn's algorithm).
  static std::string ElementsProblem(const std::string& name, const Json& argument, const Came& came, Fields fields) {
    const auto& wanted = argument.list_value().values();
    if (name == kUnordered && wanted.size() != Size(came)) {
      return absl::StrCat("which has ", Size(came), " elements, not ", wanted.size());
    }
    std::vector<int> taken(static_cast<std::size_t>(Size(came)), -1);
    std::vector<bool> seen;
    const std::function<bool(int)> assign = [&](int want) {
      for (int i = 0; i < Size(came); ++i) {
        const auto at = static_cast<std::size_t>(i);
        if (seen[at] || !Fits(wanted[want], Element(came, i), fields)) continue;
        seen[at] = true;
        if (taken[at] >= 0 && !assign(taken[at])) continue;
        taken[at] = want;
        return true;
      }
      return false;
    };
    for (int want = 0; want < wanted.size(); ++want) {
      seen.assign(taken.size(), false);
      if (!assign(want)) return absl::StrCat("in which nothing fits ", ShortJsonText(wanted[want]));
    }
    return "";
  }

  std::vector<Mismatch>& mismatches_;
};

}  // namespace

Comparison Compare(const Json& expected, const Actual& actual, const std::string& path, Fields fields) {
  Comparison comparison;
  Came came{.full = &actual.full, .brief = &actual.brief, .keys = &actual.keys};
  if (actual.full.kind_case() == Json::KIND_NOT_SET) came = Nothing();
  comparison.shown = Comparer(comparison.mismatches).Compare(expected, came, path, fields);
  return comparison;
}

std::vector<std::string> DifferenceLines(const Comparison& comparison, const Json& came) {
  return base::DiffLines(base::JsonLines(JsonText(comparison.shown)), base::JsonLines(JsonText(came)));
}

}  // namespace cloudstate::testing
