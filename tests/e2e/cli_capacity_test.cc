// `scale simulate` and `scale tune`, which need no emulator, and what `scale record` refuses.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "google/protobuf/struct.pb.h"
#include "tests/e2e/running_emulator.h"
#include "tests/support/emulator_process.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate {
namespace {

using google::protobuf::Struct;
using support::RunTool;
using support::ToolResult;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kDay[] = "idle for 1m, constant 110/s for 2m, idle for 3m, constant 1/s for 1m";

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

ToolResult Simulate(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"scale",     "simulate", "--load",         kDay,
                                        "--service", "20ms",     "--scale-target", "2"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return RunTool(arguments);
}

TEST(CliCapacity, SimulatesALoadAndSaysWhy) {
  const ToolResult result = Simulate({});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("knative, seed 1"), HasSubstr("calls      13,"), HasSubstr("p99"),
                                   HasSubstr("replica-seconds"), HasSubstr("READY"), HasSubstr("1 → ")));
}

TEST(CliCapacity, SimulatesTheSameForASeed) {
  const auto without_time = [](std::string json) {
    const std::size_t at = json.find("\"playedInSeconds\"");
    return json.erase(at, json.find(',', at) - at);
  };
  const ToolResult first = Simulate({"--json"});
  ASSERT_EQ(first.exit_code, 0) << first.errors;
  EXPECT_EQ(without_time(Simulate({"--json"}).output), without_time(first.output));
  EXPECT_NE(without_time(Simulate({"--json", "--seed", "2"}).output), without_time(first.output));
  const Struct parsed = FromJson<Struct>(first.output);
  EXPECT_EQ(parsed.fields().at("calls").number_value(), parsed.fields().at("answered").number_value());
  EXPECT_GT(parsed.fields().at("timeline").list_value().values_size(), 100);
  EXPECT_GT(parsed.fields().at("decisions").list_value().values_size(), 1);
}

TEST(CliCapacity, DrawsAChartAndWritesTheTimelineDown) {
  const testing::TemporaryDirectory directory;
  const std::string svg = (directory.path() / "chart.svg").string();
  const std::string csv = (directory.path() / "timeline.csv").string();
  ASSERT_EQ(Simulate({"--svg", svg, "--csv", csv}).exit_code, 0);
  EXPECT_THAT(ReadAll(svg), StartsWith("<svg "));
  EXPECT_THAT(ReadAll(csv), StartsWith("at_s,seconds,calls"));
  const ToolResult nowhere = Simulate({"--svg", (directory.path() / "none" / "chart.svg").string()});
  EXPECT_EQ(nowhere.exit_code, 1);
  EXPECT_THAT(nowhere.errors, HasSubstr("can't be written"));
}

TEST(CliCapacity, WritesNothingElseWhereAFileGoesToStandardOutput) {
  EXPECT_THAT(Simulate({"--svg", "-"}).output, AllOf(StartsWith("<svg "), EndsWith("</svg>\n")));
  EXPECT_THAT(Simulate({"--csv", "-"}).output, StartsWith("at_s,seconds,calls"));
}

TEST(CliCapacity, SaysHowManyCallsWereNotAnsweredInTime) {
  const ToolResult result = RunTool({"scale", "simulate", "--load", "constant 2/s for 10s", "--service", "1s",
                                     "--scaling", "manual", "--relay-timeout", "500ms"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("not answered in time; of those answered p50 -, p90 -, p99 -, at most -"),
                                   HasSubstr("played     10s")));
}

