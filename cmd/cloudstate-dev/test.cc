#include <signal.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/interruption.h"
#include "cmd/cloudstate-dev/own_emulator.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "cmd/cloudstate-dev/test_files.h"
#include "cmd/cloudstate-dev/test_output.h"
#include "cmd/cloudstate-dev/test_run.h"
#include "cmd/cloudstate-dev/test_watch.h"
#include "cmd/cloudstate-dev/write_file.h"
#include "emulator/base/log.h"
#include "emulator/base/wake_event.h"
#include "emulator/tck/filter.h"

namespace cloudstate::cli {
namespace {

constexpr char kTestExamples[] =
    "  cloudstate-dev test carts.yaml -- node index.js            starts the user function with HOST and PORT set\n"
    "  cloudstate-dev test tests/ --user-function 127.0.0.1:8080  all *.yaml in a directory, with one that runs "
    "already\n"
    "  cloudstate-dev test carts.yaml --sample shopping-cart      with a sample of this program\n"
    "  cloudstate-dev test tests/ --filter '*empty*' -- ./shop    some of the cases\n"
    "  cloudstate-dev test tests/ --junit report.xml -- ./shop    for a build server\n"
    "  cloudstate-dev test tests/ --coverage --min-coverage 80 -- ./shop\n"
    "  cloudstate-dev test tests/ --watch --watch-dir . -- node index.js";

struct TestOptions {
  std::vector<std::string> files;
  std::vector<std::string> filters;
  TestRunOptions run;
  std::string junit;
  std::string watch_directory;
  double min_coverage = -1;
  bool tap = false;
  bool coverage = false;
  bool watch = false;
};

// The cases that --filter chooses, in their order.
std::vector<ChosenCase> Choose(const LoadedTestFiles& files, const std::vector<std::string>& filters) {
  const tck::Filter filter(filters);
  std::vector<ChosenCase> chosen;
  for (const auto& file : files) {
    for (int i = 0; i < file->file.cases_size(); ++i) {
      if (filter.Takes(file->file.cases(i).name())) chosen.push_back({file.get(), i});
    }
  }
  return chosen;
}

absl::Status WriteJUnit(const testing::Report& report, const TestOptions& options) {
  if (options.junit.empty()) return absl::OkStatus();
  return WriteFile(options.junit, testing::JUnitXml("cloudstate-dev test", report));
}

// What keeps every case from being run, told in each form that was asked for; the exit code.
int CannotRun(const absl::Status& status, ExitCode code, const TestOptions& options, bool json) {
  testing::Report report;
  report.error = std::string(status.message());
  if (json) Print(testing::ReportJson(report, testing::WithCoverage::kNo));
  if (options.tap) Print(testing::TapBail(report.error));
  if (const absl::Status written = WriteJUnit(report, options); !written.ok())
    PrintError(std::string(written.message()));
  return Fail(status, code);
}

// Everything that was asked for, told; the exit code.
int Conclude(const testing::Report& report, const TestOptions& options, bool json, const Terminal& terminal) {
  const bool coverage = options.coverage || options.min_coverage >= 0;
  if (json) {
    Print(testing::ReportJson(report, coverage ? testing::WithCoverage::kYes : testing::WithCoverage::kNo));
  } else if (options.tap) {
    if (coverage) Print(TapComment(CoverageText(report.coverage, Terminal{})));
  } else {
    Print("\n" + TestSummary(report, terminal));
    if (coverage) Print(CoverageText(report.coverage, terminal));
  }
  if (const absl::Status status = WriteJUnit(report, options); !status.ok()) return Fail(status);
  if (report.interrupted) return kInterrupted;
  if (!report.passed()) return kFailed;
  const double percent = report.coverage.PercentOfMethods();
  if (percent >= options.min_coverage) return kOk;
  PrintError(absl::StrFormat("The cases call %.0f %% of the methods; --min-coverage asks for %.0f %%.", percent,
                             options.min_coverage));
  return kFailed;
}

// Reads, plays and tells all of it once.
int RunOnce(const Settings& settings, const TestOptions& options, TestInterruption& interruption) {
  if (options.tap) Print(testing::kTapVersion);
  const absl::StatusOr<LoadedTestFiles> files = LoadTestFiles(options.files);
  if (!files.ok()) return CannotRun(files.status(), kUsage, options, settings.json);
  const std::vector<ChosenCase> cases = Choose(*files, options.filters);
  if (cases.empty()) {
    return CannotRun(absl::InvalidArgumentError("No case matches --filter, which looks at their names."), kUsage,
                     options, settings.json);
  }
  const Terminal terminal = StandardOutput();
  if (options.tap) Print(testing::TapPlan(cases.size()));
  std::size_t number = 0;
  const absl::StatusOr<testing::Report> report =
      RunTests(cases, options.run, interruption, [&](const testing::CaseResult& result) {
        if (options.tap) {
          Print(testing::TapResult(result, ++number));
        } else if (!settings.json) {
          Print(TestResultText(result, terminal));
        }
      });
  if (report.ok()) return Conclude(*report, options, settings.json, terminal);
  if (interruption.interrupted()) return kInterrupted;
  return CannotRun(report.status(), absl::IsInvalidArgument(report.status()) ? kUsage : kFailed, options,
                   settings.json);
}

// ---- --watch

int RunAgainAndAgain(const Settings& settings, const TestOptions& options, TestInterruption& interruption,
                     const base::WakeEvent& stop) {
  absl::StatusOr<TestWatch> watch =
      TestWatch::Start({.files = options.files, .directory = options.watch_directory, .left_out = options.junit});
  if (!watch.ok()) return Fail(watch.status(), kUsage);
  const Terminal terminal = StandardOutput();
  for (;;) {
    RunOnce(settings, options, interruption);
    if (interruption.interrupted()) return kInterrupted;
    watch->ForgetDirectory();
    if (!settings.json) Print(Styled("waiting for a change; Ctrl-C ends\n", Style::kDim, terminal));
    const std::string changed = watch->AwaitChange(stop);
    if (changed.empty()) return kInterrupted;
    constexpr char kClearScreen[] = "\x1b[H\x1b[2J\x1b[3J";
    if (settings.json) continue;
    Print(absl::StrCat(terminal.interactive ? kClearScreen : "\n", "changed: ", Printable(changed), "\n"));
  }
}

int RunTest(const Settings& settings, const TestOptions& options) {
  signal(SIGPIPE, SIG_IGN);
  if (!options.junit.empty()) {
    if (absl::Status status = CheckMayWrite(options.junit, true); !status.ok()) return Fail(status, kUsage);
  }
  base::SetUpLog(-1);  // what goes wrong in the emulator is told by the cases, and some of it is meant to
  TestInterruption interruption;
  base::WakeEvent stop;
  const Interruption interrupted([&] {
    interruption.Interrupt();
    stop.Set();
  });
  if (options.watch) return RunAgainAndAgain(settings, options, interruption, stop);
  return RunOnce(settings, options, interruption);
}

// What stands after -- is no test file but starts the user function. CLI11 takes both for words of FILES, as long as
// there is a COMMAND that could take words.
void TakeCommand(TestOptions& options, std::size_t words) {
  if (words == 0) return;
  if (!options.run.user_function.empty()) throw CLI::ValidationError("Choose one user function.");
  const auto begin = options.files.end() - static_cast<std::ptrdiff_t>(std::min(words, options.files.size()));
  options.run.user_function.command.assign(begin, options.files.end());
  options.files.erase(begin, options.files.end());
}

void CheckOptions(const TestOptions& options, const Invocation& invocation) {
  if (options.files.empty()) throw CLI::ValidationError("Name test files, or directories of them.");
  if (options.tap && invocation.settings.json) throw CLI::ValidationError("Choose one of the two: --tap or --json.");
  if (options.run.user_function.empty()) {
    throw CLI::ValidationError("Name the user function: a COMMAND after --, --user-function, --serve or --sample.");
  }
  if (!options.watch_directory.empty() && !options.watch) throw CLI::ValidationError("--watch-dir goes with --watch.");
}

void AddReportOptions(CLI::App& command, TestOptions& options) {
  command.add_option("--junit", options.junit, "Write the results to this file, as JUnit does")->type_name("FILE");
  command.add_flag("--tap", options.tap, "Print the results by the Test Anything Protocol, version 14");
  command.add_flag("--coverage", options.coverage, "Tell which methods were called, and which events stored");
  command.add_option("--min-coverage", options.min_coverage, "Fail unless so many of the methods were called")
      ->type_name("PERCENT")
      ->check(CLI::Range(0.0, 100.0));
}

}  // namespace

void AddTest(CLI::App& root, Invocation& invocation) {
  auto options = std::make_shared<TestOptions>();
  CLI::App* command = Command(root, "test", "Run the cases of test files", kTestExamples);
  command->group(kTestGroup);
  command->add_option("FILES", options->files, "Test files, and directories with *.yaml")->required();
  AddUserFunctionChoice(*command, options->run.user_function, TakesCommand::kYes);
  command->add_option("--filter", options->filters, "Cases whose name matches; with ! before it those that don't")
      ->type_name("GLOB")
      ->type_size(1)
      ->allow_extra_args(false);
  command
      ->add_option("--workers", options->run.workers,
                   "So many play cases at once, each with an emulator and a process of the user function; unless told "
                   "otherwise as many as there are processors, and one for each ten cases at most")
      ->check(CLI::Range(1, 256));
  command->add_option("--nodes", options->run.nodes, "Of each emulator, whatever the files say")
      ->check(CLI::Range(1, 100));
  DurationSetting(*command, "--timeout", "", options->run.timeout, "How long a case may take");
  DurationSetting(*command, "--start-timeout", "", options->run.start_up,
                  "How long the user function may take until it has answered discovery");
  command->add_flag("--fail-fast", options->run.fail_fast, "End at the first failure");
  AddReportOptions(*command, *options);
  command->add_flag("--watch", options->watch,
                    "Run again whenever one of the FILES changes, or a *.yaml in those that are directories");
  command
      ->add_option(
          "--watch-dir", options->watch_directory,
          "With --watch: or a file below this directory, but for the file of --junit; what changes there while cases "
          "run does not count")
      ->type_name("DIR");
  command->add_flag("-v,--verbose", options->run.show_output, "Show what the user function prints, on standard error");
  command->callback([&invocation, options] {
    TakeCommand(*options, invocation.words_after_dashes);
    CheckOptions(*options, invocation);
    invocation.action = [&invocation, options] { return RunTest(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
