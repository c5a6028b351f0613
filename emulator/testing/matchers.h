#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "emulator/simulation/yaml_message.h"
#include "emulator/testing/json_value.h"

namespace cloudstate::testing {

// The matchers that may stand in place of an expected value: $any and $absent as texts, the others as mappings of
// nothing but matchers, all of which must hold.
inline constexpr char kAny[] = "$any";
inline constexpr char kAbsent[] = "$absent";
inline constexpr char kRegex[] = "$regex";          // searched in a text, or in a number as it is written
inline constexpr char kPartial[] = "$partial";      // only these fields are looked at, here and below
inline constexpr char kContains[] = "$contains";    // elements of a list, in any order, or a part of a text
inline constexpr char kUnordered[] = "$unordered";  // the elements of a list, in any order
inline constexpr char kLength[] = "$length";        // of a list, a text in characters, or a mapping
inline constexpr char kAbove[] = "$above";
inline constexpr char kBelow[] = "$below";
inline constexpr char kOneOf[] = "$one-of";

bool IsTextMatcher(const Json& value, absl::string_view matcher);
// A mapping of matchers.
bool IsMappedMatchers(const Json& value);

// A text or name as it is meant: "$$" at its beginning stands for one "$".
std::string Unescaped(const std::string& text);
std::string Escaped(const std::string& text);
// What came, written as what is expected: texts and names in it that look like matchers are none.
Json Expecting(const Json& came);

// What may stand in the end where alternatives are expected: those of $one-of and $partial, or the value itself. None
// for $any.
std::vector<const Json*> Alternatives(const Json& expected);

// INVALID_ARGUMENT, with the place, for matchers that there are not, or that are given what they can't take.
absl::Status CheckMatchers(const Json& expected, const simulation::YamlPlaces& places);

// INVALID_ARGUMENT says what is wrong with the pattern.
absl::Status CheckPattern(const std::string& pattern);
// By RE2's rules, whose time grows with the text's length only: anywhere in the text; of a pattern that was checked.
bool MatchesPattern(const std::string& pattern, const std::string& text);

// Elements, characters or members; nothing for what has none.
std::optional<double> LengthOf(const Json& value);

}  // namespace cloudstate::testing
