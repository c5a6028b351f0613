// The commands that look at scaling and steer it, against a running emulator whose replicas are processes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "cloudstate/dev/v1/cluster.pb.h"
#include "cloudstate/dev/v1/scaling.pb.h"
#include "tests/e2e/running_emulator.h"

namespace cloudstate {
namespace {

using support::EmulatorEvent;
using support::RunTool;
using support::StartTool;
using support::ToolResult;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string ValueOf(const dev::v1::ScalingState& state, const std::string& setting) {
  for (const dev::v1::ScalingSetting& each : state.settings()) {
    if (each.name() == setting) return each.value();
  }
  return "no such setting";
}

class CliScaling : public RunningEmulator {
 protected:
  CliScaling() : RunningEmulator({"--sample", "shopping-cart", "--scaling", "manual", "--ephemeral"}) {}

  dev::v1::ScalingState State() const { return FromJson<dev::v1::ScalingState>(Output({"scale", "status", "--json"})); }
  bool EventuallyReady(int replicas) const {
    return Eventually([&] {
      const dev::v1::ScalingState state = State();
      return state.ready() == replicas && state.starting() == 0 && state.draining() == 0;
    });
  }
};

TEST_F(CliScaling, ShowsReplicasWithTheirProcesses) {
  ASSERT_TRUE(EventuallyReady(1));
  const dev::v1::ScalingState state = State();
  EXPECT_TRUE(state.real_processes());
  ASSERT_EQ(state.replicas_size(), 1);
  EXPECT_GT(state.replicas(0).pid(), 0);
  EXPECT_TRUE(state.replicas(0).has_cold_start());
  EXPECT_THAT(Output({"scale", "status"}), AllOf(HasSubstr("manual"), HasSubstr("1 wanted, 1 ready"),
                                                 HasSubstr(state.replicas(0).user_function_address())));
}

TEST_F(CliScaling, ShowsOneLineOfItInTheStatus) {
  ASSERT_TRUE(EventuallyReady(1));
  EXPECT_THAT(Output({"status"}), HasSubstr("Scaling        manual, 1 wanted, 1 ready\n"));
}

TEST_F(CliScaling, StartsAndDrainsReplicas) {
  EXPECT_THAT(Output({"scale", "set", "3"}), HasSubstr("Mode manual: 3 wanted"));
  ASSERT_TRUE(EventuallyReady(3));
  const auto nodes = FromJson<dev::v1::ListNodesResponse>(Output({"nodes", "ls", "--json"}));
  ASSERT_EQ(nodes.nodes_size(), 3);
  for (const dev::v1::Node& node : nodes.nodes()) EXPECT_EQ(node.state(), "up") << node.node();
  EXPECT_THAT(Output({"status"}), HasSubstr("Nodes          3 run"));
  Output({"scale", "set", "1"});
  ASSERT_TRUE(EventuallyReady(1));
  EXPECT_EQ(State().replicas(0).node(), 1) << "the youngest go";
}

TEST_F(CliScaling, HoldsACallWhileThereIsNoReplica) {
  Output({"scale", "set", "0"});
  ASSERT_TRUE(EventuallyReady(0));
  EXPECT_THAT(Output({"status"}), HasSubstr("scaled to zero"));
  auto call = StartTool(WithAdmin({"call", "ShoppingCart/GetCart", R"({"userId": "me"})"}));
  ASSERT_TRUE(Eventually([&] { return State().held_calls() == 1; }));
  EXPECT_THAT(Output({"scale", "status"}), HasSubstr("1 call held"));
  Output({"scale", "set", "1"});
  EXPECT_EQ(call->WaitForExit(kPatience), 0) << call->errors();
}

TEST_F(CliScaling, ChangesSettingsAndShowsThem) {
  Output({"scale", "set", "scale-target=7", "autoscaling.knative.dev/window=30s"});
  const std::string settings = Output({"scale", "status", "--settings"});
  EXPECT_THAT(settings, HasSubstr("autoscaling.knative.dev/target"));
  EXPECT_THAT(settings, HasSubstr("USER_FUNCTION_TARGET_CONCURRENCY"));
  const dev::v1::ScalingState state = State();
  EXPECT_EQ(ValueOf(state, "scale-target"), "7");
  EXPECT_EQ(ValueOf(state, "stable-window"), "30s");
}

TEST_F(CliScaling, LeavesTheNumberToAnAlgorithm) {
  EXPECT_THAT(Output({"scale", "set", "--mode", "knative", "scale-tick=20ms", "stable-window=1s"}),
              HasSubstr("Mode knative"));
  ASSERT_TRUE(Eventually([&] { return absl::StrContains(Output({"scale", "status"}), "Last look"); }));
  const ToolResult refused = Tool({"scale", "set", "3"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("`scale set 3 --mode manual`"));
  Output({"scale", "set", "2", "--mode", "manual"});
  EXPECT_TRUE(EventuallyReady(2));
}

TEST_F(CliScaling, FollowsEventsUntilItIsInterrupted) {
  auto follower = StartTool(WithAdmin({"scale", "watch"}));
  Output({"scale", "set", "2"});
  EXPECT_TRUE(follower->WaitUntil(
      [](const std::string& output, const std::string&) {
        return absl::StrContains(output, "2 replicas") && absl::StrContains(output, "replica ");
      },
      kPatience))
      << follower->output() << follower->errors();
  follower->Signal(SIGINT);
  EXPECT_EQ(follower->WaitForExit(), 130);
}

TEST_F(CliScaling, PrintsEventsAsJson) {
  Output({"scale", "set", "2"});
  auto follower = StartTool(WithAdmin({"scale", "watch", "--json", "--newest", "1000"}));
  EXPECT_TRUE(follower->WaitUntil(
      [](const std::string& output, const std::string&) { return absl::StrContains(output, R"("kind":"set")"); },
      kPatience))
      << follower->output() << follower->errors();
}

TEST_F(CliScaling, TellsOnTheTerminalWhatChangesTheNumberAndWhenAReplicaIsThere) {
  Output({"scale", "set", "2"});
  EXPECT_TRUE(emulator_.WaitForEvent("scaling", [](const EmulatorEvent& event) {
    return event.at("kind") == "set" && absl::StrContains(event.at("text"), "2 replicas");
  }));
  EXPECT_TRUE(emulator_.WaitForEvent(
      "scaling", [](const EmulatorEvent& event) { return event.at("kind") == "replica" && event.at("node") == "2"; }));
}

TEST_F(CliScaling, TellsWhatCannotBeDone) {
  EXPECT_THAT(Tool({"scale", "set", "1000"}).errors, HasSubstr("0 to 100 replicas"));
  EXPECT_EQ(Tool({"scale", "set"}).exit_code, 2);
  EXPECT_EQ(Tool({"scale", "set", "many"}).exit_code, 2);
  EXPECT_EQ(Tool({"scale", "set", "2", "3"}).exit_code, 2);
  EXPECT_EQ(Tool({"scale", "set", "--mode", "off"}).exit_code, 2);
  EXPECT_EQ(Tool({"scale", "set", "--mode", "knative", "3"}).exit_code, 2);
  const ToolResult unknown = Tool({"scale", "set", "scale-targett=3"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.errors, HasSubstr("scale-target"));
  EXPECT_EQ(RunTool({"scale", "status", "--admin", "127.0.0.1:1"}).exit_code, 3);
}

class CliScalingOff : public RunningEmulator {
 protected:
  CliScalingOff() : RunningEmulator({"--sample", "shopping-cart", "--nodes", "2", "--ephemeral"}) {}
};

TEST_F(CliScalingOff, TellsHowToTurnItOn) {
  EXPECT_THAT(Output({"scale", "status"}),
              AllOf(HasSubstr("Scaling is off: 2 nodes run"), HasSubstr("run --scaling knative")));
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"scale", "set", "3"}, {"scale", "watch"}}) {
    const ToolResult result = Tool(arguments);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.errors, HasSubstr("run --scaling manual"));
  }
  EXPECT_THAT(Output({"status"}), Not(HasSubstr("Scaling")));
}

