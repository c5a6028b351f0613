#include "emulator/cluster/latency.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "emulator/base/chance.h"

namespace cloudstate::cluster {
namespace {

struct Form {
  Latency::Kind kind;
  absl::string_view name;
  absl::string_view low;  // what people call it
  absl::string_view high;
  absl::string_view example;
};

constexpr Form kForms[] = {
    {Latency::Kind::kUniform, "uniform", "the least", "the most", "uniform(1ms, 20ms)"},
    {Latency::Kind::kNormal, "normal", "the mean", "the deviation", "normal(10ms, 3ms)"},
    {Latency::Kind::kExponential, "exponential", "the least", "the mean of what comes on top",
     "exponential(1ms, 10ms)"},
};

constexpr absl::string_view kExpected =
    "expected a duration such as \"5ms\", or \"uniform(1ms, 20ms)\", \"normal(10ms, 3ms)\" or \"exponential(1ms, "
    "10ms)\"";

absl::Status Wrong(absl::string_view text, absl::string_view what, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat("latency \"", text, "\": ", what, "; ", expected));
}

// Why `text`, which could not be read, is no duration.
std::string NoDuration(absl::string_view text) {
  if (text.empty()) return "a duration is missing";
  absl::string_view rest = absl::StripPrefix(text, "-");
  const std::size_t digits = std::min(rest.find_first_not_of("0123456789."), rest.size());
  if (digits == 0) return absl::StrCat("\"", text, "\" is not a duration");
  rest.remove_prefix(digits);
  if (rest.empty()) return absl::StrCat("\"", text, "\" has no unit");
  for (absl::string_view unit : {"ns", "us", "ms", "s", "m", "h"}) {
    if (rest == unit) return absl::StrCat("\"", text, "\" is not a duration");
  }
  if (std::all_of(rest.begin(), rest.end(),
                  [](char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); })) {
    return absl::StrCat("\"", rest, "\" is no unit of time, those are ns, us, ms, s, m and h");
  }
  return absl::StrCat("\"", text, "\" is not a duration");
}

// `what` says what is wrong with it.
std::optional<absl::Duration> ReadDuration(absl::string_view text, std::string& what) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration)) {
    what = NoDuration(text);
  } else if (duration < absl::ZeroDuration()) {
    what = absl::StrCat("\"", text, "\" is negative");
  } else if (duration == absl::InfiniteDuration()) {
    what = absl::StrCat("\"", text, "\" is infinite, cut the link instead");
  } else {
    return duration;
  }
  return std::nullopt;
}

absl::StatusOr<Latency> ParseForm(absl::string_view text, const Form& form, absl::string_view arguments) {
  const std::string expected =
      absl::StrCat("expected ", form.low, " and ", form.high, ", such as \"", form.example, "\"");
  std::vector<absl::string_view> parts = absl::StrSplit(arguments, ',');
  if (form.kind == Latency::Kind::kExponential && parts.size() == 1) parts.insert(parts.begin(), "0");
  if (parts.size() != 2) return Wrong(text, absl::StrCat(form.name, " takes two durations"), expected);
  std::string what;
  const std::optional<absl::Duration> low = ReadDuration(absl::StripAsciiWhitespace(parts[0]), what);
  if (!low.has_value()) return Wrong(text, what, expected);
  const std::optional<absl::Duration> high = ReadDuration(absl::StripAsciiWhitespace(parts[1]), what);
  if (!high.has_value()) return Wrong(text, what, expected);
  if (form.kind == Latency::Kind::kUniform && *high < *low) {
    return Wrong(text, "the most is less than the least", expected);
  }
  return Latency{.kind = form.kind, .low = *low, .high = *high};
}

}  // namespace

absl::Duration Latency::Draw(base::Random& random) const {
  absl::Duration drawn = low;
  switch (kind) {
    case Kind::kConstant:
      break;
    case Kind::kUniform:
      drawn += (high - low) * base::Uniform(random);
      break;
    case Kind::kNormal: {
      // Box and Muller (1958). The second number that it could give is not kept, so that a draw depends on no other.
      const double radius = std::sqrt(-2 * std::log(1 - base::Uniform(random)));
      drawn += high * (radius * std::cos(2 * std::numbers::pi * base::Uniform(random)));
      break;
    }
    case Kind::kExponential:
      drawn += high * -std::log(1 - base::Uniform(random));
      break;
  }
  // Mathematical libraries may differ in the last digit, which is left out here.
  return std::max(absl::Trunc(drawn, absl::Nanoseconds(1)), absl::ZeroDuration());
}

std::string Latency::ToString() const {
  for (const Form& form : kForms) {
    if (form.kind != kind) continue;
    return absl::StrCat(form.name, "(", absl::FormatDuration(low), ", ", absl::FormatDuration(high), ")");
  }
  return absl::FormatDuration(low);
}

absl::StatusOr<Latency> Latency::Parse(absl::string_view text) {
  const absl::string_view trimmed = absl::StripAsciiWhitespace(text);
  const std::size_t open = trimmed.find('(');
  if (open == absl::string_view::npos) {
    std::string what;
    const std::optional<absl::Duration> constant = ReadDuration(trimmed, what);
    if (!constant.has_value()) return Wrong(text, what, kExpected);
    return Latency{.kind = Kind::kConstant, .low = *constant, .high = {}};
  }
  const absl::string_view name = absl::StripTrailingAsciiWhitespace(trimmed.substr(0, open));
  absl::string_view arguments = trimmed.substr(open + 1);
  if (!absl::ConsumeSuffix(&arguments, ")")) return Wrong(text, "a closing parenthesis is missing", kExpected);
  for (const Form& form : kForms) {
    if (form.name == name) return ParseForm(text, form, arguments);
  }
  return Wrong(text, absl::StrCat("\"", name, "\" is no kind of latency"), kExpected);
}

}  // namespace cloudstate::cluster
