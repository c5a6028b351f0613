// How scaling looks on a terminal, and its flags.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/scaling_flags.h"
#include "cmd/cloudstate-dev/scaling_text.h"
#include "emulator/base/proto_time.h"

namespace cloudstate::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

dev::v1::ScalingEvent DecisionOf(const std::string& text) {
  dev::v1::ScalingEvent event;
  *event.mutable_time() = base::ToTimestamp(absl::UnixEpoch());
  event.set_kind("decision");
  event.set_text(text);
  dev::v1::ScalingFigure& figure = *event.add_figures();
  figure.set_name("user function concurrency");
  figure.set_value(2.4);
  return event;
}

dev::v1::ScalingState StateOf(const std::string& mode) {
  dev::v1::ScalingState state;
  state.set_mode(mode);
  state.set_wanted(3);
  state.set_ready(2);
  return state;
}

TEST(ScalingText, CountsReplicasAndLeavesOutWhatIsNotThere) {
  dev::v1::ScalingState state = StateOf("knative");
  EXPECT_EQ(FormatReplicaCounts(state), "3 wanted, 2 ready");
  state.set_starting(1);
  state.set_draining(4);
  state.set_held_calls(1);
  EXPECT_EQ(FormatReplicaCounts(state), "3 wanted, 2 ready, 1 starting, 4 draining, 1 call held");
}

TEST(ScalingText, HasTheNumbersBehindTheLastDecision) {
  dev::v1::ScalingState state = StateOf("cloudstate");
  *state.mutable_last_decision() = DecisionOf("scaling 1 → 3: the user function is busy");
  EXPECT_THAT(FormatScaling(state, dev::v1::ScalingEvent(), Terminal()),
              AllOf(HasSubstr("scaling 1 → 3: the user function is busy\n             user function concurrency 2.4\n"),
                    Not(HasSubstr("Last look"))));
}