TEST(CliScalingFlags, AreRefusedWhereTheyMakeNoSense) {
  const std::vector<std::vector<std::string>> wrong = {{"--scaling", "kubernetes"},
                                                       {"--scaling", "knative", "--scale-target", "many"},
                                                       {"--scaling", "knative", "--min-scale", "5", "--max-scale", "2"},
                                                       {"--scaling", "knative", "--nodes", "3", "--initial-scale", "2"},
                                                       {"--scaling", "manual", "--nodes", "3", "--max-scale", "2"},
                                                       {"--scale-annotation", "autoscaling.knative.dev/target=many"},
                                                       {"--scale-annotation", "autoscaling.knative.dev/target"}};
  for (const std::vector<std::string>& arguments : wrong) {
    std::vector<std::string> all = {"run", "--ephemeral", "--port", "0", "--admin-port", "0", "--metrics-port", "0"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ToolResult result = RunTool(all);
    EXPECT_EQ(result.exit_code, 2) << arguments.back() << result.output << result.errors;
    EXPECT_THAT(result.errors, HasSubstr("run --help"));
  }
}

TEST(CliScalingFlags, AreSaidToDoNothingWhereScalingIsOff) {
  support::EmulatorProcess emulator({.arguments = {"--sample", "shopping-cart", "--ephemeral", "--scale-target", "3"},
                                     .environment = {{"TARGET_CONCURRENCY_WINDOW", "60 seconds"}}});
  ASSERT_TRUE(emulator.WaitUntilStarted()) << emulator.process().errors();
  EXPECT_THAT(emulator.process().errors(),
              AllOf(HasSubstr("--scale-target: without effect"), Not(HasSubstr("--target-concurrency-window"))));
}

TEST(CliScalingFlags, HaveKnativesNamesAndThePublishedOnesOfTheEnvironment) {
  support::EmulatorProcess emulator(
      {.arguments = {"--sample", "shopping-cart", "--scaling", "cloudstate", "--ephemeral", "--scale-annotation",
                     "autoscaling.knative.dev/target=7"},
       .environment = {{"USER_FUNCTION_TARGET_CONCURRENCY", "3"}}});
  ASSERT_TRUE(emulator.WaitUntilStarted()) << emulator.process().errors();
  const ToolResult status = RunTool({"scale", "status", "--json", "--admin", emulator.admin_address()});
  const auto state = FromJson<dev::v1::ScalingState>(status.output);
  EXPECT_EQ(state.mode(), "cloudstate");
  EXPECT_EQ(ValueOf(state, "scale-target"), "7");
  EXPECT_EQ(ValueOf(state, "user-function-target-concurrency"), "3");
}

}  // namespace
}  // namespace cloudstate
