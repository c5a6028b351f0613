#include "cmd/cloudstate-dev/scaling_flags.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/command_line.h"

namespace cloudstate::cli {
namespace {

constexpr char kScalingGroup[] = "Scaling";
constexpr char kAnnotationFlag[] = "--scale-annotation";

void SetOrThrow(scaling::Settings& settings, const std::string& flag, std::string_view name, std::string_view value) {
  const absl::Status status = scaling::Set(settings, name, value);
  if (!status.ok()) throw CLI::ValidationError(flag, std::string(status.message()));
}

void AddScalingFlag(CLI::App& command, scaling::Settings& settings, const scaling::SettingInfo& info) {
  const std::string flag = absl::StrCat("--", std::string(info.name));
  command
      .add_option_function<std::string>(
          flag, [&settings, &info, flag](const std::string& value) { SetOrThrow(settings, flag, info.name, value); },
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

}  // namespace cloudstate::cli