TEST(ScalingText, WritesLargeNumbersOut) {
  dev::v1::ScalingEvent event = DecisionOf("");
  event.mutable_figures(0)->set_value(12'345);
  EXPECT_EQ(FormatScalingFigures(event), "user function concurrency 12345");
  event.mutable_figures(0)->set_value(1'234'567.8);
  EXPECT_EQ(FormatScalingFigures(event), "user function concurrency 1234568");
}

TEST(ScalingText, HasWhatTheNewestTickSaw) {
  dev::v1::ScalingEvent tick = DecisionOf("as many as are needed");
  tick.set_kind("tick");
  tick.set_phase("panic");
  EXPECT_THAT(FormatScaling(StateOf("knative"), tick, Terminal()),
              AllOf(HasSubstr("knative, panic\n"), HasSubstr("Last look    1970-01-01T00:00:00.000Z: as many as")));
}

TEST(ScalingText, HasALineForEachReplica) {
  dev::v1::ScalingState state = StateOf("manual");
  state.set_real_processes(true);
  dev::v1::Replica& ready = *state.add_replicas();
  ready.set_node(1);
  ready.set_state("ready");
  ready.set_pid(4711);
  ready.set_user_function_address("127.0.0.1:8081");
  *ready.mutable_cold_start() = base::ToDuration(absl::Milliseconds(640));
  *ready.mutable_load()->mutable_length() = base::ToDuration(absl::Seconds(2));
  ready.mutable_load()->mutable_requests()->set_count(5);
  ready.mutable_load()->mutable_requests()->set_concurrency(0.75);
  dev::v1::Replica& starting = *state.add_replicas();
  starting.set_node(2);
  starting.set_state("starting");
  const std::string text = FormatScaling(state, dev::v1::ScalingEvent(), Terminal());
  EXPECT_THAT(text, HasSubstr("each a process of its own"));
  EXPECT_THAT(text, AllOf(HasSubstr("640ms"), HasSubstr("2.5"), HasSubstr("0.75"), HasSubstr("4711"),
                          HasSubstr("127.0.0.1:8081")));
  EXPECT_THAT(text, HasSubstr("starting"));
}

TEST(ScalingText, TellsThatNoReplicaIsThere) {
  EXPECT_THAT(FormatScaling(StateOf("knative"), dev::v1::ScalingEvent(), Terminal()),
              HasSubstr("No replica is there."));
}

TEST(ScalingText, TellsTheDefaultOfASettingThatHasAnotherValue) {
  dev::v1::ScalingState state = StateOf("knative");
  dev::v1::ScalingSetting& setting = *state.add_settings();
  setting.set_name("scale-target");
  setting.set_value("7");
  setting.set_default_value("0");
  EXPECT_THAT(FormatScalingSettings(state, Terminal()), HasSubstr("scale-target  7      0 "));
  setting.set_value("0");
  EXPECT_THAT(FormatScalingSettings(state, Terminal()), HasSubstr("scale-target  0      "));
}

TEST(ScalingText, IsOneLineForAnEventAndNotWiderThanTheTerminal) {
  const dev::v1::ScalingEvent event = DecisionOf("scaling 1 → 3: busy");
  EXPECT_EQ(FormatScalingEvent(event, Terminal()),
            "1970-01-01T00:00:00.000Z  decision   scaling 1 → 3: busy (user function concurrency 2.4)\n");
  EXPECT_LE(Width(FormatScalingEvent(event, {.interactive = true, .colour = false, .width = 60})), 61);
}

TEST(ScalingText, HasNoNumbersBehindWhatNobodyDecided) {
  dev::v1::ScalingEvent event = DecisionOf("node 2 is ready");
  event.set_kind("replica");
  EXPECT_THAT(FormatScalingEvent(event, Terminal()), Not(HasSubstr("2.4")));
}

class ScalingFlags : public ::testing::Test {
 protected:
  // Empty, or what is wrong.
  std::string Parse(std::vector<std::string> arguments) {
    CLI::App app;
    AddScalingFlags(app, settings_);
    std::reverse(arguments.begin(), arguments.end());
    try {
      app.parse(arguments);
    } catch (const CLI::ParseError& error) {
      return error.what();
    }
    return "";
  }

  scaling::Settings settings_;
};

TEST_F(ScalingFlags, AreThereForEachSetting) {
  CLI::App app;
  AddScalingFlags(app, settings_);
  for (const scaling::SettingInfo& info : scaling::AllSettings()) {
    const CLI::Option* option = app.get_option("--" + std::string(info.name));
    EXPECT_EQ(option->get_envname(), info.environment) << info.name;
    EXPECT_EQ(option->get_default_str(), scaling::Get(settings_, info.name)) << info.name;
  }
}

TEST_F(ScalingFlags, SetWhatTheyAreNamedAfter) {
  EXPECT_EQ(Parse({"--scale-target", "7", "--stable-window", "30s"}), "");
  EXPECT_EQ(settings_.knative.target, 7);
  EXPECT_EQ(settings_.knative.stable_window, absl::Seconds(30));
}

class ScalingVariables : public ScalingFlags {
 protected:
  ~ScalingVariables() override { unsetenv(kName); }
  static constexpr char kName[] = "TARGET_CONCURRENCY_WINDOW";
};

TEST_F(ScalingVariables, HaveTimesAsThePublishedConfigurationHasThem) {
  const std::pair<const char*, absl::Duration> times[] = {
      {"60s", absl::Seconds(60)},
      {"60 seconds", absl::Seconds(60)},
      {"1 minute", absl::Minutes(1)},
      {"45000", absl::Seconds(45)},
      {"500 milliseconds", absl::Milliseconds(500)},
      {"1.5 millis", absl::Microseconds(1500)},
      {" 2m ", absl::Minutes(2)},
      {"1m30s", absl::Seconds(90)},
  };
  for (const auto& [text, time] : times) {
    setenv(kName, text, 1);
    EXPECT_EQ(Parse({}), "") << text;
    EXPECT_EQ(settings_.cloudstate.target_concurrency_window, time) << text;
  }
  for (const char* wrong : {"soon", "5 fortnights", "2 days"}) {
    setenv(kName, wrong, 1);
    EXPECT_THAT(Parse({}), HasSubstr("--target-concurrency-window")) << wrong;
  }
}

TEST_F(ScalingVariables, DoNotChangeWhatFlagsTake) {
  EXPECT_THAT(Parse({"--target-concurrency-window", "45000"}), HasSubstr("has no unit"));
}

TEST_F(ScalingVariables, AreNoFlagsThatWereGiven) {
  setenv(kName, "60 seconds", 1);
  CLI::App app;
  AddScalingFlags(app, settings_);
  app.parse(std::vector<std::string>{"3", "--scale-target", "max-scale=4", "--scale-annotation"});
  EXPECT_THAT(GivenScalingFlags(app), ::testing::ElementsAre("--scale-target", "--scale-annotation"));
}

TEST_F(ScalingFlags, TellWhatIsWrongWithAValue) {
  EXPECT_THAT(Parse({"--scale-target", "many"}), AllOf(HasSubstr("--scale-target"), HasSubstr("many")));
}

TEST_F(ScalingFlags, TakeAnnotationsMoreThanOnce) {
  EXPECT_EQ(Parse({"--scale-annotation", "autoscaling.knative.dev/target=7", "--scale-annotation",
                   "autoscaling.knative.dev/window=30s"}),
            "");
  EXPECT_EQ(settings_.knative.target, 7);
  EXPECT_EQ(settings_.knative.stable_window, absl::Seconds(30));
}

TEST_F(ScalingFlags, RefuseAnAnnotationWithoutAValueOrName) {
  for (const std::string wrong : {"autoscaling.knative.dev/target", "=7"}) {
    EXPECT_THAT(Parse({"--scale-annotation", wrong}), HasSubstr("NAME=VALUE")) << wrong;
  }
}

TEST_F(ScalingFlags, TellOfAnAnnotationThatThereIsNot) {
  EXPECT_THAT(Parse({"--scale-annotation", "autoscaling.knative.dev/zebra=7"}), HasSubstr("zebra"));
}

}  // namespace
}  // namespace cloudstate::cli
