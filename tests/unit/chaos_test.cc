#include "emulator/simulation/chaos.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "emulator/simulation/scenario.h"
#include "emulator/simulation/scenario_times.h"
#include "google/protobuf/util/message_differencer.h"

namespace cloudstate::simulation {
namespace {

using dev::v1::Scenario;
using dev::v1::ScenarioStep;
using dev::v1::Steering;
using google::protobuf::util::MessageDifferencer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kSeeds = 200;

Scenario WithChaos(int nodes, const std::vector<std::string>& faults = {}) {
  Scenario scenario;
  scenario.set_nodes(nodes);
  *scenario.mutable_duration() = base::ToDuration(absl::Minutes(2));
  scenario.mutable_network()->set_latency("2ms");
  scenario.mutable_journal()->set_torn_writes(0.5);
  scenario.mutable_chaos()->mutable_faults()->Assign(faults.begin(), faults.end());
  return scenario;
}

Scenario WrittenOut(const Scenario& scenario, std::uint64_t seed) {
  base::Random random(seed);
  return WriteOutChaos(scenario, random);
}

std::vector<ScenarioStep> Steps(const Scenario& scenario, std::uint64_t seed) {
  const Scenario written_out = WrittenOut(scenario, seed);
  return {written_out.steps().begin(), written_out.steps().end()};
}

// What is broken, from step to step.
struct Broken {
  std::set<int> stopped;
  std::map<int, absl::Duration> paused;  // until then
  bool parted = false;
  std::map<std::pair<int, int>, dev::v1::LinkSettings> links;
  std::map<int, absl::Duration> skews;
  dev::v1::JournalFaults journal;

  void Take(const ScenarioStep& step) {
    const Steering& steer = step.steer();
    const absl::Duration at = base::FromDuration(step.at());
    std::erase_if(paused, [&](const auto& each) { return each.second < at; });
    if (steer.has_kill()) stopped.insert(steer.kill().node());
    if (steer.has_drain()) stopped.insert(steer.drain().node());
    if (steer.has_start()) stopped.erase(steer.start().node());
    if (steer.has_pause()) paused[steer.pause().node()] = at + base::FromDuration(steer.pause().for_());
    if (steer.has_partition() || steer.has_cut()) parted = true;
    if (steer.has_heal()) parted = false;
    if (steer.has_link()) links[{steer.link().from(), steer.link().to()}] = steer.link().settings();
    if (steer.has_skew()) skews[steer.skew().node()] = base::FromDuration(steer.skew().by());
    if (steer.has_journal()) journal = steer.journal();
  }
  std::size_t OutOfService() const {
    std::set<int> out = stopped;
    for (const auto& [node, until] : paused) out.insert(node);
    return out.size();
  }
};

TEST(Chaos, WithoutItNothingChangesAndNothingIsDrawn) {
  Scenario scenario = WithChaos(5);
  scenario.clear_chaos();
  base::Random random(1);
  EXPECT_TRUE(MessageDifferencer::Equals(WriteOutChaos(scenario, random), scenario));
  EXPECT_EQ(random, base::Random(1));
}

TEST(Chaos, TheSameSeedMakesUpTheSame) {
  const Scenario scenario = WithChaos(5);
  EXPECT_TRUE(MessageDifferencer::Equals(WrittenOut(scenario, 7), WrittenOut(scenario, 7)));
  EXPECT_FALSE(MessageDifferencer::Equals(WrittenOut(scenario, 7), WrittenOut(scenario, 8)));
}

TEST(Chaos, WhatIsMadeUpMakesSense) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    for (const int nodes : {1, 2, 3, 5, 99}) {
      const Scenario scenario = WrittenOut(WithChaos(nodes), seed);
      EXPECT_FALSE(scenario.has_chaos());
      EXPECT_TRUE(CheckScenario(scenario, "chaos").ok()) << CheckScenario(scenario, "chaos") << ScenarioText(scenario);
    }
  }
}

TEST(Chaos, EverythingIsWholeAtTheEnd) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Scenario scenario = WrittenOut(WithChaos(5), seed);
    Broken broken;
    broken.journal = scenario.journal();
    for (const ScenarioStep& step : scenario.steps()) broken.Take(step);
    EXPECT_THAT(broken.stopped, IsEmpty()) << seed;
    for (const auto& [node, until] : broken.paused) EXPECT_LE(until, DurationOf(scenario)) << seed;
    EXPECT_FALSE(broken.parted) << seed;
    for (const auto& [link, settings] : broken.links) {
      EXPECT_TRUE(MessageDifferencer::Equals(settings, scenario.network())) << seed;
    }
    for (const auto& [node, by] : broken.skews) EXPECT_EQ(by, absl::ZeroDuration()) << seed;
    EXPECT_TRUE(MessageDifferencer::Equals(broken.journal, scenario.journal())) << seed;
  }
}

