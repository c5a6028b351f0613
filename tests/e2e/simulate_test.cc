// `cloudstate-dev simulate` as people run it: the built-in scenarios, their own, seeds, traces, and what they are told
// when something is wrong.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "tests/e2e/parse_json.h"
#include "tests/support/emulator_process.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate {
namespace {

using support::RunTool;
using support::ToolResult;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using Strings = std::vector<std::string>;

// Its condition is violated for sure, since nobody stops node 1; and much happens that has nothing to do with it.
constexpr char kImpossible[] = R"yaml(name: impossible
nodes: 3
duration: 5s
steps:
  - at: 2s
    within: {time: 1s, node_is: {node: 1, state: stopped}}
chaos:
  every: 100ms
  lasting: 100ms
  faults: [skew]
)yaml";

std::string FileText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class Simulate : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return (directory_.path() / name).string(); }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
    return Path(name);
  }

 private:
  testing::TemporaryDirectory directory_;
};

Strings BuiltIn() {
  Strings names;
  for (const auto& entry : std::filesystem::directory_iterator(SAMPLE_SCENARIOS)) {
    names.push_back(entry.path().stem().string());
  }
  return names;
}

TEST_F(Simulate, EveryFileOfTheSamplesIsBuiltInAndListed) {
  const ToolResult result = RunTool({"simulate", "--list", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  Strings listed;
  const google::protobuf::Struct parsed = ParseJson(result.output);
  for (const auto& each : parsed.fields().at("scenarios").list_value().values()) {
    listed.push_back(each.struct_value().fields().at("name").string_value());
    EXPECT_THAT(each.struct_value().fields().at("description").string_value(), Not(IsEmpty()));
  }
  EXPECT_THAT(listed, ::testing::UnorderedElementsAreArray(BuiltIn()));
  for (const std::string& name : listed) EXPECT_THAT(RunTool({"simulate", "--list"}).output, HasSubstr(name));
}

TEST_F(Simulate, TheBuiltInScenariosShowWhatTheyTeach) {
  for (const std::string& name : BuiltIn()) {
    const ToolResult result = RunTool({"simulate", "--scenario", name, "--seeds", "1..5", "--json"});
    EXPECT_EQ(result.exit_code, 0) << name << "\n" << result.output << result.errors;
  }
}

TEST_F(Simulate, APrintedScenarioIsAFileToPlay) {
  for (const std::string& name : BuiltIn()) {
    const ToolResult printed = RunTool({"simulate", "--scenario", name, "--print"});
    ASSERT_EQ(printed.exit_code, 0) << printed.errors;
    EXPECT_EQ(printed.output, FileText(absl::StrCat(SAMPLE_SCENARIOS, "/", name, ".yaml")));
    const ToolResult again = RunTool({"simulate", "--scenario", Write("mine.yaml", printed.output), "--print"});
    EXPECT_EQ(again.exit_code, 0) << again.errors;
  }
}

TEST_F(Simulate, WithoutAScenarioItPlaysChaosWithASeedThatItTells) {
  const ToolResult result = RunTool({"simulate", "--no-shrink"});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
  EXPECT_THAT(result.output, StartsWith("chaos, seed "));
  EXPECT_THAT(result.output, HasSubstr("times as fast"));
  EXPECT_THAT(result.output, HasSubstr("nothing was violated\n"));
}

TEST_F(Simulate, TheSameSeedGivesTheSameTraceAndAnotherOneAnother) {
  const ToolResult one = RunTool({"simulate", "--seed", "7", "--trace", "-"});
  const ToolResult again = RunTool({"simulate", "--seed", "7", "--trace", "-"});
  const ToolResult other = RunTool({"simulate", "--seed", "8", "--trace", "-"});
  EXPECT_EQ(one.exit_code, 0) << one.errors;
  EXPECT_THAT(one.output, Not(IsEmpty()));
  EXPECT_TRUE(one.output == again.output);
  EXPECT_FALSE(one.output == other.output);
  EXPECT_THAT(one.errors, HasSubstr("seed 7"));
}

TEST_F(Simulate, ATraceInAFileIsTheSame) {
  const std::string file = Path("trace.txt");
  const Strings arguments = {"simulate", "--scenario", "split-brain", "--seed", "7", "--trace"};
  Strings to_file = arguments;
  to_file.push_back(file);
  Strings to_output = arguments;
  to_output.push_back("-");
  EXPECT_THAT(RunTool(to_file).output, HasSubstr("nothing was violated"));
  EXPECT_TRUE(FileText(file) == RunTool(to_output).output);
}

TEST_F(Simulate, SeedsAreCounted) {
  const ToolResult result = RunTool({"simulate", "--scenario", "split-brain", "--seeds", "11..14", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
  const auto json = ParseJson(result.output);
  EXPECT_EQ(json.fields().at("played").number_value(), 4);
  EXPECT_EQ(json.fields().at("failed").list_value().values_size(), 0);
  EXPECT_GT(json.fields().at("calls").struct_value().fields().at("ok").number_value(), 0);
}

TEST_F(Simulate, AFailureIsToldShrunkAndCanBeReplayed) {
  const std::string file = Write("impossible.yaml", kImpossible);
  const std::string shrunk = Path("shrunk.yaml");
  const ToolResult result = RunTool({"simulate", "--scenario", file, "--seed", "3", "--shrink", shrunk});
  EXPECT_EQ(result.exit_code, 1) << result.output << result.errors;
  EXPECT_THAT(result.output, HasSubstr("VIOLATED condition: "));
  EXPECT_THAT(result.output,
              HasSubstr(absl::StrCat("replay: cloudstate-dev simulate --scenario ", file, " --seed 3\n")));
  EXPECT_THAT(result.output, ::testing::ContainsRegex("shrunk from [0-9][0-9]+ steps to 1: "));
  EXPECT_THAT(FileText(shrunk), HasSubstr("node_is: {node: 1, state: stopped}"));
  EXPECT_THAT(FileText(shrunk), Not(HasSubstr("skew")));
  EXPECT_EQ(RunTool({"simulate", "--scenario", shrunk, "--seed", "3", "--no-shrink"}).exit_code, 1);
}

TEST_F(Simulate, AScenarioThatOnlyItsOwnStepsFailIsNotShrunk) {
  std::string own = kImpossible;
  own.erase(own.find("chaos:"));
  const std::string file = Write("own.yaml", own);
  const std::string shrunk = Path("shrunk.yaml");
  const ToolResult result = RunTool({"simulate", "--scenario", file, "--shrink", shrunk});
  EXPECT_EQ(result.exit_code, 1) << result.output << result.errors;
  EXPECT_THAT(result.output, Not(HasSubstr("shrunk from")));
  EXPECT_FALSE(std::filesystem::exists(shrunk));
}

TEST_F(Simulate, FailingSeedsAreNamed) {
  const std::string file = Write("impossible.yaml", kImpossible);
  const ToolResult result = RunTool({"simulate", "--scenario", file, "--seeds", "1..30"});
  EXPECT_EQ(result.exit_code, 1) << result.output << result.errors;
  EXPECT_THAT(result.output, HasSubstr("30 of them failed\n  seed 1  condition\n  seed 2  condition\n"));
  EXPECT_THAT(result.output, HasSubstr("  and 10 more\n"));
  EXPECT_THAT(result.output,
              HasSubstr(absl::StrCat("replay: cloudstate-dev simulate --scenario ", file, " --seed 1\n")));
}

struct Wrong {
  Strings arguments;
  std::string told;
};

TEST_F(Simulate, WhatMakesNoSenseIsToldWithExitCodeTwo) {
  const std::string file = Write("wrong.yaml", "nodes: 3\nnetwork:\n  latncy: 5ms\n");
  for (const Wrong& wrong : {
           Wrong{{"--scenario", file}, ":3:3: there is no 'latncy' in 'network'; did you mean 'latency'?"},
           Wrong{{"--scenario", "splitbrain"}, "There is no scenario 'splitbrain': neither a file nor one of chaos, "},
           Wrong{{"--scenario", "split-brain", "--nodes", "3"}, "split-brain with 3 nodes: there is no node 4"},
           Wrong{{"--nodes", "0"}, "--nodes takes a number from 1 to 100, not 0."},
           Wrong{{"--nodes", "101"}, "--nodes takes a number from 1 to 100, not 101."},
           Wrong{{"--seeds", "5"}, "--seeds takes two numbers, as in 1..1000, not '5'."},
           Wrong{{"--seeds", "5..4"}, "--seeds takes two numbers"},
           Wrong{{"--seed", "many"}, "--seed takes a number from 0 to 18446744073709551615, not 'many'."},
           Wrong{{"--seed", "-1"}, "--seed takes a number from 0 to 18446744073709551615, not '-1'."},
           Wrong{{"--list", "--seeds", "1..2"}, "Choose one of the two: --list or --seeds."},
           Wrong{{"--scenario", Write("empty.yaml", "")}, "empty.yaml:1:1: there is nothing in this file"},
           Wrong{{"--scenario", Write("long.yaml", std::string(1 << 21, '#'))}, "long.yaml: more than 1 MiB"},
           Wrong{{"--seed", "1", "--seeds", "1..2"}, "Choose one of the two: --seeds or --seed."},
           Wrong{{"--seeds", "1..2", "--trace", "-"}, "Choose one of the two: --seeds or --trace."},
           Wrong{{"--no-shrink", "--shrink", "x"}, "Choose one of the two: --no-shrink or --shrink."},
           Wrong{{"--json", "--trace", "-"}, "Standard output takes one of the two"},
           Wrong{{"--shrink", Path("no/such/directory/s.yaml")}, "is not there; make it first"},
           Wrong{{"--jobs", "0"}, "--jobs takes a number from 1 to 256, not 0."},
       }) {
    Strings arguments = wrong.arguments;
    arguments.insert(arguments.begin(), "simulate");
    const ToolResult result = RunTool(arguments);
    EXPECT_EQ(result.exit_code, 2) << ::testing::PrintToString(arguments) << result.output << result.errors;
    EXPECT_THAT(result.errors, HasSubstr(wrong.told));
    EXPECT_THAT(result.output, IsEmpty());
  }
}

TEST_F(Simulate, ATraceThatCannotBeWrittenIsAFailure) {
  const ToolResult result = RunTool({"simulate", "--trace", Path("no/such/directory/trace")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("can't be written"));
}

TEST_F(Simulate, HelpHasExamples) {
  const ToolResult result = RunTool({"simulate", "--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("cloudstate-dev simulate --seeds 1..1000"));
}

}  // namespace
}  // namespace cloudstate
