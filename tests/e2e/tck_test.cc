// The conformance kit as a user runs it: against the C++ model, which must pass, against the model with each of its
// planted faults, which must not, and against user functions that are not there, hang or go away.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <deque>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "tests/e2e/parse_json.h"
#include "tests/support/child_process.h"
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
using ::testing::MatchesRegex;
using ::testing::Not;

using Strings = std::vector<std::string>;

double Number(const google::protobuf::Struct& json, const std::string& field) {
  EXPECT_TRUE(json.fields().contains(field)) << field;
  return json.fields().contains(field) ? json.fields().at(field).number_value() : -1;
}

// `tck` with the model, or with the model's arguments `fault`, as its COMMAND.
Strings WithModel(Strings options, const Strings& fault = {}) {
  options.insert(options.begin(), "tck");
  options.insert(options.end(), {"--", TCK_MODEL});
  options.insert(options.end(), fault.begin(), fault.end());
  return options;
}

// The ids of the cases with the outcome, in a report.
Strings Ids(const google::protobuf::Struct& report, const std::string& outcome) {
  Strings ids;
  for (const auto& each : report.fields().at("cases").list_value().values()) {
    const auto& fields = each.struct_value().fields();
    if (fields.at("outcome").string_value() == outcome) ids.push_back(fields.at("id").string_value());
  }
  return ids;
}

std::string FirstFailure(const google::protobuf::Struct& report) {
  for (const auto& each : report.fields().at("cases").list_value().values()) {
    if (each.struct_value().fields().at("outcome").string_value() == "failed") return each.ShortDebugString();
  }
  return "";
}

// ---- the model

TEST(Tck, TheModelPassesEverything) {
  const ToolResult result = RunTool(WithModel({"--json"}));
  ASSERT_THAT(result.output, Not(IsEmpty())) << result.errors;
  const google::protobuf::Struct report = ParseJson(result.output);
  EXPECT_EQ(result.exit_code, 0) << FirstFailure(report) << result.errors;
  EXPECT_THAT(Ids(report, "failed"), IsEmpty());
  EXPECT_THAT(Ids(report, "skipped"), IsEmpty());
  EXPECT_THAT(Ids(report, "notRun"), IsEmpty());
  EXPECT_GE(Number(report, "passed"), 430);
  EXPECT_EQ(Number(report, "passed"), report.fields().at("cases").list_value().values_size());
}

// ---- its planted faults

Strings ListFaults() {
  auto process = ChildProcess::Start({TCK_MODEL, "--list-faults"});
  EXPECT_EQ(process->WaitForExit(), 0) << process->errors();
  Strings names;
  for (const auto line : absl::StrSplit(process->output(), '\n', absl::SkipEmpty())) {
    names.emplace_back(line.substr(0, line.find(' ')));
  }
  return names;
}

// The cases that are to find a fault: those of its kind. The kit's own emulator is in no fault's way: what it would
// find, the direct cases must find.
std::string CasesFor(const std::string& fault) {
  for (const auto& [kind, cases] :
       {std::pair("event-sourced-", "event-sourced/*"), std::pair("value-entity-", "value/*"),
        std::pair("action-", "action/*"), std::pair("crdt-", "crdt/*")}) {
    if (absl::StartsWith(fault, kind)) return cases;
  }
  return "!emulator/*";
}

