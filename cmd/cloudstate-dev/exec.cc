#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/exec_process.h"
#include "cmd/cloudstate-dev/exec_report.h"
#include "cmd/cloudstate-dev/own_emulator.h"
#include "cmd/cloudstate-dev/paste_lines.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "cmd/cloudstate-dev/write_file.h"
#include "emulator/base/log.h"
#include "emulator/cluster/cluster.h"
#include "emulator/userfunction/process.h"

namespace cloudstate::cli {
namespace {

constexpr char kExecExamples[] =
    "  cloudstate-dev exec --serve 'node index.js' -- npm test          starts your user function and its tests\n"
    "  cloudstate-dev exec --user-function 127.0.0.1:8080 -- mvn verify one that you started yourself\n"
    "  cloudstate-dev exec -- pytest                                    the tests start it, on the port they are told\n"
    "  cloudstate-dev exec --sample shopping-cart --keep -- sh\n"
    "\n"
    "The test command's environment:\n"
    "  CLOUDSTATE_DEV_ADDRESS             HOST:PORT where clients call, with gRPC or HTTP\n"
    "  CLOUDSTATE_DEV_HOST, _PORT         the two parts of it\n"
    "  CLOUDSTATE_DEV_ADMIN               HOST:PORT of the admin port: reset, seed, time, faults, what is stored;\n"
    "                                     `cloudstate-dev call …` and the other commands find it there too\n"
    "  CLOUDSTATE_DEV_METRICS             HOST:PORT where Prometheus looks\n"
    "  CLOUDSTATE_DEV_USER_FUNCTION_PORT  where the user function is, or is waited for\n"
    "\n"
    "The exit code is the test command's; 128 and the signal's number after a signal, 124 when it took longer\n"
    "than --timeout, 127 when there is no such command, 1 when the user function could not be started.";

enum ExecCode : int { kTimedOut = 124, kNoSuchCommand = 127 };

struct ExecOptions {
  UserFunctionChoice user_function;
  runtime::Settings settings;
  std::vector<std::string> command;
  absl::Duration timeout = absl::InfiniteDuration();
  absl::Duration start_up = absl::Seconds(30);
  std::string keep;  // a directory, or kAnyDirectory
  std::string report = "on-failure";
  std::string report_file;
  bool verbose = false;
};

// What a flag without a value is given.
constexpr char kAnyDirectory[] = "true";

// The directory that keeps the journal, empty for none. What was stored there before would be there in the tests.
absl::StatusOr<std::string> DirectoryToKeep(const std::string& keep) {
  if (keep.empty()) return std::string();
  std::error_code error;
  if (keep != kAnyDirectory) {
    if (std::filesystem::exists(keep, error) && !std::filesystem::is_empty(keep, error)) {
      return absl::FailedPreconditionError(
          absl::StrCat(keep, " is not empty; --keep takes a directory of its own for each run."));
    }
    return keep;
  }
  std::string made = (std::filesystem::temp_directory_path(error) / "cloudstate-dev-kept-XXXXXX").string();
  if (error || mkdtemp(made.data()) == nullptr) {
    return absl::UnavailableError("No directory can be made for the journal; name one with --keep=DIR.");
  }
  return made;
}

std::map<std::string, std::string> EnvironmentOf(const OwnEmulator& emulator) {
  const std::string& address = emulator.client_address();
  const std::string& user_function = emulator.user_function_address();
  const std::size_t colon = address.rfind(':');
  return {{"CLOUDSTATE_DEV_ADDRESS", address},
          {"CLOUDSTATE_DEV_HOST", address.substr(0, colon)},
          {"CLOUDSTATE_DEV_PORT", address.substr(colon + 1)},
          {"CLOUDSTATE_DEV_ADMIN", emulator.admin_address()},
          {"CLOUDSTATE_DEV_METRICS", emulator.metrics_address()},
          {"CLOUDSTATE_DEV_USER_FUNCTION_PORT", user_function.substr(user_function.rfind(':') + 1)}};
}

// A cluster has come together when all its nodes are up.
absl::Status AwaitNodes(const OwnEmulator& emulator, const TestProcess& process, absl::Duration start_up) {
  const absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(emulator.admin_address());
  if (!client.ok()) return client.status();
  for (const absl::Time end = absl::Now() + start_up; !process.PendingSignal().has_value();) {
    const auto listed = (*client)->Call(&Client::ClusterStub::ListNodes, dev::v1::ListNodesRequest());
    if (!listed.ok()) return listed.status();
    if (std::ranges::all_of(listed->nodes(), [](const dev::v1::Node& node) { return node.state() == "up"; })) break;
    if (absl::Now() > end) return absl::UnavailableError("The nodes did not come together in time.");
    absl::SleepFor(absl::Milliseconds(20));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<OwnEmulator>> StartFor(const ExecOptions& options, const std::string& directory,
                                                      const TestProcess& process) {
  OwnEmulator::Options own;
  own.user_function = options.user_function;
  own.settings = options.settings;
  own.settings.allow_reset = true;
  own.data_directory = directory;
  own.start_up = options.start_up;
  own.show_output = options.verbose;
  own.given_up = [&process] { return process.PendingSignal().has_value(); };
  auto emulator = OwnEmulator::Start(std::move(own));
  if (!emulator.ok() || options.settings.nodes == 1) return emulator;
  if (absl::Status status = AwaitNodes(**emulator, process, options.start_up); !status.ok()) return status;
  return emulator;
}

// Whoever interrupts does not ask why it failed, but a build that is cancelled keeps its files.
bool IsReported(const TestEnd& end, const ExecOptions& options) {
  if (end.interrupted && options.report_file.empty()) return false;
  const bool failed = end.exit_code != 0 || end.timed_out;
  return options.report == "always" || (options.report == "on-failure" && failed);
}

int TellReport(OwnEmulator& emulator, const TestEnd& end, const ExecOptions& options, bool json) {
  if (!IsReported(end, options)) return kOk;
  const absl::StatusOr<ExecReport> report = MakeExecReport(emulator, end);
  if (!report.ok()) return Fail(report.status());
  const std::string text = json ? ExecReportJson(*report) : ExecReportText(*report);
  absl::Status written;
  if (!options.report_file.empty()) written = WriteFile(options.report_file, text);
  if (!json && !end.interrupted) {
    PrintError(absl::StrCat("the test command ", end.how, ". What the emulator saw:\n\n", text));
  } else if (!written.ok() || (options.report_file.empty() && !end.interrupted)) {
    std::fputs(text.c_str(), stderr);
  }
  return written.ok() ? kOk : Fail(written);
}

// With the emulator up.
int RunTestCommand(OwnEmulator& emulator, TestProcess& process, const ExecOptions& options, bool json) {
  const absl::StatusOr<TestEnd> end = process.Run(options.command, EnvironmentOf(emulator), options.timeout);
  if (!end.ok()) return Fail(end.status(), static_cast<ExitCode>(kNoSuchCommand));
  if (end->timed_out)
    PrintError(absl::StrCat("the test command took longer than ", FormatShortDuration(options.timeout)));
  const int reported = TellReport(emulator, *end, options, json);
  if (end->timed_out) return kTimedOut;
  return end->exit_code != 0 ? end->exit_code : reported;
}

int Exec(const ExecOptions& options, bool json) {
  if (auto program = userfunction::FindProgram(options.command.front()); !program.ok()) {
    return Fail(program.status(), static_cast<ExitCode>(kNoSuchCommand));
  }
  if (!options.report_file.empty()) {
    if (absl::Status status = CheckMayWrite(options.report_file, true); !status.ok()) return Fail(status, kUsage);
  }
  base::SetUpLog(-1);  // troubles are in the report
  TestProcess process;
  const absl::StatusOr<std::string> directory = DirectoryToKeep(options.keep);
  if (!directory.ok()) return Fail(directory.status());
  absl::StatusOr<std::unique_ptr<OwnEmulator>> emulator = StartFor(options, *directory, process);
  if (const std::optional<int> signal = process.PendingSignal(); signal.has_value() || !emulator.ok()) {
    const int failed = signal.has_value() ? 128 + *signal : Fail(emulator.status());
    if (emulator.ok()) *emulator = nullptr;
    std::error_code error;
    if (options.keep == kAnyDirectory) std::filesystem::remove_all(*directory, error);  // no test has been there
    return failed;
  }
  const int code = RunTestCommand(**emulator, process, options, json);
  *emulator = nullptr;
  if (!directory->empty()) {
    PrintError(absl::StrCat("the journal is kept: cloudstate-dev journal ls --data-dir ", ShellWord(*directory)));
  }
  return code;
}

void AddExecSettings(CLI::App& command, ExecOptions& options) {
  runtime::Settings& settings = options.settings;
  command.add_option("--nodes", settings.nodes, "Nodes of the cluster that is played, 1 to 100")
      ->check(CLI::Range(std::size_t{1}, cluster::Cluster::kMostNodes))
      ->capture_default_str();
  DurationSetting(command, "--passivation-timeout", "", settings.limits.passivation_timeout,
                  "How long an idle entity keeps its stream");
  DurationSetting(command, "--relay-timeout", "", settings.limits.relay_timeout, "How long a command may take");
}

}  // namespace

void AddExec(CLI::App& root, Invocation& invocation) {
  auto options = std::make_shared<ExecOptions>();
  CLI::App* command = Command(root, "exec", "Run a test command beside an emulator of its own", kExecExamples);
  command->group(kTestGroup);
  AddUserFunctionChoice(*command, options->user_function, TakesCommand::kNo);
  AddExecSettings(*command, *options);
  DurationSetting(*command, "--timeout", "", options->timeout, "How long the test command may take")->default_str("");
  DurationSetting(*command, "--start-timeout", "", options->start_up,
                  "How long the user function may take until it has answered discovery");
  command->add_flag("--keep", options->keep, "Keep the journal, in a new directory or with --keep=DIR there");
  command->add_option("--report", options->report, "When to tell what the emulator saw, on standard error")
      ->check(CLI::IsMember({"always", "on-failure", "never"}))
      ->capture_default_str();
  command->add_option("--report-file", options->report_file, "Write that to this file as well")->type_name("FILE");
  command->add_flag("-v,--verbose", options->verbose, "Show what the user function prints, on standard error");
  command->add_option("TEST_COMMAND", options->command, "With its arguments; after --")->required();
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return Exec(*options, invocation.settings.json); };
  });
}

}  // namespace cloudstate::cli