TEST(CliCapacity, PlaysARecordingWithAModelOfIt) {
  const testing::TemporaryDirectory directory;
  const std::string file = (directory.path() / "calls.csv").string();
  std::ofstream calls(file);
  calls << "at_us,total_us,until_sent_us,user_function_us,journal_us,node,code\n";
  // Two come every 100 ms, and one of each two waits for the other.
  for (int i = 0; i < 600; ++i) {
    calls << i / 2 * 100'000 << (i % 2 == 0 ? ",21000,1000,20000,0,1,0\n" : ",41000,1000,40000,0,1,0\n");
  }
  calls.close();
  const ToolResult result =
      RunTool({"--json", "scale", "simulate", "--from", file, "--scaling", "manual", "--kind", "actions"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const Struct parsed = FromJson<Struct>(result.output);
  EXPECT_EQ(parsed.fields().at("calls").number_value(), 600);
  EXPECT_EQ(parsed.fields().at("model").struct_value().fields().at("workers").number_value(), 1);
  EXPECT_NEAR(parsed.fields().at("longestSeconds").number_value(), 0.041, 0.001);
}

TEST(CliCapacity, TunesAndRecommends) {
  const testing::TemporaryDirectory directory;
  const std::string svg = (directory.path() / "tuned.svg").string();
  const ToolResult result =
      RunTool({"scale", "tune", "--load", "constant 100/s for 2m", "--service", "exponential(20ms)", "--scaling",
               "manual", "--vary", "replicas=2,3,4,8,16", "--p99", "230ms", "--svg", svg});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("replicas"), HasSubstr("P99"), HasSubstr("→ --replicas 4: the fewest")));
  EXPECT_THAT(ReadAll(svg), StartsWith("<svg "));
}

TEST(CliCapacity, SaysWhatIsMissingOrWrong) {
  const struct {
    std::vector<std::string> arguments;
    std::string error;
  } cases[] = {
      {{"scale", "simulate", "--service", "20ms"}, "There is no load"},
      {{"scale", "simulate", "--load", "constant 1/s for 1m"}, "How long do calls take?"},
      {{"scale", "simulate", "--load", "constant 1 for 1m", "--service", "20ms"}, "at character 10"},
      {{"scale", "simulate", "--load", "none.csv", "--service", "20ms"}, "cloudstate-dev scale record none.csv"},
      {{"scale", "simulate", "--load", "/", "--service", "20ms"}, "/ is a directory"},
      {{"scale", "simulate", "--load", kDay, "--service", "20ms", "--replicas", "2"}, "--initial-scale"},
      {{"scale", "simulate", "--load", kDay, "--service", "20ms", "--scaling", "manual", "--max-scale", "2",
        "--replicas", "3"},
       "more than max-scale, 2"},
      {{"scale", "simulate", "--load", "constant 1/s for 8000h", "--service", "20ms", "--scale-tick", "10ms"},
       "make scale-tick longer"},
      {{"scale", "simulate", "--load", kDay, "--service", "20ms", "--svg", "-", "--csv", "-"}, "only one thing"},
      {{"--json", "scale", "simulate", "--load", kDay, "--service", "20ms", "--csv", "-"}, "only one thing"},
      {{"scale", "record", "-"}, "A recording is a file"},
      {{"scale", "record", "/"}, "/ is a directory"},
      {{"scale", "simulate", "--load", "constant 1/s for 1m", "--service", "soon"}, "--service: "},
      {{"scale", "tune", "--load", "constant 1/s for 1m", "--service", "1ms", "--vary", "scale-target"}, "NAME=VALUE"},
      {{"scale", "tune", "--load", "constant 1/s for 1m", "--service", "1ms", "--vary", "targte=1"}, "targte"},
      {{"sample", "shopping-cart", "--work", "soon"}, "--work: "},
  };
  for (const auto& each : cases) {
    const ToolResult result = RunTool(each.arguments);
    EXPECT_EQ(result.exit_code, 2) << each.error;
    EXPECT_THAT(result.errors, HasSubstr(each.error));
  }
}

TEST(CliCapacity, RecordsOverNothingThatIsThere) {
  const testing::TemporaryDirectory directory;
  const std::string file = (directory.path() / "calls.csv").string();
  std::ofstream(file) << "mine";
  const ToolResult result = RunTool({"scale", "record", file});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("--force"));
  EXPECT_EQ(ReadAll(file), "mine");
}

class RecordingOfARun : public RunningEmulator {
 protected:
  RecordingOfARun() : RunningEmulator({"--ephemeral", "--sample", "shopping-cart"}) {}
};

TEST_F(RecordingOfARun, SaysThatNoCallCame) {
  const testing::TemporaryDirectory directory;
  const std::string file = (directory.path() / "calls.csv").string();
  const ToolResult result = Tool({"scale", "record", file, "--for", "300ms"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("Send calls to the emulator"));
  EXPECT_FALSE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace cloudstate