TEST(Tck, EachPlantedFaultIsFound) {
  constexpr std::size_t kAtOnce = 6;
  const Strings faults = ListFaults();
  EXPECT_GE(faults.size(), 80u);
  struct Run {
    std::string fault;
    std::unique_ptr<ChildProcess> process;
  };
  std::deque<Run> running;
  std::set<std::string> all_found;
  const auto finish_one = [&] {
    Run run = std::move(running.front());
    running.pop_front();
    const int exit_code = run.process->WaitForExit(absl::Seconds(60));
    EXPECT_EQ(exit_code, 1) << run.fault << " is not found\n" << run.process->errors();
    if (run.process->output().empty()) {
      std::cout << run.fault << ": " << run.process->errors();
      return;
    }
    const Strings found = Ids(ParseJson(run.process->output()), "failed");
    EXPECT_THAT(found, Not(IsEmpty())) << run.fault;
    all_found.insert(found.begin(), found.end());
    std::cout << run.fault << " is found by " << absl::StrJoin(found, ", ") << "\n";
  };
  for (const std::string& fault : faults) {
    if (running.size() == kAtOnce) finish_one();
    const Strings options = {"--json", "--timeout", "2s", "--start-timeout", "5s", "--filter", CasesFor(fault)};
    running.push_back({fault, StartTool(WithModel(options, {"--fault", fault}))});
  }
  while (!running.empty()) finish_one();

  // Of a CRDT's cases each has something to find.
  const google::protobuf::Struct list = ParseJson(RunTool({"tck", "--list", "--json", "--filter", "crdt/*"}).output);
  for (const auto& each : list.fields().at("cases").list_value().values()) {
    const std::string& id = each.struct_value().fields().at("id").string_value();
    EXPECT_TRUE(all_found.contains(id)) << "no fault makes " << id << " fail";
  }
}

TEST(Tck, AFailureShowsStepsAndDifference) {
  const Strings faults = ListFaults();
  for (const std::string& fault : faults) {
    const ToolResult result =
        RunTool(WithModel({"--filter", "event-sourced/snapshot-after-five", "--timeout", "2s"}, {"--fault", fault}));
    if (result.exit_code == 0 || !absl::StrContains(result.output, "difference")) continue;
    EXPECT_THAT(result.output, AllOf(HasSubstr("FAILED event-sourced/snapshot-after-five: "), HasSubstr("steps:\n"),
                                     HasSubstr("user function #0 → EventSourcedStreamIn { init {"),
                                     HasSubstr("cloudstate.eventsourced.EventSourcedStreamOut"), HasSubstr("hint: "),
                                     HasSubstr("failed: event-sourced/snapshot-after-five\n"), Not(HasSubstr("\x1b"))));
    EXPECT_TRUE(absl::StrContains(result.output, "\n      - ") || absl::StrContains(result.output, "\n      + "));
    return;
  }
  FAIL() << "no fault makes this case fail";
}

TEST(Tck, FailFastLeavesTheRest) {
  const Strings faults = ListFaults();
  ASSERT_THAT(faults, Not(IsEmpty()));
  const ToolResult result = RunTool(
      WithModel({"--json", "--fail-fast", "--timeout", "2s", "--filter", "!emulator/*"}, {"--fault", faults[0]}));
  EXPECT_EQ(result.exit_code, 1);
  const google::protobuf::Struct report = ParseJson(result.output);
  EXPECT_EQ(Number(report, "failed"), 1);
  EXPECT_GT(Number(report, "notRun"), 0);
}

// ---- what to run, and how it is told

TEST(Tck, FiltersChooseAndExclude) {
  const ToolResult all = RunTool({"tck", "--list", "--json"});
  EXPECT_EQ(all.exit_code, 0);
  const auto count = [](const ToolResult& result) {
    return ParseJson(result.output).fields().at("cases").list_value().values_size();
  };
  const ToolResult some = RunTool({"tck", "--list", "--json", "--filter", "value/*", "--filter", "action/unary/*"});
  EXPECT_GT(count(some), 10);
  EXPECT_LT(count(some), count(all));
  const ToolResult without = RunTool({"tck", "--list", "--json", "--filter", "value/*", "--filter", "!value/failure*"});
  EXPECT_THAT(without.output, AllOf(HasSubstr("\"value/delete\""), Not(HasSubstr("value/failure"))));
  const ToolResult text = RunTool({"tck", "--list", "--filter", "event-sourced/snapshot-after-fiv?"});
  EXPECT_THAT(text.output, MatchesRegex("ID +WHAT HOLDS\nevent-sourced/snapshot-after-five  The fifth [^\n]+\n"));
}

