// Whole runs that end in a known way.

#include "emulator/simulation/simulator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "emulator/base/log.h"
#include "emulator/simulation/scenario.h"

namespace cloudstate::simulation {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t kSeeds = 10;

// What goes wrong in a run is in its outcome.
[[maybe_unused]] const bool kQuiet = (base::SetUpLog(-1), true);

Outcome Played(const std::string& yaml, std::uint64_t seed = 1) {
  const auto scenario = ParseScenario(yaml, "test");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return Simulate(*scenario, seed);
}

std::vector<std::string> Texts(const Outcome& outcome) {
  std::vector<std::string> texts;
  for (const Violation& each : outcome.violations) texts.push_back(each.invariant + ": " + each.text);
  return texts;
}

// An effect that fails does not fail its command, but here nothing makes one fail. An event that is there twice, or
// that nobody asked for, would be a violation, so to count them is enough.
TEST(Simulator, WhereNothingFailsEverySideEffectIsStored) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Outcome outcome = Played(R"yaml(
duration: 10s
network: {latency: "uniform(1ms, 5ms)"}
load: {calls_per_second: 50, effects: 1, event_sourced_writes: 0, value_writes: 0, forwards: 0}
)yaml",
                                   seed);
    EXPECT_THAT(Texts(outcome), IsEmpty());
    EXPECT_GT(outcome.summary.ok, 300U);
    EXPECT_EQ(outcome.summary.ok, outcome.summary.calls);
    EXPECT_EQ(outcome.summary.events, 2 * outcome.summary.calls);
  }
}

TEST(Simulator, AnOpenReadCountsOnceItIsAnswered) {
  // Node 2 says nothing until the deadline of the read, which is after the end of what it is asked for.
  const Outcome outcome = Played(R"yaml(
duration: 20s
load: {calls_per_second: 0}
steps:
- at: 2s
  pause: {node: 2, for: 12s}
- at: 3s
  throughout: {time: 2s, answers: 2}
)yaml");
  ASSERT_THAT(outcome.violations, SizeIs(1));
  EXPECT_THAT(outcome.violations[0].text, HasSubstr("answers: 2 did not hold"));
}

TEST(Simulator, ThroughoutHoldsWhereEveryReadIsAnswered) {
  EXPECT_THAT(Texts(Played(R"yaml(
duration: 10s
user_function: {latency: 300ms}
steps:
- at: 1s
  throughout: {time: 5s, answers: 2}
- at: 1s
  always: {answers: 1}
)yaml")),
              IsEmpty());
}

TEST(Simulator, SeveralReadsThatEndAtOtherTimesCanAllHold) {
  EXPECT_THAT(Texts(Played(R"yaml(
duration: 10s
user_function: {latency: "uniform(1ms, 400ms)"}
load: {calls_per_second: 0}
steps:
- at: 1s
  within: {time: 4s, all_of: [{answers: 1}, {answers: 2}, {answers: 3}, {answers: 1}, {answers: 2}, {answers: 3}]}
)yaml")),
              IsEmpty());
}

TEST(Simulator, TheUserFunctionsFaultsEndWithTheScenario) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    EXPECT_THAT(Texts(Played(R"yaml(
duration: 5s
user_function: {latency: 10ms, failures: 0.3, broken_streams: 0.2, hangs: 0.1}
cluster: {relay_timeout: 10s}
)yaml",
                             seed)),
                IsEmpty());
  }
}

// ---- scaling

TEST(SimulatedScaling, GoesToNoneAndBackWithoutAFailedCall) {
  const Outcome outcome = Played(R"yaml(
duration: 40s
scaling:
  mode: knative
  settings: {stable-window: 5s, panic-window-percentage: 50, scale-to-zero-grace-period: 2s, cold-start: 1s}
load: {deadline: 20s, phases: [{for: 5s, calls_per_second: 10}, {for: 20s, calls_per_second: 0}, {for: 15s, calls_per_second: 2}]}
steps:
- at: 0s
  always: {failed_calls: 0}
- at: 0s
  within: {time: 1s, replicas: {at_least: 1}}
- at: 10s
  within: {time: 14s, replicas: {at_most: 0}}
- at: 25s
  within: {time: 6s, replicas: {at_least: 1}}
)yaml");
  EXPECT_THAT(Texts(outcome), IsEmpty());
  EXPECT_GT(outcome.summary.ok, 50U);
}

TEST(SimulatedScaling, DoesWhatIsSetByHand) {
  EXPECT_THAT(Texts(Played(R"yaml(
duration: 40s
scaling: {mode: manual, replicas: 2, settings: {cold-start: 1s}}
load: {deadline: 20s}
steps:
- at: 0s
  always: {failed_calls: 0}
- at: 5s
  scale: {replicas: 4}
- at: 5s
  within: {time: 10s, replicas: {at_least: 4, at_most: 4}}
- at: 20s
  scale: {replicas: 1}
- at: 20s
  within: {time: 15s, replicas: {at_least: 1, at_most: 1}}
)yaml")),
              IsEmpty());
}

TEST(SimulatedScaling, StartsAgainWhatFailsToStartOrCrashes) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    EXPECT_THAT(Texts(Played(R"yaml(
duration: 30s
scaling: {mode: manual, replicas: 1, failed_starts: 0.5, crashes_after: 5s, settings: {cold-start: 500ms}}
steps:
- at: 2s
  scale: {replicas: 3}
- at: 2s
  eventually: {replicas: {at_least: 3, at_most: 3}}
)yaml",
                             seed)),
                IsEmpty())
        << seed;
  }
}

TEST(SimulatedScaling, ReplacesAReplicaThatIsKilled) {
  EXPECT_THAT(Texts(Played(R"yaml(
duration: 30s
scaling: {mode: manual, replicas: 3, settings: {cold-start: 500ms}}
steps:
- at: 10s
  kill: 2
- at: 11s
  within: {time: 15s, replicas: {at_least: 3}}
)yaml")),
              IsEmpty());
}

TEST(SimulatedScaling, IsTheSameWithTheSameSeed) {
  const auto trace = [](std::uint64_t seed) {
    const auto scenario = ParseScenario(R"yaml(
duration: 15s
scaling: {mode: cloudstate, failed_starts: 0.2, crashes_after: 10s, settings: {cold-start: 500ms}}
)yaml",
                                        "test");
    std::ostringstream text;
    Simulate(*scenario, seed, &text);
    return text.str();
  };
  EXPECT_EQ(trace(7), trace(7));
  EXPECT_NE(trace(7), trace(8));
}

TEST(Simulator, ADiskThatFailsKeepsShardsFromBeingClaimed) {
  EXPECT_THAT(Texts(Played(R"yaml(
duration: 10s
journal: {write_failures: 1}
load: {calls_per_second: 0}
steps:
- at: 5s
  throughout: {time: 4s, shards: {node: 1, at_most: 0}}
- at: 10s
  eventually: {shards: {node: 1, at_least: 30}}
)yaml")),
              IsEmpty());
}

}  // namespace
}  // namespace cloudstate::simulation