TEST(Chaos, AMajorityIsAlwaysInService) {
  std::size_t most = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Scenario scenario = WithChaos(5, {"kill", "drain", "pause"});
    *scenario.mutable_chaos()->mutable_every() = base::ToDuration(absl::Seconds(1));
    *scenario.mutable_chaos()->mutable_lasting() = base::ToDuration(absl::Seconds(20));
    Broken broken;
    for (const ScenarioStep& step : Steps(scenario, seed)) {
      broken.Take(step);
      most = std::max(most, broken.OutOfService());
    }
  }
  EXPECT_EQ(most, 2u);  // of 5, and it does come to that
}

TEST(Chaos, OneOfTwoNodesIsNeverStopped) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_THAT(Steps(WithChaos(2, {"kill", "drain", "pause"}), seed), IsEmpty());
  }
}

TEST(Chaos, AllKindsOfFaultsHappenUnlessSomeAreNamed) {
  std::set<Steering::ActionCase> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    for (const ScenarioStep& step : Steps(WithChaos(5), seed)) seen.insert(step.steer().action_case());
  }
  EXPECT_THAT(seen,
              ElementsAre(Steering::kAddNode, Steering::kDrain, Steering::kKill, Steering::kStart, Steering::kPause,
                          Steering::kSkew, Steering::kPartition, Steering::kCut, Steering::kLink, Steering::kHeal,
                          Steering::kMoveShard, Steering::kCrashAll, Steering::kJournal));
}

TEST(Chaos, OnlyTheNamedFaultsHappen) {
  const std::map<std::string, std::set<Steering::ActionCase>> actions = {
      {"kill", {Steering::kKill, Steering::kStart}},
      {"pause", {Steering::kPause}},
      {"partition", {Steering::kPartition, Steering::kHeal}},
      {"cut", {Steering::kCut, Steering::kHeal}},
      {"slow", {Steering::kLink}},
      {"lossy", {Steering::kLink}},
      {"skew", {Steering::kSkew}},
      {"drain", {Steering::kDrain, Steering::kStart}},
      {"add", {Steering::kAddNode}},
      {"move", {Steering::kMoveShard}},
      {"crash", {Steering::kCrashAll}},
      {"journal", {Steering::kJournal}}};
  ASSERT_EQ(actions.size(), ChaosFaults().size());
  for (const std::string& fault : ChaosFaults()) {
    std::set<Steering::ActionCase> seen;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      for (const ScenarioStep& step : Steps(WithChaos(5, {fault}), seed)) {
        seen.insert(step.steer().action_case());
      }
    }
    EXPECT_EQ(seen, actions.at(fault)) << fault;
  }
}

TEST(Chaos, FaultsOverlapNowAndThen) {
  int overlaps = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Broken broken;
    for (const ScenarioStep& step : Steps(WithChaos(5, {"kill", "partition"}), seed)) {
      broken.Take(step);
      overlaps += broken.parted && !broken.stopped.empty() ? 1 : 0;
    }
  }
  EXPECT_GT(overlaps, 0);
}

TEST(Chaos, ComesAsOftenAsItIsTold) {
  const auto kills = [](absl::Duration every, absl::Duration lasting) {
    int count = 0;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      Scenario scenario = WithChaos(5, {"skew"});
      *scenario.mutable_chaos()->mutable_every() = base::ToDuration(every);
      *scenario.mutable_chaos()->mutable_lasting() = base::ToDuration(lasting);
      count += WrittenOut(scenario, seed).steps_size() / 2;
    }
    return static_cast<double>(count) / kSeeds;
  };
  // 120s, a fault in 10s plus 10s, some of which overlap; then one in 40s plus 20s.
  EXPECT_NEAR(kills(absl::Seconds(10), absl::Seconds(10)), 7, 1.5);
  EXPECT_NEAR(kills(absl::Seconds(40), absl::Seconds(20)), 2.4, 0.6);
}

TEST(Chaos, StandsBetweenTheScenariosOwnSteps) {
  Scenario scenario = WithChaos(3);
  for (const int second : {0, 60, 60, 120}) {
    ScenarioStep& step = *scenario.add_steps();
    *step.mutable_at() = base::ToDuration(absl::Seconds(second));
    step.set_note("mine");
    step.mutable_load();
  }
  const Scenario written_out = WrittenOut(scenario, 3);
  std::vector<ScenarioStep> own;
  for (const ScenarioStep& step : written_out.steps()) {
    if (step.note() == "mine") own.push_back(step);
  }
  EXPECT_GT(written_out.steps_size(), 4);
  ASSERT_EQ(own.size(), 4u);
  EXPECT_TRUE(MessageDifferencer::Equals(written_out.steps(0), scenario.steps(0)));
  EXPECT_TRUE(
      std::is_sorted(written_out.steps().begin(), written_out.steps().end(), [](const auto& one, const auto& other) {
        return base::FromDuration(one.at()) < base::FromDuration(other.at());
      }));
}

}  // namespace
}  // namespace cloudstate::simulation
