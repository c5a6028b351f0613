#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "emulator/scaling/settings.h"

namespace cloudstate::scaling {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Another value than the default, of each setting.
const std::map<std::string, std::string>& OtherValues() {
  static const std::map<std::string, std::string> values = {
      {"user-function-target-concurrency", "0.5"},
      {"request-target-concurrency", "7.25"},
      {"target-concurrency-window", "45s"},
      {"scale-up-stable-deadline", "0s"},
      {"scale-down-stable-deadline", "1.5s"},
      {"request-rate-threshold-factor", "1"},
      {"request-rate-window", "250ms"},
      {"max-scale-factor", "0.3"},
      {"max-scale-absolute", "0"},
      {"scale-metric", "rps"},
      {"scale-target", "0.01"},
      {"container-concurrency-target-default", "80"},
      {"requests-per-second-target-default", "150"},
      {"scale-target-utilization", "100"},
      {"stable-window", "3600s"},
      {"panic-window-percentage", "12.5"},
      {"panic-threshold-percentage", "110"},
      {"max-scale-up-rate", "1.1"},
      {"max-scale-down-rate", "1000"},
      {"enable-scale-to-zero", "false"},
      {"scale-to-zero-grace-period", "0s"},
      {"scale-to-zero-pod-retention-period", "61s"},
      {"min-scale", "100"},
      {"initial-scale", "2"},
      {"scale-down-delay", "900s"},
      {"activation-scale", "3"},
      {"target-burst-capacity", "-1"},
      {"max-scale", "5"},
      {"scale-tick", "10ms"},
      {"container-concurrency", "1000"},
      {"activator-queue", "1"},
      {"cold-start", "0s"},
  };
  return values;
}

TEST(ScalingSettings, AreReadAsTheyAreWritten) {
  for (const SettingInfo& info : AllSettings()) {
    const std::string name(info.name);
    ASSERT_EQ(OtherValues().count(name), 1U) << name;
    Settings settings;
    ASSERT_NE(Get(settings, name), OtherValues().at(name)) << name;
    ASSERT_TRUE(Set(settings, name, OtherValues().at(name)).ok()) << name;
    EXPECT_EQ(Get(settings, name), OtherValues().at(name)) << name;
    // Nothing else has changed.
    for (const SettingInfo& other : AllSettings()) {
      if (other.name == info.name) continue;
      EXPECT_EQ(Get(settings, other.name), Get({}, other.name)) << name;
    }
  }
  EXPECT_EQ(OtherValues().size(), AllSettings().size());
}

TEST(ScalingSettings, HaveDefaultsThatTheyTake) {
  for (const SettingInfo& info : AllSettings()) {
    Settings settings;
    EXPECT_TRUE(Set(settings, info.name, Get(settings, info.name)).ok()) << info.name;
  }
}

TEST(ScalingSettings, HaveThePublishedDefaults) {
  const std::pair<std::string, std::string> defaults[] = {
      {"user-function-target-concurrency", "1"},
      {"request-target-concurrency", "50"},
      {"target-concurrency-window", "60s"},
      {"scale-up-stable-deadline", "180s"},
      {"scale-down-stable-deadline", "30s"},
      {"request-rate-threshold-factor", "1.5"},
      {"request-rate-window", "6s"},
      {"max-scale-factor", "0"},
      {"max-scale-absolute", "2"},
      {"scale-metric", "concurrency"},
      {"container-concurrency-target-default", "100"},
      {"requests-per-second-target-default", "200"},
      {"scale-target-utilization", "70"},
      {"stable-window", "60s"},
      {"panic-window-percentage", "10"},
      {"panic-threshold-percentage", "200"},
      {"max-scale-up-rate", "1000"},
      {"max-scale-down-rate", "2"},
      {"enable-scale-to-zero", "true"},
      {"scale-to-zero-grace-period", "30s"},
      {"scale-to-zero-pod-retention-period", "0s"},
      {"min-scale", "0"},
      {"initial-scale", "1"},
      {"scale-down-delay", "0s"},
      {"activation-scale", "1"},
      {"target-burst-capacity", "200"},
      {"container-concurrency", "0"},
      {"scale-tick", "2s"},
  };
  for (const auto& [name, value] : defaults) EXPECT_EQ(Get({}, name), value) << name;
}

TEST(ScalingSettings, HaveNamesThatAreTheirsAlone) {
  std::set<std::string> names;
  std::set<std::string> published;
  for (const SettingInfo& info : AllSettings()) {
    EXPECT_TRUE(names.insert(std::string(info.name)).second) << info.name;
    for (std::string_view name : {info.environment, info.knative_name}) {
      if (name.empty()) continue;
      EXPECT_TRUE(published.insert(std::string(name)).second) << name;
    }
    EXPECT_FALSE(info.help.empty()) << info.name;
    EXPECT_FALSE(info.type_name.empty()) << info.name;
    EXPECT_FALSE(info.modes.empty()) << info.name;
  }
}

TEST(ScalingSettings, AreSetByTheirKnativeNames) {
  const std::pair<std::string, std::string> names[] = {
      {"autoscaling.knative.dev/target", "scale-target"},
      {"target", "scale-target"},
      {"autoscaling.knative.dev/window", "stable-window"},
      {"autoscaling.knative.dev/target-utilization-percentage", "scale-target-utilization"},
      {"autoscaling.knative.dev/max-scale", "max-scale"},
      {"config-autoscaler: max-scale-up-rate", "max-scale-up-rate"},
      {"config-autoscaler:tick-interval", "scale-tick"},
      {"tick-interval", "scale-tick"},
      {"spec: containerConcurrency", "container-concurrency"},
      {"containerConcurrency", "container-concurrency"},
      {"config-autoscaler:stable-window", "stable-window"},
      {"config-autoscaler: stable-window", "stable-window"},
      {"config-autoscaler:min-scale", "min-scale"},
      {"config-autoscaler:container-concurrency-target-percentage", "scale-target-utilization"},
      {"container-concurrency-target-default", "container-concurrency-target-default"},
      {"config-autoscaler:requests-per-second-target-default", "requests-per-second-target-default"},
      {"autoscaling.knative.dev/minScale", "min-scale"},
      {"autoscaling.knative.dev/maxScale", "max-scale"},
      {"autoscaling.knative.dev/initialScale", "initial-scale"},
      {"autoscaling.knative.dev/targetBurstCapacity", "target-burst-capacity"},
      {"autoscaling.knative.dev/scaleToZeroPodRetentionPeriod", "scale-to-zero-pod-retention-period"},
  };
  for (const auto& [name, ours] : names) {
    Settings settings;
    ASSERT_TRUE(Set(settings, name, OtherValues().at(ours)).ok()) << name;
    EXPECT_EQ(Get(settings, ours), OtherValues().at(ours)) << name;
  }
}

TEST(ScalingSettings, HaveADefaultOfTheTargetForEachMetric) {
  Settings settings;
  ASSERT_TRUE(Set(settings, "container-concurrency-target-default", "80").ok());
  ASSERT_TRUE(Set(settings, "requests-per-second-target-default", "150").ok());
  EXPECT_EQ(settings.knative.Target(), 80);
  settings.knative.metric = KnativeSettings::Metric::kRps;
  EXPECT_EQ(settings.knative.Target(), 150);
  settings.knative.target = 7;
  EXPECT_EQ(settings.knative.Target(), 7);
}

TEST(ScalingSettings, TellInWhichModesTheyMatter) {
  for (const char* name : {"activator-queue", "scale-tick", "container-concurrency"}) {
    EXPECT_THAT(FindSetting(name)->modes, ::testing::ElementsAre(Mode::kManual, Mode::kCloudstate, Mode::kKnative))
        << name;
  }
}

TEST(ScalingSettings, TakePercentagesWithTheirSign) {
  Settings settings;
  ASSERT_TRUE(Set(settings, "scale-target-utilization", "80%").ok());
  EXPECT_EQ(Get(settings, "scale-target-utilization"), "80");
}

TEST(ScalingSettings, SayWhatIsWrongWithAValueAndWhatTheyTake) {
  const struct {
    std::string name;
    std::string value;
    std::string wrong;
    std::string expected;
  } cases[] = {
      {"scale-target", "many", "'many' is not a number", "at least 0.01, or 0 for the metric's own"},
      {"scale-target", "nan", "'nan' is not a number", "at least 0.01"},
      {"scale-target", "inf", "'inf' is not a number", "at least 0.01"},
      {"scale-target", "-1", "'-1' is out of range", "at least 0.01"},
      {"scale-target", "0.001", "'0.001' is out of range", "at least 0.01"},
      {"scale-target", "5%", "'5%' is not a number", "at least 0.01"},
      {"user-function-target-concurrency", "0", "'0' is out of range", "a number above 0"},
      {"request-target-concurrency", "0", "'0' is out of range", "a number above 0"},
      {"request-rate-threshold-factor", "0.9", "'0.9' is out of range", "at least 1"},
      {"max-scale-factor", "-0.1", "'-0.1' is out of range", "at least 0"},
      {"max-scale-absolute", "1.5", "'1.5' is not a whole number", "from 0 to 100"},
      {"max-scale", "101", "'101' is out of range", "from 1 to 100"},
      {"max-scale", "99999999999", "'99999999999' is not a whole number", "from 1 to 100"},
      {"min-scale", "-1", "'-1' is out of range", "from 0 to 100"},
      {"initial-scale", "0", "'0' is out of range", "from 1 to 100"},
      {"activation-scale", "0", "'0' is out of range", "from 1 to 100"},
      {"stable-window", "60", "'60' has no unit", "such as 60s"},
      {"stable-window", "soon", "'soon' is not a time", "such as 60s"},
      {"stable-window", "0s", "'0s' is out of range", "more than 0s"},
      {"stable-window", "2h", "'2h' is out of range", "at most 1h"},
      {"target-concurrency-window", "inf", "'inf' is out of range", "at most 1h"},
      {"request-rate-window", "-6s", "'-6s' is out of range", "more than 0s"},
      {"scale-up-stable-deadline", "-1s", "'-1s' is out of range", "from 0s"},
      {"scale-down-stable-deadline", "25h", "'25h' is out of range", "24h"},
      {"scale-to-zero-grace-period", "", "'' is not a time", "from 0s"},
      {"scale-to-zero-pod-retention-period", "x", "'x' is not a time", "from 0s"},
      {"scale-down-delay", "61m", "'61m' is out of range", "1h"},
      {"panic-window-percentage", "0", "'0' is out of range", "from 1 to 100"},
      {"panic-window-percentage", "101%", "'101%' is out of range", "from 1 to 100"},
      {"panic-threshold-percentage", "100", "'100' is out of range", "from 110 to 1000"},
      {"scale-target-utilization", "0.7", "'0.7' is out of range", "from 1 to 100, such as 70"},
      {"max-scale-up-rate", "1", "'1' is out of range", "above 1"},
      {"max-scale-down-rate", "1", "'1' is out of range", "above 1"},
      {"enable-scale-to-zero", "yes", "'yes' is neither", "true or false"},
      {"target-burst-capacity", "-2", "'-2' is out of range", "-1 for always"},
      {"scale-metric", "cpu", "'cpu' is of Kubernetes' own autoscaler", "concurrency or rps"},
      {"scale-metric", "load", "'load' is no metric", "concurrency or rps"},
      {"scale-tick", "1ms", "'1ms' is out of range", "10ms"},
      {"container-concurrency", "1001", "'1001' is out of range", "from 0 to 1000"},
      {"activator-queue", "0", "'0' is out of range", "from 1 to 1000000"},
      {"cold-start", "-1ms", "'-1ms' is out of range", "from 0s"},
  };
  for (const auto& each : cases) {
    Settings settings;
    const absl::Status status = Set(settings, each.name, each.value);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << each.name;
    EXPECT_THAT(std::string(status.message()),
                AllOf(StartsWith(each.wrong), HasSubstr("; " + each.name + " takes "), HasSubstr(each.expected)));
    EXPECT_EQ(Get(settings, each.name), Get({}, each.name)) << "it has changed";
  }
}

TEST(ScalingSettings, SayWhichNameIsNear) {
  Settings settings;
  const absl::Status near = Set(settings, "scale-targt", "1");
  EXPECT_EQ(near.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(std::string(near.message()), "scaling has no setting 'scale-targt'; did you mean 'scale-target'?");
  const absl::Status far = Set(settings, "", "1");
  EXPECT_EQ(far.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(far.message()), HasSubstr("scale-metric, scale-target, "));
  EXPECT_EQ(Get(settings, "scale-targt"), "");
}

TEST(ScalingSettings, AreCheckedTogether) {
  const struct {
    Mode mode;
    std::map<std::string, std::string> set;
    std::string wrong;
  } cases[] = {
      {Mode::kKnative, {{"min-scale", "5"}, {"max-scale", "3"}}, "min-scale is 5, more than max-scale, 3"},
      {Mode::kKnative, {{"initial-scale", "5"}, {"max-scale", "3"}}, "initial-scale is 5"},
      {Mode::kKnative, {{"activation-scale", "5"}, {"max-scale", "3"}}, "activation-scale is 5"},
      {Mode::kManual, {{"min-scale", "5"}, {"max-scale", "3"}}, "min-scale is 5, more than max-scale, 3"},
      {Mode::kCloudstate, {{"min-scale", "5"}, {"max-scale", "3"}}, "min-scale is 5, more than max-scale, 3"},
      {Mode::kKnative,
       {{"stable-window", "1h"}, {"scale-tick", "359ms"}},
       "stable-window is 3600s, more than 10000 ticks of 359ms; make it shorter, or scale-tick longer"},
      {Mode::kCloudstate,
       {{"target-concurrency-window", "1h"}, {"scale-tick", "10ms"}},
       "target-concurrency-window is 3600s, more than 10000 ticks of 10ms"},
      {Mode::kKnative,
       {{"stable-window", "10s"}},
       "the panic window is 1s, shorter than a tick of 2s; raise stable-window or panic-window-percentage"},
      {Mode::kCloudstate, {{"request-rate-window", "1s"}}, "request-rate-window is 1s, shorter than a tick of 2s"},
      {Mode::kCloudstate,
       {{"target-concurrency-window", "4s"}},
       "request-rate-window is 6s, longer than target-concurrency-window, 4s"},
  };
  for (const auto& each : cases) {
    Settings settings;
    for (const auto& [name, value] : each.set) ASSERT_TRUE(Set(settings, name, value).ok()) << name;
    EXPECT_TRUE(Check(settings).ok()) << "in mode off nothing of it matters";
    settings.mode = each.mode;
    const absl::Status status = Check(settings);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << each.wrong;
    EXPECT_THAT(std::string(status.message()), HasSubstr(each.wrong));
  }
}

TEST(ScalingSettings, MayBeAtTheEdgeOfWhatGoesTogether) {
  Settings settings;
  settings.mode = Mode::kKnative;
  settings.knative.stable_window = absl::Seconds(20);  // of which a tenth is a tick
  settings.knative.min_scale = settings.max_scale = 3;
  EXPECT_TRUE(Check(settings).ok()) << Check(settings);
}

TEST(ScalingModes, AreReadAsTheyAreWritten) {
  for (Mode mode : {Mode::kOff, Mode::kManual, Mode::kCloudstate, Mode::kKnative}) {
    Mode read = mode == Mode::kOff ? Mode::kManual : Mode::kOff;
    ASSERT_TRUE(ParseMode(ModeName(mode), read).ok());
    EXPECT_EQ(read, mode);
  }
}

TEST(ScalingModes, AreNamedWhereThereIsNoSuch) {
  Mode mode = Mode::kManual;
  const absl::Status status = ParseMode("auto", mode);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(status.message()), "'auto' is no way to scale; there are off, manual, cloudstate and knative");
  EXPECT_EQ(mode, Mode::kManual);
}

}  // namespace
}  // namespace cloudstate::scaling
