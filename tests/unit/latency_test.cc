#include "emulator/cluster/latency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace cloudstate::cluster {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr Latency::Kind kKinds[] = {Latency::Kind::kConstant, Latency::Kind::kUniform, Latency::Kind::kNormal,
                                    Latency::Kind::kExponential};

TEST(Latency, IsReadFromItsText) {
  const struct {
    std::string text;
    Latency latency;
  } cases[] = {
      {"5ms", {Latency::Kind::kConstant, absl::Milliseconds(5), {}}},
      {" 1m30s ", {Latency::Kind::kConstant, absl::Seconds(90), {}}},
      {"0", {Latency::Kind::kConstant, absl::ZeroDuration(), {}}},
      {"uniform(1ms, 20ms)", {Latency::Kind::kUniform, absl::Milliseconds(1), absl::Milliseconds(20)}},
      {"uniform( 1ms,1ms )", {Latency::Kind::kUniform, absl::Milliseconds(1), absl::Milliseconds(1)}},
      {"normal(10ms, 3ms)", {Latency::Kind::kNormal, absl::Milliseconds(10), absl::Milliseconds(3)}},
      {"normal(1ms, 3ms)", {Latency::Kind::kNormal, absl::Milliseconds(1), absl::Milliseconds(3)}},
      {"exponential(1ms, 1.5s)", {Latency::Kind::kExponential, absl::Milliseconds(1), absl::Milliseconds(1500)}},
      {"exponential(20ms)", {Latency::Kind::kExponential, absl::ZeroDuration(), absl::Milliseconds(20)}},
  };
  for (const auto& each : cases) {
    const absl::StatusOr<Latency> read = Latency::Parse(each.text);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, each.latency) << each.text;
  }
}

TEST(Latency, IsReadFromWhatItWrites) {
  for (Latency::Kind kind : kKinds) {
    const Latency latency{kind, absl::Microseconds(1500),
                          kind == Latency::Kind::kConstant ? absl::ZeroDuration() : absl::Seconds(61)};
    const absl::StatusOr<Latency> read = Latency::Parse(latency.ToString());
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, latency) << latency.ToString();
  }
  EXPECT_EQ(Latency().ToString(), "0");
  EXPECT_EQ(Latency::Parse("uniform(1ms,20ms)")->ToString(), "uniform(1ms, 20ms)");
}

TEST(Latency, SaysWhatIsWrongWithATextAndShowsARightOne) {
  const struct {
    std::string text;
    std::string what;
    std::string example;
  } cases[] = {
      {"", "a duration is missing", "\"5ms\""},
      {"fast", "\"fast\" is not a duration", "\"5ms\""},
      {"5", "\"5\" has no unit", "\"5ms\""},
      {"5 ms", "\"5 ms\" is not a duration", "\"5ms\""},
      {"5msec", "\"msec\" is no unit of time, those are ns, us, ms, s, m and h", "\"5ms\""},
      {"-5ms", "\"-5ms\" is negative", "\"5ms\""},
      {"inf", "\"inf\" is infinite, cut the link instead", "\"5ms\""},
      {"gauss(1ms, 2ms)", "\"gauss\" is no kind of latency", "\"normal(10ms, 3ms)\""},
      {"uniform(1ms, 2ms", "a closing parenthesis is missing", "\"uniform(1ms, 20ms)\""},
      {"uniform(1ms)", "uniform takes two durations", "\"uniform(1ms, 20ms)\""},
      {"normal(1ms, 2ms, 3ms)", "normal takes two durations",
       "the mean and the deviation, such as \"normal(10ms, 3ms)\""},
      {"uniform(20ms, 1ms)", "the most is less than the least", "\"uniform(1ms, 20ms)\""},
      {"exponential(1ms, )", "a duration is missing", "\"exponential(1ms, 10ms)\""},
      {"exponential(1ms, 3days)", "\"days\" is no unit of time", "\"exponential(1ms, 10ms)\""},
  };
  for (const auto& each : cases) {
    const absl::Status status = Latency::Parse(each.text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << each.text;
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("latency \"" + each.text + "\": " + each.what),
                                                     HasSubstr("expected "), HasSubstr(each.example)));
  }
}

TEST(Latency, DrawsNothingForAConstant) {
  base::Random random(1);
  const base::Random before = random;
  EXPECT_EQ((Latency{Latency::Kind::kConstant, absl::Milliseconds(5), {}}.Draw(random)), absl::Milliseconds(5));
  EXPECT_EQ(random, before);
}

TEST(Latency, DrawsTheSameForASeedEverywhere) {
  base::Random random(42);
  std::vector<std::string> drawn;
  for (const char* text : {"uniform(1ms, 20ms)", "normal(10ms, 3ms)", "exponential(1ms, 10ms)"}) {
    drawn.push_back(absl::FormatDuration(Latency::Parse(text)->Draw(random)));
  }
  EXPECT_THAT(drawn, ::testing::ElementsAre("15.347955ms", "10.057723ms", "2.464981ms"));
}

struct Sample {
  double mean = 0;
  double deviation = 0;
  double least = 0;
  double most = 0;
};

// In milliseconds.
Sample DrawMany(const char* text) {
  constexpr int kDraws = 20'000;
  base::Random random(7);
  const Latency latency = *Latency::Parse(text);
  std::vector<double> drawn;
  for (int i = 0; i < kDraws; ++i) drawn.push_back(absl::ToDoubleMilliseconds(latency.Draw(random)));
  Sample sample{.least = drawn[0], .most = drawn[0]};
  for (double each : drawn) {
    sample.mean += each / kDraws;
    sample.least = std::min(sample.least, each);
    sample.most = std::max(sample.most, each);
  }
  for (double each : drawn) sample.deviation += (each - sample.mean) * (each - sample.mean) / kDraws;
  sample.deviation = std::sqrt(sample.deviation);
  return sample;
}

TEST(Latency, IsDistributedAsItSays) {
  const Sample uniform = DrawMany("uniform(10ms, 20ms)");
  EXPECT_NEAR(uniform.mean, 15, 0.1);
  EXPECT_GE(uniform.least, 10);
  EXPECT_LT(uniform.least, 10.1);
  EXPECT_LT(uniform.most, 20);
  EXPECT_GT(uniform.most, 19.9);

  const Sample normal = DrawMany("normal(100ms, 10ms)");
  EXPECT_NEAR(normal.mean, 100, 0.3);
  EXPECT_NEAR(normal.deviation, 10, 0.2);

  const Sample exponential = DrawMany("exponential(5ms, 10ms)");
  EXPECT_NEAR(exponential.mean, 15, 0.3);
  EXPECT_NEAR(exponential.deviation, 10, 0.3);
  EXPECT_GE(exponential.least, 5);
}

TEST(Latency, IsNeverNegative) { EXPECT_EQ(DrawMany("normal(1ms, 100ms)").least, 0); }

}  // namespace
}  // namespace cloudstate::cluster
