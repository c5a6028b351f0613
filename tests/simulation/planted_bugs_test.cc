// Simulation finds what it is there to find: with each planted bug (base/planted_bug.h), the scenario that CI plays
// breaks the invariant that the bug is about, within few seeds; without one it breaks nothing.

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>
#include <string>
#include <string_view>

#include "emulator/base/log.h"
#include "emulator/base/planted_bug.h"
#include "emulator/simulation/scenario.h"
#include "emulator/simulation/shrink.h"
#include "emulator/simulation/simulator.h"

namespace cloudstate::simulation {
namespace {

using base::PlantedBug;

constexpr std::uint64_t kMostSeeds = 100;

constexpr char kLost[] = "acknowledged-change-lost";

class Planted {
 public:
  explicit Planted(PlantedBug bug) { base::planted_bug = bug; }
  ~Planted() { base::planted_bug = PlantedBug::kNone; }
};

// What goes wrong in a run is in its outcome.
[[maybe_unused]] const bool kQuiet = (base::SetUpLog(-1), true);

dev::v1::Scenario Load(const std::string& file) {
  auto scenario = LoadScenario(std::string(TEST_SIMULATION) + "/" + file);
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return *std::move(scenario);
}

std::set<std::string> InvariantsOf(const Outcome& outcome) {
  std::set<std::string> names;
  for (const Violation& violation : outcome.violations) names.insert(violation.invariant);
  return names;
}

// The first seed that breaks one of `invariants`; 0 if none does.
std::uint64_t FirstThatBreaks(const dev::v1::Scenario& scenario, const std::set<std::string>& invariants) {
  for (std::uint64_t seed = 1; seed <= kMostSeeds; ++seed) {
    const std::set<std::string> broken = InvariantsOf(Simulate(scenario, seed));
    if (std::ranges::any_of(broken, [&](const std::string& name) { return invariants.contains(name); })) return seed;
  }
  return 0;
}

struct Case {
  PlantedBug bug;
  std::set<std::string> breaks;  // any of these
  const char* scenario = "ci.yaml";
};

std::string NameOf(PlantedBug bug) {
  const auto found = std::ranges::find(base::kPlantedBugs, bug, [](const auto& each) { return each.second; });
  std::string name(found->first);
  std::ranges::replace(name, '-', '_');
  return name;
}

void PrintTo(const Case& each, std::ostream* out) { *out << NameOf(each.bug); }

class PlantedBugs : public ::testing::TestWithParam<Case> {};

TEST_P(PlantedBugs, AreFound) {
  const dev::v1::Scenario scenario = Load(GetParam().scenario);
  const Planted planted(GetParam().bug);
  const std::uint64_t seed = FirstThatBreaks(scenario, GetParam().breaks);
  ASSERT_NE(seed, 0U) << "none of " << kMostSeeds << " seeds";
  RecordProperty("seeds", std::to_string(seed));
  std::cout << NameOf(GetParam().bug) << ": found by seed " << seed << "\n";
}

INSTANTIATE_TEST_SUITE_P(Each, PlantedBugs,
                         ::testing::Values(Case{PlantedBug::kWriteNotFenced, {"linearizability"}, "fences.yaml"},
                                           Case{PlantedBug::kReadNotFenced, {"linearizability"}, "fences.yaml"},
                                           Case{PlantedBug::kEpochNotRaised, {"one-owner"}},
                                           Case{PlantedBug::kSequenceNotChecked, {"journal-gap"}, "fences.yaml"},
                                           Case{PlantedBug::kAnswerBeforeStored, {"acknowledged-write-lost"}},
                                           Case{PlantedBug::kDuplicateDelivered, {"write-applied-twice"}},
                                           Case{PlantedBug::kTornRecordAccepted, {"one-history"}, "disk.yaml"},
                                           Case{PlantedBug::kRefusedButStored, {"failed-write-applied"}, "moves.yaml"},
                                           Case{PlantedBug::kCallForgotten, {"open-call"}},
                                           Case{PlantedBug::kGossipNotRepeated, {"convergence"}},
                                           Case{PlantedBug::kNoRejoin, {"convergence"}},
                                           Case{PlantedBug::kStaleStateKept, {"one-history"}},
                                           Case{PlantedBug::kEventReplayedTwice, {"entity-protocol"}},
                                           Case{PlantedBug::kWriteNotAwaited, {kLost}, "halves.yaml"},
                                           Case{PlantedBug::kHalfIsMajority, {kLost}, "halves.yaml"},
                                           Case{PlantedBug::kIdentityKept, {"own-writes", kLost}, "crdts.yaml"},
                                           Case{PlantedBug::kDigestsIgnored, {"convergence"}, "crdts.yaml"},
                                           Case{PlantedBug::kPrunedAlone, {"possible-value"}, "pruning.yaml"},
                                           Case{PlantedBug::kOwnEchoed, {"possible-value"}},
                                           Case{PlantedBug::kPushedMeanwhile, {"entity-protocol"}},
                                           Case{PlantedBug::kCancellationForgotten, {"open-call"}}),
                         [](const auto& each) { return NameOf(each.param.bug); });

TEST(PlantedBugsTest, EachHasACase) {
  // One case for each bug, kNone being none.
  EXPECT_EQ(base::kPlantedBugs.size(), 21U);
}

TEST(PlantedBugsTest, NothingIsFoundWhereNothingIsPlanted) {
  for (const char* file :
       {"ci.yaml", "crdts.yaml", "disk.yaml", "fences.yaml", "halves.yaml", "moves.yaml", "pruning.yaml"}) {
    const dev::v1::Scenario scenario = Load(file);
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      const Outcome outcome = Simulate(scenario, seed);
      for (const Violation& each : outcome.violations) ADD_FAILURE() << file << ", seed " << seed << ": " << each.text;
    }
  }
}

TEST(PlantedBugsTest, AFailureIsShrunkToFewSteps) {
  const dev::v1::Scenario scenario = Load("ci.yaml");
  const Planted planted(PlantedBug::kCallForgotten);
  const std::uint64_t seed = FirstThatBreaks(scenario, {"open-call"});
  ASSERT_NE(seed, 0U);
  const auto fails = [&](const dev::v1::Scenario& shorter) {
    return InvariantsOf(Simulate(shorter, seed)).contains("open-call");
  };
  const dev::v1::Scenario played = Simulate(scenario, seed).played;
  const dev::v1::Scenario shrunk = Shrink(played, fails);
  EXPECT_TRUE(fails(shrunk));
  EXPECT_LE(shrunk.steps_size(), 2) << ScenarioText(shrunk);
  EXPECT_LT(shrunk.steps_size(), played.steps_size());
}

}  // namespace
}  // namespace cloudstate::simulation
