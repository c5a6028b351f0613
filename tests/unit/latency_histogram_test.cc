#include "emulator/trace/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "emulator/base/random.h"

namespace cloudstate::trace {
namespace {

TEST(LatencyHistogram, HasNothingToTellWithoutTimes) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_EQ(histogram.Quantile(0.5), absl::ZeroDuration());
  EXPECT_EQ(histogram.longest(), absl::ZeroDuration());
}

TEST(LatencyHistogram, IsWithinTenPercentOfEveryTimeFromNanosecondsToDays) {
  for (double nanoseconds = 1; nanoseconds < 1e15; nanoseconds *= 1.013) {
    LatencyHistogram histogram;
    const absl::Duration time = absl::Nanoseconds(std::floor(nanoseconds));
    histogram.Add(time);
    histogram.Add(absl::Hours(24'000));  // so that the longest one is another
    const double ratio = absl::FDivDuration(histogram.Quantile(0.5), time);
    ASSERT_NEAR(ratio, 1, 0.1) << time;
  }
}

TEST(LatencyHistogram, IsWithinTenPercentOfTheQuantilesOfManyTimes) {
  base::Random random(7);
  LatencyHistogram histogram;
  std::vector<absl::Duration> all;
  for (int i = 0; i < 10'000; ++i) {
    const double share = static_cast<double>(random() % 1'000'000) / 1e6;
    all.push_back(absl::Microseconds(50) * std::exp(share * 8));
    histogram.Add(all.back());
  }
  std::ranges::sort(all);
  for (const double quantile : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const absl::Duration truth = all[static_cast<std::size_t>(std::ceil(quantile * 10'000)) - 1];
    EXPECT_NEAR(absl::FDivDuration(histogram.Quantile(quantile), truth), 1, 0.1) << quantile;
  }
  EXPECT_EQ(histogram.longest(), all.back());
  EXPECT_EQ(histogram.count(), 10'000);
}

TEST(LatencyHistogram, NeverTellsMoreThanTheLongest) {
  LatencyHistogram histogram;
  histogram.Add(absl::Nanoseconds(1'024));  // the lowest of its bucket
  EXPECT_EQ(histogram.Quantile(1), absl::Nanoseconds(1'024));
}

TEST(LatencyHistogram, TakesTimesThatCannotBe) {
  LatencyHistogram histogram;
  histogram.Add(-absl::Seconds(1));
  histogram.Add(absl::InfiniteDuration());
  EXPECT_EQ(histogram.Quantile(0.5), absl::ZeroDuration());
  EXPECT_EQ(histogram.count(), 2);
  histogram.Clear();
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_EQ(histogram.Quantile(1), absl::ZeroDuration());
}

}  // namespace
}  // namespace cloudstate::trace
