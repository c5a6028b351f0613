#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "emulator/capacity/arrivals.h"
#include "emulator/capacity/load.h"
#include "tests/unit/capacity_support.h"

namespace cloudstate::capacity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing_support::LoadOf;

std::vector<Nanoseconds> AllOf(const Load& load, Spacing spacing, std::uint64_t seed = 1) {
  Arrivals arrivals(load, spacing, seed);
  std::vector<Nanoseconds> all;
  for (Nanoseconds at = 0; arrivals.Next(at);) all.push_back(at);
  return all;
}

std::int64_t CountBetween(const std::vector<Nanoseconds>& all, double from, double to) {
  return std::count_if(all.begin(), all.end(),
                       [&](Nanoseconds at) { return InSeconds(at) >= from && InSeconds(at) < to; });
}

// The calls of a piece of a load: what the shape's rate is in sum.
struct Piece {
  double from, to;  // seconds
  double calls;
};
struct ShapeCase {
  const char* text;
  double seconds;
  double calls;
  std::vector<Piece> pieces;
};

const ShapeCase kShapes[] = {
    {"constant 50/s for 10m", 600, 30'000, {{0, 60, 3'000}, {540, 600, 3'000}}},
    {"constant 60/m for 1h", 3'600, 3'600, {{0, 60, 60}}},
    {"constant 7200/h for 10s", 10, 20, {}},
    // 10 + 190 · t / 300 a second, of which the first 100 s have 10 · 100 + 190 / 600 · 100² = 4166.7.
    {"ramp 10/s to 200/s over 5m", 300, 31'500, {{0, 100, 4'166.7}, {200, 300, 16'833.3}}},
    {"ramp 30/s to 0/s over 1m", 60, 900, {{0, 30, 675}, {30, 60, 225}}},
    {"step 10/s to 100/s by 30/s every 1m", 240, 13'200, {{0, 60, 600}, {60, 120, 2'400}, {180, 240, 6'000}}},
    {"step 100/s to 40/s by 30/s every 1m", 180, 12'600, {{120, 180, 2'400}}},
    // As much above the middle as below it. The first quarter of a period: 600 / 4 · 55 - 45 · 600 / 2π = 3952.8.
    {"sine 10/s to 100/s every 10m for 1h", 3'600, 198'000, {{0, 600, 33'000}, {0, 150, 3'952.8}, {150, 450, 25'094}}},
    {"burst 200/s for 10s every 5m over 10m", 600, 4'000, {{0, 290, 0}, {290, 300, 2'000}, {300, 590, 0}}},
    {"burst 20/s to 200/s for 10s every 1m over 90s", 90, 3'600, {{0, 50, 1'000}, {50, 60, 2'000}, {60, 90, 600}}},
    {"constant 10/s for 1m, idle for 1m , ramp 0/s to 20/s for 1m", 180, 1'200, {{60, 120, 0}, {120, 180, 600}}},
};

TEST(CapacityLoad, LastsAndBringsCallsAsItsShapeSays) {
  for (const ShapeCase& shape : kShapes) {
    const absl::StatusOr<Load> load = ParseLoad(shape.text);
    ASSERT_TRUE(load.ok()) << load.status();
    EXPECT_DOUBLE_EQ(InSeconds(load->Length()), shape.seconds) << shape.text;
    EXPECT_NEAR(load->Calls(), shape.calls, 1e-6 * shape.calls) << shape.text;
  }
}

TEST(CapacityLoad, BringsEvenCallsWhereTheRateIs) {
  for (const ShapeCase& shape : kShapes) {
    const std::vector<Nanoseconds> all = AllOf(LoadOf(shape.text), Spacing::kEven);
    EXPECT_NEAR(static_cast<double>(all.size()), shape.calls, 1) << shape.text;
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end())) << shape.text;
    for (const Piece& piece : shape.pieces) {
      EXPECT_NEAR(static_cast<double>(CountBetween(all, piece.from, piece.to)), piece.calls, 2 + piece.calls / 1'000)
          << shape.text << " from " << piece.from << " s";
    }
  }
}

TEST(CapacityLoad, BringsCallsByChanceAsOftenAsTheRateSays) {
  for (const ShapeCase& shape : kShapes) {
    const std::vector<Nanoseconds> all = AllOf(LoadOf(shape.text), Spacing::kPoisson, 7);
    EXPECT_NEAR(static_cast<double>(all.size()), shape.calls, 5 * std::sqrt(shape.calls)) << shape.text;
    for (const Piece& piece : shape.pieces) {
      EXPECT_NEAR(static_cast<double>(CountBetween(all, piece.from, piece.to)), piece.calls, 5 * std::sqrt(piece.calls))
          << shape.text << " from " << piece.from << " s";
    }
  }
}

TEST(CapacityLoad, SpacesCallsByChanceExponentially) {
  const std::vector<Nanoseconds> all = AllOf(LoadOf("constant 100/s for 1000s"), Spacing::kPoisson);
  double squares = 0;
  for (std::size_t i = 1; i < all.size(); ++i) squares += std::pow(InSeconds(all[i] - all[i - 1]) * 100, 2);
  // The second moment of an exponential gap of mean 1 is 2; of even gaps it would be 1.
  EXPECT_NEAR(squares / static_cast<double>(all.size()), 2, 0.1);
}

TEST(CapacityLoad, BringsTheSameCallsForASeedAndOthersForAnother) {
  const Load load = LoadOf("constant 10/s for 1m");
  EXPECT_EQ(AllOf(load, Spacing::kPoisson, 3), AllOf(load, Spacing::kPoisson, 3));
  EXPECT_NE(AllOf(load, Spacing::kPoisson, 3), AllOf(load, Spacing::kPoisson, 4));
}

TEST(CapacityLoad, IsMultiplied) {
  Load load = LoadOf("constant 10/s for 1m");
  load.times = 2.5;
  EXPECT_EQ(AllOf(load, Spacing::kEven).size(), 1'500u);
  Load recorded;
  recorded.recorded = {0, 10, 20, 30};
  EXPECT_THAT(AllOf(recorded, Spacing::kPoisson), ElementsAre(0, 10, 20, 30));
  recorded.times = 0.5;
  EXPECT_THAT(AllOf(recorded, Spacing::kPoisson), ElementsAre(10, 30));
  recorded.times = 3;
  const std::vector<Nanoseconds> thrice = AllOf(recorded, Spacing::kPoisson);
  EXPECT_EQ(thrice.size(), 12u);
  EXPECT_TRUE(std::is_sorted(thrice.begin(), thrice.end()));
  EXPECT_EQ(std::count_if(thrice.begin(), thrice.end(), [](Nanoseconds at) { return at < 10; }), 3);
}

TEST(CapacityLoad, SaysWhereItsTextIsWrongAndWhatWasExpected) {
  const struct {
    const char* text;
    int character;
    const char* expected;
  } cases[] = {
      {"", 1, "expected a phase (constant 50/s for 10m"},
      {"steady 50/s", 1, "not \"steady\""},
      {"constant 50 for 10m", 10, "expected the rate, calls per second, minute or hour such as \"50/s\", not \"50\""},
      {"constant -1/s for 10m", 10, "expected the rate"},
      {"constant 50/d for 10m", 10, "expected the rate"},
      {"constant nan/s for 10m", 10, "expected the rate"},
      {"constant 1e9/s for 10m", 10, "no more than 1,000,000 calls a second"},
      {"constant 50/s 10m", 15, "expected \"for\", not \"10m\""},
      {"constant 50/s for 10", 19, "expected how long it lasts, a time such as"},
      {"constant 50/s for 9000h", 19, "no more than a year"},
      {"constant 50/s for", 18, "and here is the end"},
      {"constant 50/s for 10m ramp 1/s to 2/s over 1m", 23, "expected a comma and another phase"},
      {"constant 50/s for 10m,", 23, "expected a phase"},
      {"step 1/s to 9/s by 0/s every 1m", 20, "steps have to be of more than none"},
      {"step 1/s to 1000000/s by 0.1/s every 1m", 26, "more than a million steps; make them larger"},
      {"burst 9/s for 2m every 1m over 1h", 24, "bursts are longer than the time from one to the next"},
      {"sine 1/s to 2/s every 1ms for 8000h", 31, "make periods longer"},
  };
  for (const auto& each : cases) {
    const absl::Status status = ParseLoad(each.text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << each.text;
    const std::string message(status.message());
    EXPECT_THAT(message, HasSubstr(each.expected)) << each.text;
    EXPECT_THAT(message, HasSubstr("at character " + std::to_string(each.character) + ":")) << each.text;
    EXPECT_THAT(message, HasSubstr(std::string("\n  ") + each.text + "\n  " +
                                   std::string(static_cast<std::size_t>(each.character - 1), ' ') + "^"));
  }
}

}  // namespace
}  // namespace cloudstate::capacity