TEST(Tck, ArgumentsThatMakeNoSenseAreRefused) {
  EXPECT_EQ(RunTool({"tck", "--filter", "no-such-case"}).exit_code, 2);
  EXPECT_EQ(RunTool({"tck", "--user-function", "127.0.0.1:1", "--", TCK_MODEL}).exit_code, 2);
  EXPECT_EQ(RunTool({"tck", "--user-function", "here"}).exit_code, 2);
  EXPECT_EQ(RunTool({"tck", "--timeout", "soon"}).exit_code, 2);
}

TEST(Tck, TheJUnitFileIsXmlWithTheSameResults) {
  const testing::TemporaryDirectory directory;
  const std::string file = (directory.path() / "report.xml").string();
  const ToolResult result =
      RunTool(WithModel({"--json", "--junit", file, "--timeout", "2s", "--filter", "crdt/streamed/*"},
                        {"--fault", "crdt-cancellation-ignored"}));
  const google::protobuf::Struct report = ParseJson(result.output);
  boost::property_tree::ptree xml;
  boost::property_tree::read_xml(file, xml);
  const auto& suites = xml.get_child("testsuites");
  EXPECT_EQ(suites.get<double>("<xmlattr>.failures"), Number(report, "failed"));
  EXPECT_GE(suites.get<double>("<xmlattr>.failures"), 1);
  int cases = 0;
  int failures = 0;
  for (const auto& [name, suite] : suites) {
    if (name != "testsuite") continue;
    for (const auto& [element, test] : suite) {
      if (element != "testcase") continue;
      ++cases;
      failures += test.count("failure") > 0 ? 1 : 0;
      EXPECT_TRUE(absl::StartsWith(test.get<std::string>("<xmlattr>.name"), suite.get<std::string>("<xmlattr>.name")));
    }
  }
  EXPECT_EQ(cases, report.fields().at("cases").list_value().values_size());
  EXPECT_EQ(failures, Number(report, "failed"));
}

TEST(Tck, AJUnitFileThatCannotBeWrittenIsAnErrorBeforeAnyCase) {
  const ToolResult result = RunTool(WithModel({"--junit", "/no/such/directory/r.xml", "--filter", "discovery/*"}));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.output, "");
  EXPECT_THAT(result.errors, HasSubstr("/no/such/directory/r.xml"));
}

TEST(Tck, WhatIsNotDeclaredIsSkippedAndSaidSo) {
  const ToolResult result = RunTool({"tck", "--", CLOUDSTATE_DEV, "sample", "shopping-cart"});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
  EXPECT_THAT(result.output,
              HasSubstr("the user function does not declare cloudstate.tck.model.EventSourcedTckModel\n"));
}

// ---- user functions that do not answer

