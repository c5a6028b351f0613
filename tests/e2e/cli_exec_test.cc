// `exec`: a test command beside an emulator of its own, as a build server runs it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tests/support/emulator_process.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate {
namespace {

using support::ChildProcess;
using support::RunTool;
using support::StartTool;
using support::ToolResult;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr absl::Duration kExecPatience = absl::Seconds(60);
constexpr char kAddPear[] = R"(ShoppingCart.AddItem '{"userId":"anna","productId":"pear","quantity":2}')";
constexpr char kAddNone[] = R"(ShoppingCart.AddItem '{"userId":"anna","productId":"pear","quantity":0}')";

const std::vector<std::string> kCart = {"--sample", "shopping-cart"};

// `exec OPTIONS -- sh -c SCRIPT`, in which $tool is the program.
std::vector<std::string> ExecScript(std::vector<std::string> options, const std::string& script) {
  std::vector<std::string> words = {"exec"};
  words.insert(words.end(), options.begin(), options.end());
  words.insert(words.end(), {"--", "sh", "-c", absl::StrCat("tool=", support::EmulatorProgram(), "\n", script)});
  return words;
}

ToolResult RunScript(std::vector<std::string> options, const std::string& script) {
  const auto process = StartTool(ExecScript(std::move(options), script));
  const int code = process->WaitForExit(kExecPatience);
  return {code, process->output(), process->errors()};
}

bool IsAlive(const std::string& pid) { return std::filesystem::exists("/proc/" + pid); }

bool EventuallyGone(const std::string& pid) {
  for (const absl::Time end = absl::Now() + kExecPatience; IsAlive(pid);) {
    if (absl::Now() > end) return false;
    absl::SleepFor(absl::Milliseconds(10));
  }
  return true;
}

TEST(Exec, PassesOnTheExitCodeAndTheStreams) {
  for (const int code : {0, 1, 7}) {
    const ToolResult result = RunScript({"--report", "never"}, absl::StrCat("echo out; echo err >&2; exit ", code));
    EXPECT_EQ(result.exit_code, code);
    EXPECT_EQ(result.output, "out\n");
    EXPECT_EQ(result.errors, "err\n");
  }
  const auto reads =
      ChildProcess::Start({"sh", "-c", absl::StrCat("echo typed | ", support::EmulatorProgram(), " exec -- cat")});
  EXPECT_EQ(reads->WaitForExit(kExecPatience), 0) << reads->errors();
  EXPECT_EQ(reads->output(), "typed\n");
}

TEST(Exec, TellsEndsThatAreNoExitCode) {
  EXPECT_EQ(RunScript({}, "kill -9 $$").exit_code, 128 + SIGKILL);
  const ToolResult late = RunScript({"--timeout", "100ms"}, "exec sleep 1000");
  EXPECT_EQ(late.exit_code, 124);
  EXPECT_THAT(late.errors, HasSubstr("took longer than 100ms"));
  const ToolResult unknown = RunTool({"exec", "--", "no-such-command-at-all"});
  EXPECT_EQ(unknown.exit_code, 127);
  EXPECT_THAT(unknown.errors, HasSubstr("no-such-command-at-all"));
  EXPECT_EQ(RunTool({"exec"}).exit_code, 2);
  EXPECT_EQ(RunTool({"exec", "--sample", "chat", "--serve", "true", "--", "true"}).exit_code, 2);
}

TEST(Exec, HandsOverEveryWordAfterTheDashes) {
  const testing::TemporaryDirectory directory;  // for what --keep, which may have a value, keeps
  const ToolResult result = RunTool(
      {"exec", "--keep", "--", "sh", "-c", "printf '%s|' \"$@\"", "sh", "test", "--", "--json", "[1,2]", "-v", ""},
      {{"TMPDIR", directory.path().string()}});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.output, "test|--|--json|[1,2]|-v||");
}

TEST(Exec, TellsTheTestsWhereEverythingIs) {
  const ToolResult result = RunScript(kCart, absl::StrCat(R"(
      [ "$CLOUDSTATE_DEV_ADDRESS" = "$CLOUDSTATE_DEV_HOST:$CLOUDSTATE_DEV_PORT" ] || exit 10
      [ -n "$CLOUDSTATE_DEV_METRICS" ] && [ -n "$CLOUDSTATE_DEV_USER_FUNCTION_PORT" ] || exit 11
      $tool call )",
                                                          kAddPear, R"( || exit 12
      $tool status | grep -q "$CLOUDSTATE_DEV_ADDRESS" || exit 13
      $tool journal ls --json)"));
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr(R"("entityId":"anna")"));
  EXPECT_THAT(result.errors, IsEmpty());
}

