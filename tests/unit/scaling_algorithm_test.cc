#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <optional>
#include <string>

#include "emulator/scaling/autoscaler.h"
#include "scaling_cases.h"

namespace cloudstate::scaling {
namespace {

constexpr char kCloudstateCases[] = TEST_DATA "/scaling/cloudstate.txt";
constexpr char kKnativeCases[] = TEST_DATA "/scaling/knative.txt";

std::optional<double> FigureOf(const Decision& decision, const std::string& name) {
  for (const Figure& figure : decision.figures) {
    if (figure.name == name) return figure.value;
  }
  return std::nullopt;
}

void ExpectFigures(const Decision& decision, const ScalingStep& step) {
  for (const Figure& expected : step.figures) {
    const std::optional<double> value = FigureOf(decision, expected.name);
    ASSERT_TRUE(value.has_value()) << "no figure is called " << expected.name;
    EXPECT_NEAR(*value, expected.value, std::max(1.0, std::abs(expected.value)) * 1e-9) << expected.name;
  }
}

void ExpectDecisions(const ScalingCase& each, const char* file) {
  Autoscaler autoscaler(each.steps.front().settings.mode);
  int wanted = 0;
  for (const ScalingStep& step : each.steps) {
    Measurement measurement = step.measurement;
    if (!step.wanted_told) measurement.wanted = wanted;
    const Decision decision = autoscaler.Decide(step.settings, measurement);
    SCOPED_TRACE(std::string(file) + ":" + std::to_string(step.line) + " at " +
                 absl::FormatDuration(measurement.now - absl::UnixEpoch()) + ": " + decision.reason);
    ASSERT_EQ(decision.wanted, step.wanted);
    ASSERT_EQ(decision.phase, step.phase);
    ASSERT_NO_FATAL_FAILURE(ExpectFigures(decision, step));
    if (!step.path.empty()) {
      ASSERT_EQ(decision.activator_in_path ? "activator" : "direct", step.path);
    }
    EXPECT_FALSE(decision.reason.empty());
    wanted = decision.wanted;
  }
}

// "exactly at its target" becomes "ExactlyAtItsTarget".
std::string TestName(const ::testing::TestParamInfo<ScalingCase>& info) {
  std::string name;
  bool capital = true;
  for (char c : info.param.name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
      capital = true;
      continue;
    }
    name += capital ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    capital = false;
  }
  return name;
}

class CloudstateCases : public ::testing::TestWithParam<ScalingCase> {};
TEST_P(CloudstateCases, DecidesAsWorkedByHand) { ExpectDecisions(GetParam(), kCloudstateCases); }
INSTANTIATE_TEST_SUITE_P(Cases, CloudstateCases,
                         ::testing::ValuesIn(ReadScalingCases(kCloudstateCases, Mode::kCloudstate)), TestName);

class KnativeCases : public ::testing::TestWithParam<ScalingCase> {};
TEST_P(KnativeCases, DecidesAsWorkedByHand) { ExpectDecisions(GetParam(), kKnativeCases); }
INSTANTIATE_TEST_SUITE_P(Cases, KnativeCases, ::testing::ValuesIn(ReadScalingCases(kKnativeCases, Mode::kKnative)),
                         TestName);

TEST(ScalingCases, AreFortyOfEachAlgorithmAtLeast) {
  EXPECT_GE(ReadScalingCases(kCloudstateCases, Mode::kCloudstate).size(), 40U);
  EXPECT_GE(ReadScalingCases(kKnativeCases, Mode::kKnative).size(), 40U);
}

TEST(Autoscaler, WantsWhatIsWantedWhereNoAlgorithmDecides) {
  for (Mode mode : {Mode::kOff, Mode::kManual}) {
    Autoscaler autoscaler(mode);
    EXPECT_EQ(autoscaler.Decide({}, {.now = absl::UnixEpoch(), .ready = 1, .wanted = 3, .reports = {}}).wanted, 3);
  }
}

}  // namespace
}  // namespace cloudstate::scaling