TEST(Tck, NobodyThereIsAnError) {
  const ToolResult result = RunTool({"tck", "--user-function", "127.0.0.1:1", "--start-timeout", "300ms"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("Nobody accepts connections at 127.0.0.1:1"));
}

// Takes connections and says nothing.
class SilentPort {
 public:
  SilentPort() : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(descriptor_, generic, size), 0);
    EXPECT_EQ(listen(descriptor_, 100), 0);
    EXPECT_EQ(getsockname(descriptor_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentPort() { close(descriptor_); }
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  int descriptor_;
  int port_ = 0;
};

TEST(Tck, ASilentPortIsAnError) {
  const SilentPort silent;
  const absl::Time start = absl::Now();
  const ToolResult result = RunTool({"tck", "--user-function", silent.address(), "--start-timeout", "500ms"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr(silent.address()));
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
}

TEST(Tck, ACommandThatEndsAtOnceIsAnError) {
  const ToolResult result = RunTool({"tck", "--", "/bin/sh", "-c", "echo out of order; exit 3"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("The command exited with 3 before it served anything."),
                                   HasSubstr("\n  | out of order\n")));
}

TEST(Tck, ThePortIsReservedForACommandUntilItHasEnded) {
  // Perl's sockets do not reuse addresses unless told so.
  constexpr char kServer[] =
      "socket(S, PF_INET, SOCK_STREAM, 0); "
      "print bind(S, sockaddr_in($ENV{PORT}, INADDR_LOOPBACK)) ? 'free' : 'reserved', qq(\n)";
  const ToolResult result = RunTool({"tck", "-v", "--", "perl", "-MSocket", "-e", kServer});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("| reserved\n"), HasSubstr("before it served anything.\n  | free\n")));
}

TEST(Tck, ACommandThatIsNotThereIsAnError) {
  const ToolResult result = RunTool({"tck", "--", "/no/such/program"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("/no/such/program"));
}

// The model as a process of its own on a port of its own.
class ModelProcess {
 public:
  ModelProcess() : process_(ChildProcess::Start({TCK_MODEL}, {{"PORT", "0"}})) {
    EXPECT_TRUE(process_->WaitUntil(
        [](const std::string& output, const std::string&) { return absl::StrContains(output, "\n"); }));
    const std::string output = process_->output();
    const std::size_t space = output.rfind(' ');
    port_ = output.substr(space + 1, output.find('\n', space) - space - 1);
  }
  std::string address() const { return "127.0.0.1:" + port_; }
  ChildProcess& process() { return *process_; }

 private:
  std::unique_ptr<ChildProcess> process_;
  std::string port_;
};

// Runs the kit on a model that gets `signal` in the middle.
void ExpectTheRestNotRun(int signal) {
  ModelProcess model;
  const auto tool = StartTool({"tck", "--user-function", model.address(), "--timeout", "700ms"});
  ASSERT_TRUE(tool->WaitUntil([](const std::string& output, const std::string&) {
    return absl::StrContains(output, "  event-sourced ");
  })) << tool->errors();
  model.process().Signal(signal);
  EXPECT_EQ(tool->WaitForExit(absl::Seconds(15)), 1);
  EXPECT_THAT(tool->output(), AllOf(HasSubstr("FAILED "), HasSubstr("not run: "),
                                    HasSubstr("the user function is gone, or hangs, since ")));
}

TEST(Tck, AUserFunctionThatDiesFailsACaseAndEndsTheRun) { ExpectTheRestNotRun(SIGKILL); }

TEST(Tck, AUserFunctionThatHangsFailsACaseAndEndsTheRun) { ExpectTheRestNotRun(SIGSTOP); }

TEST(Tck, ACommandThatDiesIsStartedAgainForTheCasesToCome) {
  const testing::TemporaryDirectory directory;
  const std::string pid_file = (directory.path() / "pid").string();
  const auto tool = StartTool({"tck", "--filter", "!emulator/*", "--filter", "!crdt/*", "--", "/bin/sh", "-c",
                               absl::StrCat("echo $$ > ", pid_file, "; exec ", TCK_MODEL)});
  ASSERT_TRUE(tool->WaitUntil([](const std::string& output, const std::string&) {
    return absl::StrContains(output, "  discovery ");
  })) << tool->errors();
  pid_t pid = 0;
  std::ifstream(pid_file) >> pid;
  ASSERT_GT(pid, 0);
  kill(pid, SIGKILL);
  EXPECT_EQ(tool->WaitForExit(absl::Seconds(60)), 1);
  EXPECT_THAT(tool->output(), AllOf(HasSubstr("FAILED "), Not(HasSubstr("not run: "))));
}

TEST(Tck, CtrlCEndsTheRunAndTheCommand) {
  const testing::TemporaryDirectory directory;
  const std::string pid_file = (directory.path() / "pid").string();
  const auto tool =
      StartTool({"tck", "--", "/bin/sh", "-c", absl::StrCat("echo $$ > ", pid_file, "; exec ", TCK_MODEL)});
  ASSERT_TRUE(tool->WaitUntil([](const std::string& output, const std::string&) {
    return absl::StrContains(output, "checking ");
  })) << tool->errors();
  tool->Signal(SIGINT);
  EXPECT_EQ(tool->WaitForExit(), 130);
  EXPECT_THAT(tool->output(), HasSubstr("interrupted: "));
  pid_t pid = 0;
  std::ifstream(pid_file) >> pid;
  ASSERT_GT(pid, 0);
  EXPECT_NE(kill(pid, 0), 0);
}

}  // namespace
}  // namespace cloudstate
