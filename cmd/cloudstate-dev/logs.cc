#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/cluster_command.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/admin/log_lines.h"
#include "emulator/base/proto_time.h"

namespace cloudstate::cli {
namespace {

constexpr char kUserFunctionSource[] = "user-function";  // one word for a shell

struct LogsOptions {
  std::string source, level, text;
  int count = 20;
  bool follow = false;

  dev::v1::LogFilter ToFilter() const {
    dev::v1::LogFilter filter;
    filter.set_source(source == kUserFunctionSource ? admin::kUserFunctionWrites : source);
    filter.set_level(level);
    filter.set_contains(text);
    return filter;
  }
};

Style StyleOf(const std::string& level) {
  if (level == "error") return Style::kBad;
  if (level == "warning") return Style::kWarning;
  return level == "debug" ? Style::kDim : Style::kPlain;
}

void PrintLogLine(const dev::v1::LogLine& line, const Settings& settings, const Terminal& terminal) {
  if (settings.json) {
    Print(ToJson(line) + "\n");
    return;
  }
  Print(absl::StrCat(Styled(FormatInstant(base::FromTimestamp(line.time())), Style::kDim, terminal), "  ",
                     Styled(line.level(), StyleOf(line.level()), terminal), "  ",
                     Styled(absl::StrCat(line.source(), " |"), Style::kDim, terminal), " ", Printable(line.text()),
                     "\n"));
}

int FollowLog(Client& client, const Settings& settings, const LogsOptions& options) {
  const Terminal terminal = StandardOutput();
  dev::v1::WatchLogLinesRequest request;
  request.set_newest(options.count);
  *request.mutable_filter() = options.ToFilter();
  return Fail(client.Follow<dev::v1::WatchLogLinesRequest, dev::v1::LogLine>(
      &Client::FiguresStub::WatchLogLines, request,
      [&](dev::v1::LogLine& line) { PrintLogLine(line, settings, terminal); }));
}

int ShowLog(Client& client, const Settings& settings, const LogsOptions& options) {
  if (options.follow) return FollowLog(client, settings, options);
  dev::v1::ListLogLinesRequest request;
  request.set_limit(options.count);
  *request.mutable_filter() = options.ToFilter();
  auto listed = client.Call(&Client::FiguresStub::ListLogLines, request);
  if (!listed.ok()) return Fail(listed.status());
  const Terminal terminal = StandardOutput();
  for (const dev::v1::LogLine& line : listed->lines()) PrintLogLine(line, settings, terminal);
  if (listed->lines().empty() && !settings.json)
    Print("No lines that fit. Only the newest ones of this run are kept.\n");
  return kOk;
}

}  // namespace

void AddLogs(CLI::App& root, Invocation& invocation) {
  auto options = std::make_shared<LogsOptions>();
  CLI::App* command = Command(root, "logs", "Show what the emulator and the user function it started have written",
                              "  cloudstate-dev logs -n 100 --source user-function\n"
                              "  cloudstate-dev logs --follow --level warning\n"
                              "  cloudstate-dev logs --grep exception --json | jq -r .text");
  command->group(kLookGroup);
  command->add_option("-n,--lines", options->count, "So many of the newest")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_flag("-f,--follow", options->follow, "Go on with new ones as they come, until Ctrl-C");
  command->add_option("--source", options->source, "Only lines of one: emulator or user-function")
      ->check(CLI::IsMember({admin::kEmulatorWrites, kUserFunctionSource}));
  command->add_option("--level", options->level, "Only lines of this level and worse; a user function's are info")
      ->check(CLI::IsMember(std::vector<std::string>(admin::kLogLevels.begin(), admin::kLogLevels.end())));
  command->add_option("--grep", options->text, "Only lines with this text, in any case")->type_name("TEXT");
  SetClusterAction(*command, invocation,
                   [options](Client& client, const Settings& settings) { return ShowLog(client, settings, *options); });
}

}  // namespace cloudstate::cli