TEST(Exec, ShowsWhatTheEmulatorSawOfTestsThatFail) {
  const testing::TemporaryDirectory directory;
  const std::string file = (directory.path() / "report").string();
  const std::string script = absl::StrCat("$tool call ", kAddPear, "\n$tool call ", kAddNone, " 2>/dev/null");
  std::vector<std::string> options = kCart;
  options.insert(options.end(), {"--report-file", file});
  const ToolResult result = RunScript(options, script);
  EXPECT_EQ(result.exit_code, 1);
  const auto told =
      AllOf(HasSubstr("1 call failed:"), HasSubstr("Cannot add 0 of pear"), HasSubstr("ShoppingCart.AddItem"),
            HasSubstr("The newest 1 event stored:"), HasSubstr("shopping-cart|anna\n  #1"));
  EXPECT_THAT(result.errors, AllOf(HasSubstr("the test command exited with 1"), told));
  std::ifstream stream(file);
  EXPECT_THAT(std::string(std::istreambuf_iterator<char>(stream), {}), told);

  EXPECT_THAT(RunScript(kCart, "exit 0").errors, IsEmpty());
  const ToolResult json = RunScript({"--json", "--report", "always"}, "exit 0");
  EXPECT_EQ(json.exit_code, 0);
  EXPECT_THAT(json.errors, HasSubstr(R"({"exitCode":0,"how":"exited with 0","failedCalls":[],"events":[])"));
}

// The call of a client that is gone, to a user function that does not answer.
TEST(Exec, ShowsCallsThatAreStillOpen) {
  const std::string serve = absl::StrCat(FAULTY_CART, " --fault hang");
  const std::string script = absl::StrCat("$tool call ", kAddPear, R"( &
      until $tool calls ls --open --json | grep -q '"sent"'; do sleep 0.05; done
      exit 3)");
  const ToolResult result = RunScript({"--serve", serve}, script);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.errors,
              AllOf(HasSubstr("Still under way: 1 call is open, 1 command is in the user function's hands."),
                    HasSubstr("by admin, under way for "), HasSubstr("ShoppingCart.AddItem  anna"),
                    HasSubstr("└─ sent"), HasSubstr("No other call failed."), Not(HasSubstr("DEADLINE_EXCEEDED"))));
  const ToolResult json = RunScript({"--serve", serve, "--json"}, script);
  EXPECT_THAT(json.errors, AllOf(HasSubstr(R"("failedCalls":[],)"), HasSubstr(R"("underWay":"1 call is open)"),
                                 HasSubstr(R"("openCalls":[{"traceId":)")));
}

TEST(Exec, LosesNoReportForAFileThatCantBeWritten) {
  const testing::TemporaryDirectory directory;
  const std::string nowhere = (directory.path() / "none" / "report").string();
  const ToolResult refused = RunScript({"--report-file", nowhere}, "exit 0");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.errors, HasSubstr("is not there; make it first"));
  for (const std::vector<std::string>& options : {std::vector<std::string>{}, {"--json"}}) {
    std::vector<std::string> full = options;
    full.insert(full.end(), {"--report-file", "/dev/full"});
    const ToolResult result = RunScript(full, "exit 3");
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_THAT(result.errors, AllOf(HasSubstr(options.empty() ? "No call failed" : R"("failedCalls":[])"),
                                     HasSubstr("The file /dev/full can't be written")));
  }
}

TEST(Exec, TellsWhyTheUserFunctionDoesNotServe) {
  const ToolResult ended = RunScript({"--serve", "echo no such module >&2; exit 3"}, "exit 0");
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.errors,
              AllOf(HasSubstr("exited with 3 before it answered discovery"), HasSubstr("| no such module")));
  const ToolResult silent = RunScript({"--serve", "sleep 1000", "--start-timeout", "200ms"}, "exit 0");
  EXPECT_EQ(silent.exit_code, 1);
  EXPECT_THAT(silent.errors, HasSubstr("did not answer discovery within 200ms"));
}

