// The model of the user function against a real run with real processes. tests/bench/scaling_bench is its long form.

#include <gtest/gtest.h>

#include <cmath>

#include "absl/strings/str_format.h"
#include "tests/bench/scale_truth.h"

namespace cloudstate {
namespace {

constexpr double kBound = 0.2;
// What else the machine does adds to what is measured, for as long as it does it; the model is told none of that. So
// one run of several has to be undisturbed.
constexpr int kTries = 3;

std::string Describe(const bench::Truth& truth) {
  return absl::StrFormat("%d calls: p50 %s modelled, %s measured; p99 %s modelled, %s measured; workers found: %d\n",
                         static_cast<int>(truth.calls), absl::FormatDuration(truth.modelled_p50),
                         absl::FormatDuration(truth.measured_p50), absl::FormatDuration(truth.modelled_p99),
                         absl::FormatDuration(truth.measured_p99), truth.workers);
}

TEST(ScaleModel, IsWithinTwentyPercentOfARealRun) {
  // Work of a limited spread, of which some hundred calls tell the p99 well enough, and long next to what the machine's
  // scheduler adds. At 60 % utilization of two replicas.
  bench::TruthOptions options{.work = "uniform(20ms, 60ms)", .per_second = 30, .time = absl::Seconds(20)};
  std::string tried;
  for (int i = 0; i < kTries; ++i) {
    options.seed = static_cast<std::uint64_t>(i + 1);
    const absl::StatusOr<bench::Truth> truth = bench::CompareWithTruth(options);
    ASSERT_TRUE(truth.ok()) << truth.status();
    tried += Describe(*truth);
    const bool near = std::abs(truth->OffAtP50()) <= kBound && std::abs(truth->OffAtP99()) <= kBound;
    if (near && truth->workers == options.workers) return;
  }
  FAIL() << tried;
}

}  // namespace
}  // namespace cloudstate
