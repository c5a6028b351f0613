#include <signal.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/interruption.h"
#include "cmd/cloudstate-dev/started_user_function.h"
#include "cmd/cloudstate-dev/tck_output.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "cmd/cloudstate-dev/write_file.h"
#include "emulator/base/log.h"
#include "emulator/runtime/node_ports.h"
#include "emulator/runtime/settings.h"
#include "emulator/tck/report.h"
#include "emulator/tck/runner.h"

namespace cloudstate::cli {
namespace {

constexpr char kTckExamples[] =
    "  cloudstate-dev tck -- node index.js                        starts the user function with HOST and PORT set\n"
    "  cloudstate-dev tck --user-function 127.0.0.1:8080          checks one that runs already\n"
    "  cloudstate-dev tck --filter 'event-sourced/*' -- ./model   some of the cases\n"
    "  cloudstate-dev tck --filter '!emulator/*' -- ./model       all but some\n"
    "  cloudstate-dev tck --junit report.xml -- ./model           for a build server\n"
    "  cloudstate-dev tck --list                                  what there is";

struct TckOptions {
  std::string user_function;
  std::vector<std::string> command;
  std::vector<std::string> filters;
  std::string junit;
  absl::Duration timeout = absl::Seconds(5);
  absl::Duration start_up = absl::Seconds(30);
  bool list = false;
  bool fail_fast = false;
  bool verbose = false;
};

// Passes on what happens, and tells the command that it has served.
class Listener final : public tck::RunListener {
 public:
  Listener(tck::RunListener& shown, StartedUserFunction& started) : shown_(shown), started_(started) {}
  void OnStart(const tck::Report& report, std::size_t cases) override {
    started_.Serves();
    shown_.OnStart(report, cases);
  }
  void OnSection(const std::string& section, std::size_t cases) override { shown_.OnSection(section, cases); }
  void OnResult(const tck::CaseResult& result) override { shown_.OnResult(result); }

 private:
  tck::RunListener& shown_;
  StartedUserFunction& started_;
};

// Everything that was asked for, told; the exit code.
int Conclude(const tck::Report& report, const TckOptions& options, bool json, const Terminal& terminal) {
  Print(json ? TckJson(report) : TckSummary(report, terminal));
  if (!options.junit.empty()) {
    if (absl::Status status = WriteFile(options.junit, tck::JUnitXml(report)); !status.ok()) return Fail(status);
  }
  if (report.interrupted) return kInterrupted;
  return report.passed() ? kOk : kFailed;
}

int Check(const Settings& settings, const TckOptions& options, std::vector<tck::Section> sections) {
  if (!options.junit.empty()) {
    if (absl::Status status = CheckMayWrite(options.junit, true); !status.ok()) return Fail(status, kUsage);
  }
  signal(SIGPIPE, SIG_IGN);
  base::SetUpLog(-1);  // what goes wrong in the emulator is told by the cases, and some of it is meant to
  tck::Waiting waiting;
  const Interruption interruption([&] { waiting.Interrupt(); });
  tck::RunOptions run;
  const runtime::Settings usual;
  run.user_function = options.user_function.empty()
                          ? runtime::Address(usual.user_function_host, usual.user_function_port)
                          : options.user_function;
  run.sections = std::move(sections);
  run.timeout = options.timeout;
  run.start_up = options.start_up;
  run.fail_fast = options.fail_fast;

  StartedUserFunction started(options.verbose ? ShowOutput::kYes : ShowOutput::kNo, [&] { waiting.Interrupt(); });
  if (!options.command.empty()) {
    const auto port = started.Start(options.command);
    if (!port.ok()) return Fail(port.status());
    run.user_function = runtime::Address("127.0.0.1", *port);
  }
  const Terminal terminal = StandardOutput();
  TckProgress progress(terminal);
  tck::RunListener silence;
  Listener listener(settings.json ? silence : progress, started);
  const absl::StatusOr<tck::Report> report = tck::Run(run, waiting, listener);
  const std::string problem = report.ok() ? started.EarlyEnd() : std::string(report.status().message());
  if (!problem.empty()) return Fail(absl::UnavailableError(absl::StrCat(problem, started.Output())));
  return Conclude(*report, options, settings.json, terminal);
}

int Run(const Settings& settings, const TckOptions& options) {
  std::vector<tck::Section> chosen = tck::Chosen(tck::AllSections(), options.filters);
  if (chosen.empty()) {
    return Fail(absl::InvalidArgumentError("No case matches --filter. `cloudstate-dev tck --list` shows them all."),
                kUsage);
  }
  if (!options.list) return Check(settings, options, std::move(chosen));
  Print(settings.json ? TckListJson(chosen) : TckList(chosen, StandardOutput()));
  return kOk;
}

}  // namespace

void AddTck(CLI::App& root, Invocation& invocation) {
  auto options = std::make_shared<TckOptions>();
  CLI::App* command = Command(root, "tck", "Check a user function that implements the conformance model", kTckExamples);
  command->group(kUseGroup);
  command
      ->add_option("--user-function", options->user_function,
                   "Where it listens, if it runs already; 127.0.0.1:8080 unless there is a COMMAND")
      ->type_name("HOST:PORT");
  command
      ->add_option("--filter", options->filters,
                   "Cases whose id matches; with ! before it those that don't. * is any text")
      ->type_name("GLOB")
      ->type_size(1)
      ->allow_extra_args(false);
  command->add_flag("--list", options->list, "Show the cases, run none");
  command->add_flag("--fail-fast", options->fail_fast, "End at the first failure");
  DurationSetting(*command, "--timeout", "", options->timeout, "How long a case may take");
  DurationSetting(*command, "--start-timeout", "", options->start_up,
                  "How long the user function may take until it has answered discovery");
  command->add_option("--junit", options->junit, "Write the results to this file, as JUnit does")->type_name("FILE");
  command->add_flag("-v,--verbose", options->verbose, "Show what COMMAND prints, on standard error");
  command->add_option("COMMAND", options->command, "Starts the user function; after --");
  command->callback([&invocation, options, command] {
    if (!options->command.empty() && command->count("--user-function") > 0) {
      throw CLI::ValidationError("Choose one user function: --user-function or a COMMAND.");
    }
    if (!options->user_function.empty() && !ParseHostAndPort(options->user_function).has_value()) {
      throw CLI::ValidationError("--user-function takes HOST:PORT, not '" + options->user_function + "'.");
    }
    invocation.action = [&invocation, options] { return Run(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