TEST(Exec, StartsUserFunctionsByTheShellOrLeavesThatToTheTests) {
  const std::string serve = absl::StrCat("IGNORED=1 ", support::EmulatorProgram(), " sample shopping-cart");
  EXPECT_EQ(RunScript({"--serve", serve}, absl::StrCat("$tool call ", kAddPear)).exit_code, 0);
  const ToolResult own = RunScript({}, absl::StrCat(R"(
      PORT=$CLOUDSTATE_DEV_USER_FUNCTION_PORT $tool sample shopping-cart & serving=$!
      until $tool call )",
                                                    kAddPear, R"( 2>/dev/null; do sleep 0.05; done
      kill $serving)"));
  EXPECT_EQ(own.exit_code, 0) << own.errors;
}

TEST(Exec, PassesOnSignalsAndLeavesNothingBehind) {
  std::vector<std::string> words = ExecScript(kCart, R"(
      trap 'echo asked; exit 5' TERM
      sleep 1000 & echo "left $!"
      $tool status --json
      while :; do sleep 0.05; done)");
  const auto process = StartTool(words);
  std::string left;
  ASSERT_TRUE(process->WaitUntil(
      [&](const std::string& output, const std::string&) {
        if (!absl::StrContains(output, "\"pid\"") || output.back() != '\n') return false;
        left = output.substr(5, output.find('\n') - 5);
        return true;
      },
      kExecPatience))
      << process->errors();
  process->Signal(SIGTERM);
  EXPECT_EQ(process->WaitForExit(kExecPatience), 5);
  EXPECT_THAT(process->output(), HasSubstr("asked\n"));
  EXPECT_TRUE(EventuallyGone(left));
  EXPECT_THAT(process->errors(), Not(HasSubstr("What the emulator saw"))) << "nobody asked";
}

TEST(Exec, EndsWhatIgnoresTheFirstSignalAtTheSecond) {
  const auto process = StartTool(ExecScript({}, "trap '' TERM; echo here; while :; do sleep 0.05; done"));
  ASSERT_TRUE(process->WaitUntil([](const std::string& output, const std::string&) { return output == "here\n"; },
                                 kExecPatience));
  int code = -1;
  for (const absl::Time end = absl::Now() + kExecPatience; code < 0 && absl::Now() < end;) {
    process->Signal(SIGTERM);
    code = process->WaitForExit(absl::Milliseconds(300));
  }
  EXPECT_EQ(code, 128 + SIGKILL);
}

TEST(Exec, TakesTheTestsWithItWhenItIsKilled) {
  const auto process = StartTool(ExecScript({}, "echo $$; while :; do sleep 0.05; done"));
  std::string pid;
  ASSERT_TRUE(process->WaitUntil(
      [&](const std::string& output, const std::string&) {
        pid = output.substr(0, output.find('\n'));
        return absl::EndsWith(output, "\n");
      },
      kExecPatience));
  process->Signal(SIGKILL);
  EXPECT_TRUE(EventuallyGone(pid));
}

// The shell does not become the user function: there are two processes.
TEST(Exec, TakesTheUserFunctionWithItWhenItIsKilled) {
  const testing::TemporaryDirectory directory;
  const std::string file = (directory.path() / "pid").string();
  const auto process = StartTool(ExecScript({"--serve", absl::StrCat(FAULTY_CART, " & echo $! > ", file, "; wait")},
                                            "echo here; while :; do sleep 0.05; done"));
  ASSERT_TRUE(process->WaitUntil([](const std::string& output, const std::string&) { return output == "here\n"; },
                                 kExecPatience));
  std::string pid;
  std::ifstream(file) >> pid;
  ASSERT_TRUE(IsAlive(pid)) << pid;
  process->Signal(SIGKILL);
  EXPECT_TRUE(EventuallyGone(pid));
}

TEST(Exec, WritesItsReportFileWhenItIsCancelled) {
  const testing::TemporaryDirectory directory;
  const std::string file = (directory.path() / "report").string();
  const auto process = StartTool(ExecScript({"--report-file", file}, "echo here; while :; do sleep 0.05; done"));
  ASSERT_TRUE(process->WaitUntil([](const std::string& output, const std::string&) { return output == "here\n"; },
                                 kExecPatience));
  process->Signal(SIGTERM);
  EXPECT_EQ(process->WaitForExit(kExecPatience), 128 + SIGTERM);
  std::ifstream stream(file);
  EXPECT_THAT(std::string(std::istreambuf_iterator<char>(stream), {}), HasSubstr("No call failed."));
  EXPECT_THAT(process->errors(), IsEmpty());
}

