#include "emulator/simulation/shrink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "emulator/base/chance.h"
#include "emulator/base/random.h"
#include "emulator/simulation/scenario.h"
#include "emulator/simulation/scenario_times.h"
#include "google/protobuf/util/message_differencer.h"

namespace cloudstate::simulation {
namespace {

using dev::v1::Scenario;
using dev::v1::ScenarioStep;

// So many kills of node 1, a second apart, noted "0", "1", …
Scenario WithSteps(int count) {
  Scenario scenario;
  scenario.set_nodes(9);
  *scenario.mutable_duration() = base::ToDuration(absl::Seconds(600));
  for (int i = 0; i < count; ++i) {
    ScenarioStep& step = *scenario.add_steps();
    *step.mutable_at() = base::ToDuration(absl::Seconds(i));
    step.set_note(std::to_string(i));
    step.mutable_steer()->mutable_kill()->set_node(1);
  }
  return scenario;
}

bool Has(const Scenario& scenario, const std::string& note) {
  return std::any_of(scenario.steps().begin(), scenario.steps().end(),
                     [&](const ScenarioStep& step) { return step.note() == note; });
}

std::string Notes(const Scenario& scenario) {
  std::string notes;
  for (const ScenarioStep& step : scenario.steps()) notes += (notes.empty() ? "" : " ") + step.note();
  return notes;
}

TEST(Shrink, OnlyTheStepsThatAreNeededAreLeft) {
  const Scenario shrunk = Shrink(WithSteps(100), [](const Scenario& scenario) {
    return Has(scenario, "3") && Has(scenario, "57") && Has(scenario, "98");
  });
  EXPECT_EQ(Notes(shrunk), "3 57 98");
}

TEST(Shrink, WhatFailsByItselfNeedsNoSteps) {
  const Scenario shrunk = Shrink(WithSteps(100), [](const Scenario&) { return true; });
  EXPECT_EQ(shrunk.steps_size(), 0);
  EXPECT_EQ(shrunk.nodes(), 1);
  EXPECT_EQ(DurationOf(shrunk), absl::Seconds(1));
  EXPECT_EQ(shrunk.load().clients(), 1);
  EXPECT_EQ(shrunk.load().entities(), 1);
  EXPECT_TRUE(shrunk.load().has_calls_per_second());
  EXPECT_EQ(shrunk.load().calls_per_second(), 0);
}

TEST(Shrink, WhatEveryPartIsNeededForStaysAsItIs) {
  const Scenario scenario = WithSteps(20);
  const Scenario shrunk = Shrink(scenario, [&](const Scenario& candidate) {
    return google::protobuf::util::MessageDifferencer::Equals(candidate, scenario);
  });
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(shrunk, scenario));
}

TEST(Shrink, WhatComesOutFails) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    base::Random random(seed);
    const int count = 1 + static_cast<int>(base::Below(random, 60));
    const std::string first = std::to_string(base::Below(random, static_cast<std::uint64_t>(count)));
    const int nodes = static_cast<int>(base::Below(random, 9));
    const auto fails = [&](const Scenario& scenario) { return Has(scenario, first) && scenario.nodes() > nodes; };
    const Scenario shrunk = Shrink(WithSteps(count), fails);
    EXPECT_TRUE(fails(shrunk)) << seed;
    EXPECT_EQ(Notes(shrunk), first) << seed;
    EXPECT_EQ(shrunk.nodes(), nodes + 1) << seed;
    EXPECT_TRUE(CheckScenario(shrunk, "shrunk").ok()) << CheckScenario(shrunk, "shrunk");
  }
}

TEST(Shrink, NodesThatAreNamedStay) {
  Scenario scenario = WithSteps(2);
  scenario.mutable_steps(0)->mutable_steer()->mutable_kill()->set_node(4);
  scenario.mutable_steps(1)->mutable_always()->set_nodes_up(6);
  const auto both = [](const Scenario& candidate) { return candidate.steps_size() == 2; };
  EXPECT_EQ(Shrink(scenario, both).nodes(), 6);
  const auto first = [](const Scenario& candidate) { return Has(candidate, "0"); };
  EXPECT_EQ(Shrink(scenario, first).nodes(), 4);
}

TEST(Shrink, NodesThatWereAddedKeepTheirNumbers) {
  Scenario scenario = WithSteps(2);
  scenario.mutable_steps(0)->mutable_steer()->mutable_add_node();
  scenario.mutable_steps(1)->mutable_steer()->mutable_kill()->set_node(10);
  const Scenario shrunk = Shrink(scenario, [](const Scenario& candidate) { return candidate.steps_size() == 2; });
  EXPECT_EQ(shrunk.nodes(), 9);
}

TEST(Shrink, ItEndsNoSoonerThanItsLastStep) {
  const Scenario shrunk = Shrink(WithSteps(30), [](const Scenario& scenario) { return Has(scenario, "17"); });
  EXPECT_EQ(DurationOf(shrunk), absl::Seconds(17));
}

TEST(Shrink, FaultsThatAreNotNeededGo) {
  Scenario scenario = WithSteps(1);
  scenario.mutable_network()->set_loss(0.5);
  scenario.mutable_network()->set_latency("5ms");
  scenario.mutable_journal()->set_write_failures(0.5);
  scenario.mutable_user_function()->set_hangs(0.5);
  scenario.mutable_cluster()->set_phi_threshold(3);
  const Scenario shrunk = Shrink(scenario, [](const Scenario& candidate) { return candidate.network().loss() > 0; });
  EXPECT_EQ(shrunk.network().loss(), 0.5);
  EXPECT_EQ(shrunk.network().latency(), "");
  EXPECT_FALSE(shrunk.has_journal());
  EXPECT_FALSE(shrunk.has_user_function());
  EXPECT_FALSE(shrunk.has_cluster());
}

TEST(Shrink, ItPlaysNoMoreThanItMay) {
  int runs = 0;
  const auto fails = [&](const Scenario& scenario) {
    ++runs;
    return Has(scenario, "1") && Has(scenario, "90");
  };
  const Scenario shrunk = Shrink(WithSteps(100), fails, 10);
  EXPECT_EQ(runs, 10);
  EXPECT_TRUE(Has(shrunk, "1") && Has(shrunk, "90"));
}

TEST(Shrink, AHundredStepsTakeFewRuns) {
  int runs = 0;
  Shrink(WithSteps(100), [&](const Scenario& scenario) {
    ++runs;
    return Has(scenario, "40") && Has(scenario, "60");
  });
  EXPECT_LT(runs, 150);
}

}  // namespace
}  // namespace cloudstate::simulation
