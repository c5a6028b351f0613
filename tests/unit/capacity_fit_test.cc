#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/capacity/fit.h"
#include "emulator/capacity/player.h"
#include "tests/unit/capacity_support.h"

namespace cloudstate::capacity {
namespace {

using testing_support::Always;
using testing_support::Exponential;
using testing_support::Fixed;
using testing_support::kMillisecond;

// What would be recorded of nodes with so many workers each, whose load is `utilization`, and their calls' other costs.
Recording Record(int workers, Spread service, Nanoseconds mean_service, double utilization, int nodes = 2,
                 int calls = 6'000) {
  base::Random random(42);
  Recording recording;
  recording.has_times = true;
  const double places = workers == 0 ? 4 : workers;
  const auto gap = static_cast<Nanoseconds>(static_cast<double>(mean_service) / places / utilization);
  for (int node = 1; node <= nodes; ++node) {
    std::vector<Nanoseconds> free(static_cast<std::size_t>(workers), 0);
    Nanoseconds at = 0;
    for (int i = 0; i < calls / nodes; ++i) {
      at += Exponential(gap).Draw(random);
      RecordedCall& call = recording.calls.emplace_back();
      call = {
          .at = at, .until_sent = kMillisecond, .journal = 2 * kMillisecond, .node = static_cast<std::uint32_t>(node)};
      const Nanoseconds arrival = at + call.until_sent;
      Nanoseconds start = arrival;
      const auto next = std::min_element(free.begin(), free.end());
      if (next != free.end()) start = std::max(arrival, *next);
      const Nanoseconds end = start + service.Draw(random);
      if (next != free.end()) *next = end;
      call.user_function = end - arrival;
      call.total = call.until_sent + call.user_function + 3 * kMillisecond;
    }
  }
  std::stable_sort(recording.calls.begin(), recording.calls.end(),
                   [](const RecordedCall& one, const RecordedCall& other) { return one.at < other.at; });
  return recording;
}

struct Known {
  const char* name;
  int workers;
  Spread service;
  Nanoseconds mean;
  double utilization;
};

const Known kKnown[] = {
    {"one, exponential", 1, Exponential(20 * kMillisecond), 20 * kMillisecond, 0.6},
    {"one, busy", 1, Exponential(20 * kMillisecond), 20 * kMillisecond, 0.85},
    {"one, always the same", 1, Always(20 * kMillisecond), 20 * kMillisecond, 0.6},
    {"two, uniform", 2, {Spread::Kind::kUniform, 10 * kMillisecond, 30 * kMillisecond}, 20 * kMillisecond, 0.7},
    {"four, exponential", 4, Exponential(50 * kMillisecond), 50 * kMillisecond, 0.8},
    {"no limit", 0, Exponential(20 * kMillisecond), 20 * kMillisecond, 0.8},
};

TEST(CapacityFit, FindsTheWorkersThatThereWere) {
  for (const Known& known : kKnown) {
    const absl::StatusOr<Fit> fit = FitModel(Record(known.workers, known.service, known.mean, known.utilization));
    ASSERT_TRUE(fit.ok()) << fit.status();
    std::string tried;
    for (const Candidate& candidate : fit->candidates) {
      absl::StrAppend(&tried, candidate.workers, ": ", candidate.difference, "; ");
    }
    EXPECT_EQ(fit->chosen.workers, known.workers) << known.name << ": " << tried;
    EXPECT_LT(fit->chosen.difference, 0.35) << known.name;  // of few calls that wait long
  }
}

TEST(CapacityFit, FindsHowLongCallsWereWorkedOn) {
  for (const Known& known : kKnown) {
    const absl::StatusOr<Fit> fit =
        FitModel(Record(known.workers, known.service, known.mean, known.utilization), known.workers);
    ASSERT_TRUE(fit.ok()) << fit.status();
    double sum = 0;
    for (const CallCost& cost : fit->model.costs) sum += static_cast<double>(cost.service);
    EXPECT_NEAR(sum / static_cast<double>(fit->model.costs.size()) / static_cast<double>(known.mean), 1, 0.05)
        << known.name;
  }
}

TEST(CapacityFit, KeepsTheRestOfACall) {
  const absl::StatusOr<Fit> fit = FitModel(Record(1, Always(5 * kMillisecond), 5 * kMillisecond, 0.5));
  ASSERT_TRUE(fit.ok()) << fit.status();
  for (const CallCost& cost : fit->model.costs) {
    ASSERT_EQ(cost.before, kMillisecond);
    ASSERT_EQ(cost.after, 3 * kMillisecond);
    ASSERT_EQ(cost.journal, 2 * kMillisecond);
  }
}

// A replica that takes one call at once: what came while it had one waited for it at the activator. Played with the
// same limit it has to come out alike, and if the wait were a cost, each call would have the place for that long.
TEST(CapacityFit, PlaysWhatWasHeldForAPlaceAsItWas) {
  base::Random random(7);
  Recording recording;
  recording.has_times = true;
  std::vector<double> latencies;
  Nanoseconds at = 0, free = 0;
  for (int i = 0; i < 5'000; ++i) {
    const Nanoseconds held = std::max<Nanoseconds>(0, free - at);
    const Nanoseconds total = held + kMillisecond + 50 * kMillisecond;
    free = at + total;
    latencies.push_back(static_cast<double>(total));
    recording.calls.push_back({.at = at,
                               .total = total,
                               .until_sent = held + kMillisecond,
                               .held = held,
                               .user_function = 50 * kMillisecond,
                               .node = 1});
    at += Exponential(80 * kMillisecond).Draw(random);
  }
  const absl::StatusOr<Fit> fit = FitModel(recording);
  ASSERT_TRUE(fit.ok()) << fit.status();
  PlayOptions options = Fixed(1, 0, {});
  options.model = fit->model;
  options.settings.container_concurrency = 1;
  const Played played = Play(recording.ToLoad(), options);
  std::sort(latencies.begin(), latencies.end());
  for (const double share : {0.5, 0.99}) {
    const double measured = latencies[static_cast<std::size_t>(share * 5'000)];
    EXPECT_NEAR(static_cast<double>(absl::ToInt64Nanoseconds(played.latencies.Quantile(share))) / measured, 1, 0.05)
        << share;
  }
}

TEST(CapacityFit, TakesTheWorkersThatItIsTold) {
  const Recording recording = Record(2, Exponential(20 * kMillisecond), 20 * kMillisecond, 0.7);
  const absl::StatusOr<Fit> fit = FitModel(recording, 5);
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_EQ(fit->model.workers, 5);
  EXPECT_EQ(fit->candidates.size(), 1u);
}

TEST(CapacityFit, CannotLearnFromArrivalsAlone) {
  Recording recording = Record(1, Always(kMillisecond), kMillisecond, 0.5);
  for (RecordedCall& call : recording.calls) call.user_function = 0;
  EXPECT_EQ(FitModel(recording).status().code(), absl::StatusCode::kFailedPrecondition);
  recording.has_times = false;
  EXPECT_EQ(FitModel(recording).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace cloudstate::capacity
