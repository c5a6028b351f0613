// The same seed gives the same run: in one process, in another, and beside other threads.

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>

#include "emulator/base/log.h"
#include "emulator/simulation/scenario.h"
#include "emulator/simulation/seeds.h"
#include "emulator/simulation/simulator.h"
#include "tests/support/emulator_process.h"

namespace cloudstate::simulation {
namespace {

constexpr std::uint64_t kSeeds = 20;

std::string File() { return std::string(TEST_SIMULATION) + "/ci.yaml"; }

// What goes wrong in a run is in its outcome.
[[maybe_unused]] const bool kQuiet = (base::SetUpLog(-1), true);

dev::v1::Scenario Load() {
  auto scenario = LoadScenario(File());
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return *std::move(scenario);
}

std::string TraceOf(const dev::v1::Scenario& scenario, std::uint64_t seed) {
  std::ostringstream trace;
  Simulate(scenario, seed, &trace);
  return trace.str();
}

TEST(Determinism, TheSameSeedGivesTheSameTraceByteForByte) {
  const dev::v1::Scenario scenario = Load();
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const std::string trace = TraceOf(scenario, seed);
    EXPECT_GT(trace.size(), 100'000U) << "seed " << seed;
    EXPECT_TRUE(trace == TraceOf(scenario, seed)) << "seed " << seed;
  }
}

TEST(Determinism, AnotherProcessWritesTheSameTrace) {
  const support::ToolResult other = support::RunTool({"simulate", "--scenario", File(), "--seed", "7", "--trace", "-"});
  EXPECT_EQ(other.exit_code, 0) << other.errors;
  EXPECT_TRUE(other.output == TraceOf(Load(), 7));
}

TEST(Determinism, OtherSeedsGiveOtherTraces) {
  const dev::v1::Scenario scenario = Load();
  EXPECT_FALSE(TraceOf(scenario, 1) == TraceOf(scenario, 2));
}

TEST(Determinism, ATraceDoesNotChangeTheRun) {
  const dev::v1::Scenario scenario = Load();
  std::ostringstream trace;
  const Summary traced = Simulate(scenario, 3, &trace).summary;
  const Summary plain = Simulate(scenario, 3).summary;
  EXPECT_EQ(traced.simulated, plain.simulated);
  EXPECT_EQ(traced.messages, plain.messages);
  EXPECT_EQ(traced.events, plain.events);
}

TEST(Determinism, WhatAChaoticRunPlayedIsPlayedAgainWithoutChaos) {
  const Outcome chaotic = Simulate(Load(), 5);
  EXPECT_FALSE(chaotic.played.has_chaos());
  EXPECT_EQ(TraceOf(Load(), 5), TraceOf(chaotic.played, 5));
}

TEST(Determinism, RunsOnSeveralThreadsDoNotDisturbEachOther) {
  const dev::v1::Scenario scenario = Load();
  std::map<std::uint64_t, std::uint64_t> messages;
  SimulateSeeds(scenario, {1, kSeeds}, 4, [&](const Outcome& outcome) {
    messages[outcome.seed] = outcome.summary.messages;
    return true;
  });
  ASSERT_EQ(messages.size(), kSeeds);
  for (const auto& [seed, count] : messages) EXPECT_EQ(count, Simulate(scenario, seed).summary.messages) << seed;
}

}  // namespace
}  // namespace cloudstate::simulation