TEST(Exec, SaysThatSomethingElseListensThere) {
  support::EmulatorProcess other({.arguments = {"--ephemeral"}, .environment = {}});
  ASSERT_TRUE(other.WaitUntilStarted());
  const ToolResult result =
      RunTool({"exec", "--user-function", other.metrics_address(), "--start-timeout", "3s", "--", "true"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("does not speak gRPC"));
}

TEST(Exec, IsInterruptedWhileItWaitsForTheUserFunction) {
  const auto process = StartTool(ExecScript({"--verbose", "--serve", "echo started; exec sleep 1000"}, "exit 0"));
  ASSERT_TRUE(process->WaitUntil(
      [](const std::string&, const std::string& errors) { return absl::StrContains(errors, "started"); },
      kExecPatience));
  process->Signal(SIGINT);
  EXPECT_EQ(process->WaitForExit(kExecPatience), 128 + SIGINT);
}

TEST(Exec, KeepsTheJournalWhenItIsToldTo) {
  const testing::TemporaryDirectory directory;
  const std::string kept = (directory.path() / "kept here").string();
  std::vector<std::string> options = kCart;
  options.push_back("--keep=" + kept);
  const ToolResult first = RunScript(options, absl::StrCat("$tool call ", kAddPear));
  EXPECT_EQ(first.exit_code, 0) << first.errors;
  EXPECT_THAT(first.errors, HasSubstr(absl::StrCat("cloudstate-dev journal ls --data-dir '", kept, "'\n")));
  EXPECT_THAT(RunTool({"journal", "ls", "--data-dir", kept}).output, HasSubstr("shopping-cart|anna"));
  const ToolResult again = RunScript(options, "exit 0");
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.errors, HasSubstr("is not empty"));
}

TEST(Exec, KeepsNothingWhereNothingHasRun) {
  const testing::TemporaryDirectory directory;
  const ToolResult result =
      RunTool({"exec", "--keep", "--serve", "exit 3", "--", "true"}, {{"TMPDIR", directory.path().string()}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(Exec, BeginsWithAWholeCluster) {
  const ToolResult result = RunScript({"--sample", "counters", "--nodes", "3"}, "$tool nodes ls --json");
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  std::vector<std::string> parts = absl::StrSplit(result.output, R"("state":"up")");
  EXPECT_EQ(parts.size(), 4u) << result.output;
}

TEST(Exec, IsolatesManyThatRunAtTheSameTime) {
  constexpr int kMany = 10;
  const testing::TemporaryDirectory directory;
  std::vector<std::unique_ptr<ChildProcess>> processes;
  for (int i = 0; i < kMany; ++i) {
    // All have stored something before any of them looks.
    processes.push_back(StartTool(
        ExecScript(kCart, absl::StrCat("cd ", directory.path().string(), "\n$tool call ",
                                       absl::StrReplaceAll(kAddPear, {{"anna", absl::StrCat("user-", i)}}),
                                       " || exit 10\ntouch ", i, ".ready\nuntil [ \"$(ls | grep -c ready)\" -eq ",
                                       kMany, " ]; do sleep 0.05; done\n$tool journal ls --json"))));
  }
  for (int i = 0; i < kMany; ++i) {
    EXPECT_EQ(processes[i]->WaitForExit(kExecPatience), 0) << processes[i]->errors();
    const std::vector<std::string> entities = absl::StrSplit(processes[i]->output(), R"("entityId":)");
    EXPECT_EQ(entities.size(), 2u) << processes[i]->output();
    EXPECT_TRUE(absl::StartsWith(entities.back(), absl::StrCat("\"user-", i, "\""))) << processes[i]->output();
  }
}

// samples/cpp/shopping_cart_test.cc is in this program.
TEST(Exec, RunsTheTestOfTheSampleCart) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const ToolResult result =
      RunTool({"exec", "--sample", "shopping-cart", "--", self, "--gtest_filter=ShoppingCartSample.*"});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("[  PASSED  ] 3 tests."), Not(HasSubstr("SKIPPED"))));
}

}  // namespace
}  // namespace cloudstate
