#include "cmd/cloudstate-dev/scaling_flags.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cmd/cloudstate-dev/command_line.h"

namespace cloudstate::cli {
namespace {

constexpr char kScalingGroup[] = "Scaling";
constexpr char kAnnotationFlag[] = "--scale-annotation";

void SetOrThrow(scaling::Settings& settings, const std::string& flag, std::string_view name, std::string_view value) {
  const absl::Status status = scaling::Set(settings, name, value);
  if (!status.ok()) throw CLI::ValidationError(flag, std::string(status.message()));
}

// Empty where it is not set.
std::string VariableOf(const scaling::SettingInfo& info) {
  const char* value = info.environment.empty() ? nullptr : std::getenv(std::string(info.environment).c_str());
  return value == nullptr ? "" : value;
}

// The published proxy's configuration has units of times as words, and milliseconds where there is none.
constexpr struct {
  std::string_view letters;
  std::string_view word;  // and the same with an s
  absl::Duration unit;
} kTimeUnits[] = {
    {"ns", "nanosecond", absl::Nanoseconds(1)},
    {"ns", "nano", absl::Nanoseconds(1)},
    {"us", "microsecond", absl::Microseconds(1)},
    {"us", "micro", absl::Microseconds(1)},
    {"ms", "millisecond", absl::Milliseconds(1)},
    {"", "milli", absl::Milliseconds(1)},
    {"s", "second", absl::Seconds(1)},
    {"m", "minute", absl::Minutes(1)},
    {"h", "hour", absl::Hours(1)},
    {"d", "day", absl::Hours(24)},
};

// "60s" for "60 seconds"; what is no such time stays as it is.
std::string PlainTime(const std::string& text) {
  const absl::string_view trimmed = absl::StripAsciiWhitespace(text);
  const std::size_t end = std::min(trimmed.find_first_not_of("0123456789."), trimmed.size());
  double number = 0;
  if (!absl::SimpleAtod(trimmed.substr(0, end), &number)) return text;
  const std::string unit(absl::StripLeadingAsciiWhitespace(trimmed.substr(end)));
  for (const auto& each : kTimeUnits) {
    const std::string word(each.word);
    if (unit == each.letters || unit == word || unit == word + "s") return absl::FormatDuration(number * each.unit);
  }
  return text;
}

void AddScalingFlag(CLI::App& command, scaling::Settings& settings, const scaling::SettingInfo& info) {
  const std::string flag = absl::StrCat("--", std::string(info.name));
  command
      .add_option_function<std::string>(
          flag,
          [&settings, &info, flag](const std::string& value) {
            const bool from_variable = value == VariableOf(info);
            SetOrThrow(settings, flag, info.name, from_variable && info.type_name == "TIME" ? PlainTime(value) : value);
          },
          std::string(info.help))
      ->envname(std::string(info.environment))
      ->type_name(std::string(info.type_name))
      ->default_str(scaling::Get(settings, info.name))
      ->group(kScalingGroup);
}

void AddAnnotations(CLI::App& command, scaling::Settings& settings) {
  command
      .add_option_function<std::vector<std::string>>(
          kAnnotationFlag,
          [&settings](const std::vector<std::string>& annotations) {
            for (const std::string& each : annotations) {
              const std::size_t equals = each.find('=');
              if (equals == 0 || equals == std::string::npos) {
                throw CLI::ValidationError(
                    kAnnotationFlag,
                    absl::StrCat("takes NAME=VALUE, such as autoscaling.knative.dev/target=10, not '", each, "'"));
              }
              SetOrThrow(settings, kAnnotationFlag, each.substr(0, equals), each.substr(equals + 1));
            }
          },
          "The same by Knative's names, such as autoscaling.knative.dev/target=10; may be repeated")
      ->type_name("NAME=VALUE")
      ->type_size(1)
      ->allow_extra_args(false)
      ->default_str("")
      ->group(kScalingGroup);
}

}  // namespace

void AddScalingFlags(CLI::App& command, scaling::Settings& settings) {
  for (const scaling::SettingInfo& info : scaling::AllSettings()) AddScalingFlag(command, settings, info);
  // Last, so that an annotation wins over the flag of the same setting.
  AddAnnotations(command, settings);
}

std::vector<std::string> GivenScalingFlags(const CLI::App& command) {
  std::vector<std::string> given;
  for (const scaling::SettingInfo& info : scaling::AllSettings()) {
    const CLI::Option* option = command.get_option(absl::StrCat("--", std::string(info.name)));
    if (option->count() > 0 && option->results().back() != VariableOf(info)) given.push_back(option->get_name());
  }
  if (command.count(kAnnotationFlag) > 0) given.emplace_back(kAnnotationFlag);
  return given;
}

}  // namespace cloudstate::cli
