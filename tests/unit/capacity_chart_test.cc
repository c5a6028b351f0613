#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>
#include <string>
#include <vector>

#include "emulator/capacity/chart.h"
#include "emulator/capacity/svg.h"
#include "tests/unit/capacity_support.h"

namespace cloudstate::capacity {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing_support::Exponential;
using testing_support::kMillisecond;
using testing_support::Knative;
using testing_support::LoadOf;

// What keeps a document from being well-formed XML, as far as charts use that; empty if nothing.
std::string Malformed(const std::string& document) {
  static const std::regex tag(R"(^<(/?)([A-Za-z]+)((?: [a-zA-Z0-9:]+="[^"<&]*(?:&[a-z#0-9]+;[^"<&]*)*")*)(/?)>)");
  static const std::regex text(R"(^(?:[^<&]|&(?:amp|lt|gt|quot|#39);)+)");
  std::vector<std::string> open;
  for (std::string rest = document; !rest.empty();) {
    std::smatch match;
    // A style sheet is long for an expression, and has neither.
    const std::size_t end = rest.find_first_of("<&");
    if (end != 0 && rest.front() != '<') {
      rest.erase(0, end);
    } else if (rest.front() == '&') {
      if (!std::regex_search(rest, match, text)) return "a bare & at " + rest.substr(0, 40);
      rest.erase(0, rest.find(';') + 1);
    } else {
      const std::string piece = rest.substr(0, rest.find('>') + 1);
      if (!std::regex_match(piece, match, tag)) return "no tag: " + piece.substr(0, 80);
      if (match[1] == "/" && (open.empty() || open.back() != match[2])) return "closes another: " + piece;
      if (match[1] == "/") open.pop_back();
      if (match[1] != "/" && match[4] != "/") open.push_back(match[2]);
      rest.erase(0, piece.size());
    }
  }
  return open.empty() ? "" : "left open: " + open.back();
}

// The longest number in a document would be an infinity.
bool HasOnlyNumbers(const std::string& document) {
  return document.find("nan") == std::string::npos && document.find("inf") == std::string::npos;
}

TEST(CapacityChart, IsAWellFormedDocumentWithItsTitle) {
  const PlayOptions options = Knative(3, 1, Exponential(20 * kMillisecond));
  const Played played = Play(LoadOf("constant 5/s for 2m, constant 200/s for 1m, idle for 4m"), options);
  const std::string chart = PlayedChart(played, options.settings, "a < b & \"c\"");
  EXPECT_EQ(Malformed(chart), "");
  EXPECT_TRUE(HasOnlyNumbers(chart.substr(chart.find("</style>"))));
  EXPECT_THAT(chart, HasSubstr("<title>a &lt; b &amp; &quot;c&quot;</title>"));
  EXPECT_THAT(chart, Not(HasSubstr("a < b")));
  EXPECT_THAT(chart, HasSubstr("class=\"panic\""));
  for (const char* shown : {"Calls per second", "Replicas", "Of each replica: calls", "target 2.1", "p99"}) {
    EXPECT_THAT(chart, HasSubstr(shown));
  }
}

TEST(CapacityChart, CanBeDrawnOfALoadOfNothing) {
  const PlayOptions options = Knative(3, 1, Exponential(20 * kMillisecond));
  const std::string chart = PlayedChart(Play(LoadOf("idle for 1m"), options), options.settings, "nothing");
  EXPECT_EQ(Malformed(chart), "");
  EXPECT_TRUE(HasOnlyNumbers(chart.substr(chart.find("</style>"))));
}

TEST(CapacityChart, ShowsEveryTrialAndWhichIsRecommended) {
  PlayOptions options = Knative(3, 1, Exponential(20 * kMillisecond));
  std::vector<Trial> trials = *Combine({{"scale-target", {"1", "5", "20"}}}, options);
  for (Trial& trial : trials) PlayTrial(LoadOf("constant 60/s for 3m"), trial);
  const Recommendation recommendation = Recommend(trials, std::nullopt);
  const std::string chart = TuningChart({{"scale-target", {}}}, trials, recommendation, "tuned");
  EXPECT_EQ(Malformed(chart), "");
  std::size_t dots = 0;
  for (std::size_t at = chart.find("<circle"); at != std::string::npos; at = chart.find("<circle", at + 1)) ++dots;
  EXPECT_EQ(dots, 4u);  // one of them twice
  EXPECT_THAT(chart, HasSubstr("Recommended (ring)"));
}

TEST(CapacityChart, AnAxisHasRoundTicksThatReachTheMost) {
  for (double most : {0.0, 0.3, 1.0, 7.0, 99.0, 101.0, 12'345.0}) {
    const Axis axis = Axis::Numbers(most, 100, 0);
    ASSERT_GE(axis.ticks().size(), 2u) << most;
    ASSERT_LE(axis.ticks().size(), 6u) << most;
    EXPECT_GE(axis.ticks().back().value, most * (1 - 1e-6));
    EXPECT_DOUBLE_EQ(axis.At(0), 100);
    EXPECT_NEAR(axis.At(axis.ticks().back().value), 0, 1e-6);
  }
}

TEST(CapacityChart, ALatencyAxisIsAsLongAsWhatItShows) {
  const Axis narrow = Axis::Latencies(11e9, 17e9, 100, 0);
  EXPECT_EQ(narrow.ticks().front().label, "10s");
  EXPECT_EQ(narrow.ticks().back().label, "20s");
  const Axis wide = Axis::Latencies(3e6, 150e9, 100, 0);
  EXPECT_EQ(wide.ticks().front().label, "10ms");
  EXPECT_EQ(wide.ticks().back().label, "100s");
  EXPECT_DOUBLE_EQ(wide.At(2e6), 100);
  EXPECT_DOUBLE_EQ(wide.At(200e9), 0);
}

TEST(CapacityChart, LabelsTimesAndNumbersForPeople) {
  EXPECT_EQ(TimeLabel(0), "0");
  EXPECT_EQ(TimeLabel(1'500), "1.5µs");
  EXPECT_EQ(TimeLabel(20 * kMillisecond), "20ms");
  EXPECT_EQ(TimeLabel(999'600), "1ms");
  EXPECT_EQ(TimeLabel(999'600'000), "1s");
  EXPECT_EQ(TimeLabel(2'500 * kMillisecond), "2.5s");
  EXPECT_EQ(TimeLabel(90 * kSecond), "1m30s");
  EXPECT_EQ(TimeLabel(3'600 * kSecond), "1h");
  EXPECT_EQ(NumberLabel(1'234), "1234");
  EXPECT_EQ(NumberLabel(12'345), "12.3k");
  EXPECT_EQ(NumberLabel(2'500'000), "2.5M");
  EXPECT_EQ(NumberLabel(9'999.6), "10k");
  EXPECT_EQ(NumberLabel(999'600), "1M");
  EXPECT_EQ(NumberLabel(1'234'000'000), "1234M");
}

}  // namespace
}  // namespace cloudstate::capacity
