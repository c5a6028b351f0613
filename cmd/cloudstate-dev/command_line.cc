#include "cmd/cloudstate-dev/command_line.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "cmd/cloudstate-dev/run.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "cmd/cloudstate-dev/version.h"

namespace cloudstate::cli {
namespace {

constexpr char kRootFooter[] = R"(
Examples:
  cloudstate-dev run                                   the built-in sample, to try things on
  cloudstate-dev run -- node index.js                  your own user function
  cloudstate-dev journal ls                            what is stored
  cloudstate-dev call ShoppingCart/GetCart '{"userId": "me"}'

Exit codes: 0 ok, 1 the operation failed, 2 wrong usage, 3 no emulator or journal found,
130 interrupted. `exec` ends with its test command's code: 124 after --timeout, 127 where there is no
such command.
Settings come from flags, then the environment, then the file that --config names.
`cloudstate-dev COMMAND --help` tells more, with examples.)";

// What can be said in a file and what in the environment are options, and options of all commands are known: so a
// setting that is none is a mistake. What the environment gives is left out, because it wins.
class ConfigBelowEnvironment final : public CLI::ConfigBase {
 public:
  explicit ConfigBelowEnvironment(CLI::App& root) : root_(root) {}

  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    std::vector<CLI::ConfigItem> kept;
    for (CLI::ConfigItem& item : CLI::ConfigBase::from_config(input)) {
      const bool section = item.name == "++" || item.name == "--";
      if (!section) {
        const CLI::Option* option = Find(item);
        if (option == nullptr || item.name == "config") {
          throw CLI::ConfigError(absl::StrCat("The file of --config has '", item.fullname(), "', which is no setting."),
                                 CLI::ExitCodes::ConfigError);
        }
        const std::string variable = option->get_envname();
        const char* value = variable.empty() ? nullptr : std::getenv(variable.c_str());
        if (value != nullptr && *value != '\0') continue;
      }
      kept.push_back(std::move(item));
    }
    return kept;
  }

 private:
  const CLI::Option* Find(const CLI::ConfigItem& item) const {
    try {
      CLI::App* app = &root_;
      for (const std::string& parent : item.parents) app = app->get_subcommand(parent);
      return app->get_option("--" + item.name);
    } catch (const CLI::OptionNotFound&) {
      return nullptr;
    }
  }

  CLI::App& root_;
};

// Commands' help ends with the settings that all of them share, in one line.
class Formatter final : public CLI::Formatter {
 public:
  std::string make_footer(const CLI::App* app) const override {
    if (app->get_parent() == nullptr) return CLI::Formatter::make_footer(app) + "\n";
    return absl::StrCat(CLI::Formatter::make_footer(app),
                        "\n\nWith every command: --admin, --data-dir, --descriptor, --json, --config; see "
                        "`cloudstate-dev --help`.\n");
  }
};

std::string HelpCommand(const CLI::App& root) {
  std::string path = root.get_name();
  const CLI::App* app = &root;
  while (!app->get_subcommands().empty()) {
    app = app->get_subcommands().front();
    absl::StrAppend(&path, " ", app->get_name());
  }
  return path + " --help";
}

// What the user is told about a command line that can't be used, or the help that it asked for.
int Report(const CLI::App& root, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return root.exit(error);
  PrintError(absl::StrCat(error.what(), "\nSee `", HelpCommand(root), "`."));
  return kUsage;
}

// CLI11 splits a word such as [1,2] for an option that takes several, as a list of values; here it is one word, mostly
// JSON. So such a word gets a mark at its end, which no argument can have, until it has come to its option.
constexpr char kWordMark = '\0';

std::string MarkWord(std::string word) {
  if (word.size() > 1 && word.front() == '[' && word.back() == ']') word.push_back(kWordMark);
  return word;
}

std::string UnmarkWord(std::string word) {
  if (!word.empty() && word.back() == kWordMark) word.pop_back();
  return word;
}

void UnmarkWordsOf(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) option->transform(UnmarkWord);
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) UnmarkWordsOf(*command);
}

// Whether a setting comes from a flag, not from the environment or a file.
bool IsWritten(const std::string& flag, absl::Span<const char* const> words) {
  return std::ranges::any_of(
      words, [&](absl::string_view word) { return word == flag || absl::StartsWith(word, flag + "="); });
}

}  // namespace

std::optional<HostAndPort> ParseHostAndPort(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  int port = 0;
  if (!absl::SimpleAtoi(text.substr(colon + 1), &port) || port < 1 || port > 65535) return std::nullopt;
  const bool bracketed = text.front() == '[' && text[colon - 1] == ']';
  return HostAndPort{bracketed ? text.substr(1, colon - 2) : text.substr(0, colon), static_cast<std::uint16_t>(port)};
}

