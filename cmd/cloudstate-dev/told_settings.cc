#include "cmd/cloudstate-dev/told_settings.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/userfunction/utf8.h"

namespace cloudstate::cli {
namespace {

// "true" and "false"; of a flag that was given more than once, how often.
std::string FlagValue(const CLI::Option& option) {
  if (option.count() == 0) return "false";
  if (option.count() > 1) return absl::StrCat(option.count());
  return option.results().front();
}

// Words of a command and names of files are bytes to the system, and text in the contract.
std::string GivenValue(const CLI::Option& option, bool is_words) {
  return userfunction::ToUtf8(absl::StrJoin(option.results(), is_words ? " " : ","));
}

dev::v1::Setting ToldSetting(const CLI::Option& option) {
  const bool is_flag = option.get_expected_max() == 0;
  const bool is_words = option.get_positional();
  dev::v1::Setting setting;
  setting.set_flag(option.get_name(is_words));
  setting.set_environment(option.get_envname());
  setting.set_help(option.get_description());
  setting.set_default_value(is_flag ? "false" : option.get_default_str());
  if (is_flag) {
    setting.set_value(FlagValue(option));
  } else if (option.count() > 0) {
    setting.set_value(GivenValue(option, is_words));
  } else {
    setting.set_value(setting.default_value());
  }
  return setting;
}

bool TellsNothing(const CLI::App& app, const CLI::Option* option) {
  return option == app.get_help_ptr() || option == app.get_version_ptr() || option->get_name() == "--admin";
}

}  // namespace

dev::v1::Settings ToldSettings(const CLI::App& command) {
  dev::v1::Settings settings;
  for (const CLI::App* app : {&command, command.get_parent()}) {
    std::vector<const CLI::Option*> options = app->get_options({});
    // The help begins with what has no dashes.
    std::ranges::stable_partition(options, [](const CLI::Option* option) { return option->get_positional(); });
    for (const CLI::Option* option : options) {
      if (!TellsNothing(*app, option)) *settings.add_settings() = ToldSetting(*option);
    }
  }
  return settings;
}

}  // namespace cloudstate::cli
