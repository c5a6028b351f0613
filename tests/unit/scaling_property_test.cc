#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "emulator/base/chance.h"
#include "emulator/scaling/autoscaler.h"

namespace cloudstate::scaling {
namespace {

constexpr std::uint64_t kSeeds = 100;

// A number of any size, from 0 to far too large.
double AnyLoad(base::Random& random) {
  const double sizes[] = {0, 0.001, 1, 20, 500, 1e6, 1e18};
  return sizes[base::Below(random, 7)] * base::Uniform(random);
}

Settings AnySettings(base::Random& random, Mode mode) {
  Settings settings;
  settings.mode = mode;
  settings.max_scale = static_cast<int>(1 + base::Below(random, 20));
  settings.container_concurrency = static_cast<int>(base::Below(random, 4));
  settings.cloudstate.user_function_target_concurrency = 0.1 + 10 * base::Uniform(random);
  settings.cloudstate.request_target_concurrency = 0.1 + 100 * base::Uniform(random);
  settings.cloudstate.max_scale_absolute = static_cast<int>(base::Below(random, 5));
  settings.cloudstate.max_scale_factor = base::Happens(random, 0.5) ? 0 : 2 * base::Uniform(random);
  settings.cloudstate.scale_up_stable_deadline = absl::Seconds(base::Below(random, 60));
  settings.cloudstate.scale_down_stable_deadline = absl::Seconds(base::Below(random, 60));
  settings.knative.metric =
      base::Happens(random, 0.3) ? KnativeSettings::Metric::kRps : KnativeSettings::Metric::kConcurrency;
  settings.knative.target = base::Happens(random, 0.3) ? 0 : 0.01 + 100 * base::Uniform(random);
  settings.knative.stable_window = absl::Seconds(20 + base::Below(random, 60));
  settings.knative.max_scale_up_rate = 1.1 + 10 * base::Uniform(random);
  settings.knative.max_scale_down_rate = 1.1 + 10 * base::Uniform(random);
  settings.knative.scale_down_delay = absl::Seconds(base::Below(random, 20));
  settings.knative.min_scale = static_cast<int>(base::Below(random, 3)) * settings.max_scale / 3;
  settings.knative.activation_scale =
      static_cast<int>(1 + base::Below(random, static_cast<std::uint64_t>(settings.max_scale)));
  settings.knative.scale_to_zero_grace_period = absl::Seconds(base::Below(random, 40));
  settings.knative.target_burst_capacity = base::Happens(random, 0.3) ? -1 : 300 * base::Uniform(random);
  return settings;
}

// What a cluster has to do in a tick.
struct Work {
  double requests = 0;  // concurrency, of all replicas together
  double user_function = 0;
  double journal = 0;
};

Work WorkOf(double load) { return {.requests = load, .user_function = load / 2, .journal = load / 8}; }

// The part of each of `parts`. Calls that ended are whole ones, and as many in all however many replicas there are.
NodeReport PartOf(const Work& work, std::uint32_t node, std::int64_t parts, absl::Time end, absl::Duration length) {
  const auto calls = static_cast<std::int64_t>(std::min(work.requests, 1e9));
  const double share = 1.0 / static_cast<double>(parts);
  return {.node = node,
          .end = end,
          .length = length,
          .requests = {.concurrency = work.requests * share,
                       .time = {},
                       .count = calls / parts + (node > 0 && node <= calls % parts ? 1 : 0)},
          .user_function = {.concurrency = work.user_function * share, .time = {}},
          .journal = {.concurrency = work.journal * share, .time = {}}};
}

// A tick of a cluster that has as many replicas as are wanted.
Measurement MeasuredAt(absl::Time now, absl::Duration tick, int wanted, const Work& work) {
  Measurement measurement{.now = now, .ready = wanted, .wanted = wanted, .reports = {}};
  if (wanted == 0) measurement.reports.push_back(PartOf(work, 0, 1, now, tick));
  for (int node = 1; node <= wanted; ++node) {
    measurement.reports.push_back(PartOf(work, static_cast<std::uint32_t>(node), wanted, now, tick));
  }
  return measurement;
}

int LeastOf(const Settings& settings) { return settings.mode == Mode::kKnative ? settings.knative.min_scale : 1; }

std::string Line(const Decision& decision) {
  std::string line = decision.phase + " " + std::to_string(decision.wanted) + " " + decision.reason;
  for (const Figure& figure : decision.figures) line += " " + figure.name + "=" + std::to_string(figure.value);
  return line;
}

// Of loads that change all the time, over clusters that follow as they like.
std::vector<Decision> Wild(std::uint64_t seed, Mode mode, Settings& settings) {
  base::Random random(seed);
  settings = AnySettings(random, mode);
  Autoscaler autoscaler(mode);
  int wanted = settings.max_scale;
  std::vector<Decision> decisions;
  absl::Time now = absl::UnixEpoch();
  for (int tick = 0; tick < 200; ++tick) {
    const absl::Duration length = absl::Milliseconds(base::Below(random, 4'000));
    now += length;
    Measurement measurement = MeasuredAt(now, length, wanted, WorkOf(AnyLoad(random)));
    measurement.ready = static_cast<int>(base::Below(random, static_cast<std::uint64_t>(wanted) + 2));
    measurement.upgrading = base::Happens(random, 0.1);
    decisions.push_back(autoscaler.Decide(settings, measurement));
    wanted = decisions.back().wanted;
  }
  return decisions;
}

class ScalingProperties : public ::testing::TestWithParam<Mode> {};

TEST_P(ScalingProperties, WantsNoFewerThanTheLeastAndNoMoreThanTheMost) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Settings settings;
    for (const Decision& decision : Wild(seed, GetParam(), settings)) {
      ASSERT_GE(decision.wanted, LeastOf(settings)) << "seed " << seed << ": " << Line(decision);
      ASSERT_LE(decision.wanted, settings.MaxScale()) << "seed " << seed << ": " << Line(decision);
    }
  }
}

TEST_P(ScalingProperties, HasFiguresThatAreNumbers) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Settings settings;
    for (const Decision& decision : Wild(seed, GetParam(), settings)) {
      for (const Figure& figure : decision.figures) {
        ASSERT_TRUE(std::isfinite(figure.value)) << "seed " << seed << ": " << Line(decision);
        if (figure.name == "excess burst capacity") continue;
        ASSERT_GE(figure.value, 0) << "seed " << seed << ": " << figure.name;
      }
    }
  }
}