CLI::App* Command(CLI::App& parent, const std::string& name, const std::string& description,
                  const std::string& examples) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->footer("\nExamples:\n" + examples);
  return command;
}

CLI::Option* DurationSetting(CLI::App& app, const std::string& flags, const std::string& variable,
                             absl::Duration& value, const std::string& description, absl::Duration most) {
  return app
      .add_option_function<std::string>(
          flags,
          [&value, flags, most](const std::string& text) {
            if (!absl::ParseDuration(text, &value) || value <= absl::ZeroDuration()) {
              throw CLI::ValidationError(flags, "'" + text + "' is no duration such as 500ms, 30s or 2m");
            }
            if (value > most) {
              throw CLI::ValidationError(flags, "'" + text + "' is too long: at most " + absl::FormatDuration(most));
            }
          },
          description)
      ->envname(variable)
      ->type_name("DURATION")
      ->default_str(absl::FormatDuration(value));
}

void BuildCommands(CLI::App& root, Invocation& invocation) {
  root.name("cloudstate-dev");
  root.description("Runs Cloudstate user functions on your machine and shows what they do.");
  root.formatter(std::make_shared<Formatter>());
  root.footer(kRootFooter);
  root.set_help_flag("-h,--help", "Show help");
  root.set_version_flag("--version", VersionText, "Show the versions of all parts");
  root.require_subcommand(0, 1);
  root.option_defaults()->group("Settings of every command");
  Settings& settings = invocation.settings;
  Setting(root, "--admin", "CLOUDSTATE_DEV_ADMIN", settings.admin, "Where a running emulator's admin port is")
      ->type_name("HOST:PORT");
  Setting(root, "--data-dir", "CLOUDSTATE_DEV_DATA_DIR", settings.data_directory, "Where the journal is kept")
      ->type_name("DIR");
  Setting(root, "--descriptor", "CLOUDSTATE_DEV_DESCRIPTOR", settings.descriptors,
          "A file with more types, as protoc --descriptor_set_out writes; may be repeated")
      ->type_name("FILE")
      ->default_str("")
      ->type_size(1)
      ->allow_extra_args(false);
  root.add_flag("--json", settings.json, "Print JSON: one document, or a line for each item that follows");
  root.set_config("--config", "", "Read settings from this file (TOML; commands are sections)")->type_name("FILE");
  root.config_formatter(std::make_shared<ConfigBelowEnvironment>(root));
  root.option_defaults()->group("Options");
  root.fallthrough();  // the settings of every command may follow its name
  AddRun(root, invocation);
  AddSample(root, invocation);
  AddJournal(root, invocation);
  AddCalls(root, invocation);
  AddLogs(root, invocation);
  AddServices(root, invocation);
  AddStatus(root, invocation);
  AddCall(root, invocation);
  AddExec(root, invocation);
  AddTest(root, invocation);
  AddRecord(root, invocation);
  AddReplay(root, invocation);
  AddCheckHistory(root, invocation);
  AddFuzzUserFunction(root, invocation);
  AddExport(root, invocation);
  AddImport(root, invocation);
  AddNodes(root, invocation);
  AddShards(root, invocation);
  AddNetwork(root, invocation);
  AddScale(root, invocation);
  AddCrdt(root, invocation);
  AddSimulate(root, invocation);
  AddTck(root, invocation);
  AddDoctor(root, invocation);
  AddCompletion(root, invocation);
}

int RunCommandLine(int argc, const char* const* argv) {
  CLI::App root;
  Invocation invocation;
  BuildCommands(root, invocation);
  UnmarkWordsOf(root);
  std::vector<std::string> words;  // the last one first
  for (int i = argc - 1; i > 0; --i) {
    words.push_back(MarkWord(argv[i]));
    if (words.back() == "--") invocation.words_after_dashes = words.size() - 1;
  }
  const absl::Span<const char* const> ours(argv, static_cast<std::size_t>(argc) - invocation.words_after_dashes);
  // They name the same emulator in two ways, and a flag wins over a variable.
  const bool only_directory = IsWritten("--data-dir", ours) && !IsWritten("--admin", ours);
  try {
    root.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    return Report(root, error);
  }
  if (!invocation.action) {
    Print(root.help());
    return kOk;
  }
  if (only_directory) invocation.settings.admin.clear();
  return invocation.action();
}

}  // namespace cloudstate::cli
