// What must hold of replicas whatever the network and the lives of nodes do, for many seeds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/crdt/element.h"
#include "tests/unit/replicas_harness.h"

namespace cloudstate::cluster {
namespace {

constexpr std::uint64_t kSeeds = 30;

// Chance for what happens, apart from that of the world's network.
class Fate {
 public:
  explicit Fate(std::uint64_t seed) : random_(seed * 7919) {}
  std::uint32_t Below(std::uint32_t bound) { return static_cast<std::uint32_t>(base::Below(random_, bound)); }
  std::uint32_t OneOf(const std::vector<std::uint32_t>& nodes) {
    return nodes[Below(static_cast<std::uint32_t>(nodes.size()))];
  }

 private:
  base::Random random_;
};

void MakeDifficult(ReplicasWorld& world) {
  world.loss = 0.1;
  world.longest_delay = absl::Milliseconds(300);
}

void UpdateSomething(ReplicasWorld& world, Fate& fate) {
  const std::uint32_t node = fate.OneOf(world.nodes());
  const std::string element = absl::StrCat(fate.Below(5));
  const auto consistency = static_cast<crdt::CrdtWriteConsistency>(fate.Below(3));
  switch (fate.Below(10)) {
    case 0:
      world.Delete(node, absl::StrCat("deleted ", fate.Below(3)), consistency);
      return;
    case 1:
      world.Update(node, absl::StrCat("deleted ", fate.Below(3)), Increment(1), consistency);
      return;
    case 2:
    case 3:
    case 4:
      world.Update(node, "set", RemoveElement(element), consistency);
      return;
    case 5:
    case 6:
      world.Read(node, "counter");
      return;
    default:
      world.Update(node, "counter", Increment(1), consistency);
      world.Update(node, "set", AddElement(element), consistency);
      return;
  }
}

void Befall(ReplicasWorld& world, Fate& fate) {
  const std::uint32_t node = 1 + fate.Below(5);
  const std::vector<std::uint32_t> nodes = world.nodes();
  switch (fate.Below(12)) {
    case 0:
      world.CutOff(node);
      return;
    case 1:
      world.Cut(node, 1 + fate.Below(5));
      return;
    case 2:
      if (nodes.size() > 2) world.Kill(fate.OneOf(nodes));
      return;
    case 3:
      world.Start(node);
      return;
    case 4:
      world.Heal();
      return;
    default:
      return;
  }
}

std::string Live(ReplicasWorld& world, std::uint64_t seed) {
  Fate fate(seed);
  MakeDifficult(world);
  for (int i = 0; i < 150; ++i) {
    UpdateSomething(world, fate);
    Befall(world, fate);
    world.Pass(absl::Milliseconds(fate.Below(300)));
  }
  world.Heal();
  const bool agreed = world.RunUntilAgreed(absl::Minutes(2));
  std::string story = agreed ? "agreed\n" : "not agreed\n";
  for (const auto& each : world.sent) {
    absl::StrAppend(&story, absl::ToUnixMicros(each.at), " ", each.from.node, ">", each.to.node, " ",
                    each.message.ShortDebugString(), "\n");
  }
  return story;
}

TEST(ReplicasSeedsTest, AllAgreeOnceTheyHearEachOther) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    ReplicasWorld world(5, seed);
    Live(world, seed);
    ASSERT_TRUE(world.Agreed());
    const std::uint32_t first = world.nodes().front();
    for (const std::uint32_t node : world.nodes()) {
      for (const char* id : {"counter", "set"}) {
        const auto here = world.Value(node, id);
        const auto there = world.Value(first, id);
        ASSERT_EQ(here.has_value(), there.has_value());
        if (!here.has_value()) continue;
        ASSERT_EQ(here->count, there->count);
        ASSERT_EQ(here->elements, there->elements);
      }
    }
  }
}

TEST(ReplicasSeedsTest, TheSameSeedIsTheSameStory) {
  ReplicasWorld one(5, 42);
  ReplicasWorld other(5, 42);
  EXPECT_EQ(Live(one, 42), Live(other, 42));
}

// Whatever two of five are lost at once, whenever.
TEST(ReplicasSeedsTest, WhatAMajorityHasAcknowledgedSurvivesTheLossOfAnyMinority) {
  std::size_t acknowledged = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    ReplicasWorld world(5, seed);
    Fate fate(seed);
    MakeDifficult(world);
    std::map<std::string, ReplicasWorld::Outcome> added;
    const std::uint32_t moment = fate.Below(60);
    for (std::uint32_t i = 0; i <= moment; ++i) {
      const std::string element = absl::StrCat(i);
      added[element] = world.Update(fate.OneOf(world.nodes()), "set", AddElement(element), crdt::MAJORITY);
      if (fate.Below(5) == 0) world.CutOff(1 + fate.Below(5));
      if (fate.Below(5) == 0) world.Heal();
      world.Pass(absl::Milliseconds(fate.Below(400)));
    }
    std::erase_if(added, [](const auto& each) { return !each.second->has_value() || !(*each.second)->ok(); });
    world.Kill(fate.OneOf(world.nodes()));
    world.Kill(fate.OneOf(world.nodes()));
    world.Heal();
    ASSERT_TRUE(world.RunUntilAgreed(absl::Minutes(2)));
    acknowledged += added.size();
    for (const auto& [element, outcome] : added) {
      google::protobuf::Any any;
      any.set_value(element);
      ASSERT_TRUE(world.Value(world.nodes().front(), "set")->elements.contains(crdt::KeyOf(any))) << element;
    }
  }
  EXPECT_GT(acknowledged, kSeeds);
}

// Nodes come and go, and all of what a life wrote is known to all before it ends.
TEST(ReplicasSeedsTest, PruningNeitherLosesNorCountsTwice) {
  Replicas::Options options;
  options.prune_after = absl::Seconds(8);
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    ReplicasWorld world(4, seed, options);
    Fate fate(seed);
    MakeDifficult(world);
    std::uint64_t total = 0;
    for (int round = 0; round < 6; ++round) {
      for (int i = 0; i < 10; ++i) {
        const std::uint32_t by = fate.Below(5);
        world.Update(fate.OneOf(world.nodes()), "counter", Increment(by));
        total += by;
        world.Pass(absl::Milliseconds(fate.Below(2000)));
      }
      ASSERT_TRUE(world.RunUntilAgreed(absl::Minutes(1)));
      world.Start(1 + fate.Below(4));
    }
    world.Pass(absl::Minutes(2));
    ASSERT_TRUE(world.RunUntilAgreed(absl::Minutes(1)));
    for (const std::uint32_t node : world.nodes()) {
      ASSERT_EQ(world.Count(node, "counter"), total);
      ASSERT_LE(world.at(node).Find(KeyOf("counter"))->context().vector().size(), 4U) << "lives that are over";
    }
  }
}

}  // namespace
}  // namespace cloudstate::cluster