TEST_P(ScalingProperties, DecidesTheSameByTheSame) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Settings settings;
    const std::vector<Decision> once = Wild(seed, GetParam(), settings);
    const std::vector<Decision> again = Wild(seed, GetParam(), settings);
    ASSERT_EQ(once.size(), again.size());
    for (std::size_t i = 0; i < once.size(); ++i) ASSERT_EQ(Line(once[i]), Line(again[i])) << "seed " << seed;
  }
}

// The published algorithm does what the user function wants where that has too much, though requests want more: so more
// of either is looked at by itself.
TEST_P(ScalingProperties, WantsNoFewerForMore) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    base::Random random(seed);
    const Settings settings = AnySettings(random, GetParam());
    const int wanted = static_cast<int>(1 + base::Below(random, static_cast<std::uint64_t>(settings.max_scale)));
    const bool of_requests = settings.mode == Mode::kKnative || base::Happens(random, 0.5);
    int before = 0;
    for (double load = 0; load < 3'000; load = load * 1.3 + 0.05) {
      const Work work = of_requests ? Work{.requests = load} : Work{.user_function = load};
      Autoscaler autoscaler(GetParam());
      const Decision decision = autoscaler.Decide(settings, MeasuredAt(absl::UnixEpoch(), settings.tick, wanted, work));
      ASSERT_GE(decision.wanted, before) << "seed " << seed << ", load " << load << ": " << Line(decision);
      before = decision.wanted;
    }
  }
}

// All replicas together always have the same to do.
TEST_P(ScalingProperties, ComesToRestUnderAConstantLoad) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    base::Random random(seed);
    const Settings settings = AnySettings(random, GetParam());
    const Work work = WorkOf(300 * base::Uniform(random));
    Autoscaler autoscaler(GetParam());
    int wanted = 1;
    int changes = 0;
    absl::Time now = absl::UnixEpoch();
    // The longest that anything takes: 20 steps of a minute, which is the longest deadline here.
    for (int tick = 0; tick < 1'200; ++tick) {
      now += settings.tick;
      const Decision decision = autoscaler.Decide(settings, MeasuredAt(now, settings.tick, wanted, work));
      if (tick >= 900 && decision.wanted != wanted) ++changes;
      wanted = decision.wanted;
    }
    EXPECT_EQ(changes, 0) << "seed " << seed << ", requests " << work.requests << ", wanted " << wanted;
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, ScalingProperties, ::testing::Values(Mode::kCloudstate, Mode::kKnative),
                         [](const auto& mode) { return std::string(ModeName(mode.param)); });

}  // namespace
}  // namespace cloudstate::scaling
