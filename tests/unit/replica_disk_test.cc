// What the replicas of a node leave for its next life, and how that begins.
#include "emulator/cluster/replica_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/replicas_harness.h"

namespace cloudstate::cluster {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr absl::Duration kInterval = absl::Milliseconds(250);

// What is left when it goes is the store, as after a crash of the whole emulator.
struct World : ReplicasWorld {
  World(std::uint32_t nodes, testing::MemoryReplicaStore& store) : ReplicasWorld(nodes, 1, {}, &store) {
    Pass(absl::Milliseconds(1));  // opens the disks
  }
};

class ReplicaDiskTest : public ::testing::Test {
 protected:
  testing::MemoryReplicaStore store_;
};

TEST_F(ReplicaDiskTest, ALifeBeginsWithWhatThoseBeforeItHaveKept) {
  {
    World world(2, store_);
    world.Update(1, "a", Increment(3));
    world.Update(2, "b", AddElement("x"));
    world.Pass(kInterval);
  }
  World world(2, store_);
  EXPECT_EQ(world.Count(1, "a"), 3U);
  EXPECT_EQ(world.Value(2, "b")->elements.size(), 1U);
  EXPECT_EQ(world.life(1).life, 2U);
  EXPECT_TRUE(world.RunUntilAgreed(kInterval));
}

TEST_F(ReplicaDiskTest, WhatIsYoungerThanTheIntervalIsLostUnlessItIsSaved) {
  {
    World world(1, store_);
    world.Update(1, "a", Increment(1));
    world.Pass(kInterval);
    world.Update(1, "a", Increment(1));
  }
  {
    World world(1, store_);
    EXPECT_EQ(world.Count(1, "a"), 1U);
    world.Update(1, "a", Increment(1));
    world.at(1).Save();
  }
  EXPECT_EQ(World(1, store_).Count(1, "a"), 2U);
}

TEST_F(ReplicaDiskTest, WritesOfTwoLivesAreToldApart) {
  World world(2, store_);
  world.Update(1, "a", Increment(2));
  world.Pass(kInterval);
  world.Kill(1);
  world.Start(1);
  world.Update(1, "a", Increment(5));
  EXPECT_TRUE(world.RunUntilAgreed(absl::Seconds(5)));
  EXPECT_EQ(world.Count(2, "a"), 7U);
}

TEST_F(ReplicaDiskTest, WhatIsDeletedStaysDeleted) {
  {
    World world(1, store_);
    world.Update(1, "a", Increment(1));
    world.Pass(kInterval);
    world.Delete(1, "a");
    world.Pass(kInterval);
  }
  World world(1, store_);
  EXPECT_TRUE(world.at(1).Find(KeyOf("a"))->deleted());
}

TEST_F(ReplicaDiskTest, NobodyReadsBeforeItIsOpen) {
  {
    World world(2, store_);
    world.Update(2, "a", Increment(1));
    world.at(2).Save();  // and node 1 has not heard of it
  }
  store_.hold_back = true;
  World world(2, store_);
  const auto read = world.Read(1, "a");
  world.Pass(absl::Seconds(10));
  EXPECT_FALSE(*read);
  store_.Release();
  world.Pass(kInterval);
  EXPECT_TRUE(*read);
  EXPECT_EQ(world.Count(1, "a"), 1U);
}

TEST_F(ReplicaDiskTest, WhoReadsMayHaveGoneWhenItIsOpen) {
  store_.hold_back = true;
  World world(1, store_);
  const auto read = world.Read(1, "a");
  world.at(1).Release(KeyOf("a"));
  store_.Release();
  world.Pass(kInterval);
  EXPECT_TRUE(*read);
}

TEST_F(ReplicaDiskTest, NothingIsForgottenBeforeTheDisksOfThoseThatAreGoneAreEmpty) {
  const Replicas::Options options;
  World world(2, store_);
  world.Update(2, "a", Increment(1));
  ASSERT_TRUE(world.RunUntilAgreed(absl::Seconds(1)));
  world.Pass(kInterval);
  world.Kill(2);
  world.Pass(1.5 * options.prune_after);
  store_.failure = absl::UnavailableError("the disk fails");
  world.Pass(2 * options.prune_after);
  EXPECT_TRUE(world.at(1).Find(KeyOf("a"))->context().Knows({2, 1}));
  store_.failure = absl::OkStatus();
  world.Pass(options.prune_after);
  EXPECT_FALSE(world.at(1).Find(KeyOf("a"))->context().Knows({2, 1}));
}

// Whoever kept the removal a little later than the others would bring back what was removed.
TEST_F(ReplicaDiskTest, ALifeIsForgottenSomeTimeAfterTheLastThatItWroteHasGone) {
  const Replicas::Options options;
  World world(2, store_);
  world.Update(2, "a", AddElement("x"));
  ASSERT_TRUE(world.RunUntilAgreed(absl::Seconds(1)));
  world.Kill(2);
  world.Pass(3 * options.prune_after);
  world.Update(1, "a", RemoveElement("x"));
  world.Pass(0.9 * options.prune_after);
  EXPECT_TRUE(world.at(1).Find(KeyOf("a"))->context().Knows({2, 1}));
  world.Pass(0.2 * options.prune_after);
  EXPECT_FALSE(world.at(1).Find(KeyOf("a"))->context().Knows({2, 1}));
}

TEST_F(ReplicaDiskTest, WhatCannotBeReadIsTriedAgainAndToldOnce) {
  {
    World world(1, store_);
    world.Update(1, "a", Increment(1));
    world.Pass(kInterval);
  }
  store_.failure = absl::UnavailableError("the disk fails");
  World world(1, store_);
  const auto read = world.Read(1, "a");
  world.Pass(absl::Seconds(5));
  EXPECT_FALSE(*read);
  ASSERT_THAT(world.errors, SizeIs(1));
  EXPECT_THAT(world.errors[0], HasSubstr("the disk fails"));
  store_.failure = absl::OkStatus();
  world.Pass(absl::Seconds(1));
  EXPECT_TRUE(*read);
  EXPECT_EQ(world.Count(1, "a"), 1U);
}

TEST_F(ReplicaDiskTest, WhatCannotBeKeptIsTriedAgainAndToldOnce) {
  {
    World world(1, store_);
    store_.failure = absl::ResourceExhaustedError("the disk is full");
    for (int i = 0; i < 5; ++i) {
      world.Update(1, "a", Increment(1));
      world.Pass(absl::Seconds(2));
    }
    ASSERT_THAT(world.errors, SizeIs(1));
    EXPECT_THAT(world.errors[0], HasSubstr("the disk is full"));
    store_.failure = absl::OkStatus();
    world.Pass(absl::Seconds(2));
  }
  EXPECT_EQ(World(1, store_).Count(1, "a"), 5U);
}

TEST_F(ReplicaDiskTest, APieceThatIsDamagedIsLeftOutAndTheOthersAreThere) {
  {
    World world(1, store_);
    world.Update(1, "a", Increment(1));
    world.Update(1, "b", Increment(2));
    world.Pass(kInterval);
  }
  store_.pieces[0].state = "\xff not a state";
  World world(1, store_);
  EXPECT_EQ(world.at(1).Find(KeyOf("a")), nullptr);
  EXPECT_EQ(world.Count(1, "b"), 2U);
  ASSERT_THAT(world.errors, SizeIs(1));
  EXPECT_THAT(world.errors[0], HasSubstr("entities|a"));
}

TEST_F(ReplicaDiskTest, WhatIsWrittenIsInProportionToWhatIsAdded) {
  constexpr std::size_t kElements = 2'000;
  std::size_t state = 0;
  {
    World world(1, store_);
    for (std::size_t i = 0; i < kElements; ++i) {
      world.Update(1, "a", AddElement(absl::StrCat("element ", i)));
      world.Pass(kInterval);
    }
    state = world.at(1).Find(KeyOf("a"))->Encode().size();
  }
  EXPECT_LT(store_.written, 6 * state);
  EXPECT_LT(store_.pieces.size(), kElements);
  World world(1, store_);
  EXPECT_EQ(world.Value(1, "a")->elements.size(), kElements);
}

TEST_F(ReplicaDiskTest, ANodeThatWasForgottenBeginsWithNothing) {
  const Replicas::Options options;
  World world(3, store_);
  world.Update(3, "a", Increment(5));
  ASSERT_TRUE(world.RunUntilAgreed(absl::Seconds(1)));
  world.Pass(kInterval);
  world.Kill(3);
  world.Pass(3 * options.prune_after);
  EXPECT_FALSE(world.at(1).Find(KeyOf("a"))->context().Knows({3, 1}));
  EXPECT_THAT(store_.Of(3), SizeIs(0));
  world.Start(3);
  EXPECT_TRUE(world.RunUntilAgreed(absl::Seconds(5)));
  for (const std::uint32_t node : world.nodes()) EXPECT_EQ(world.Count(node, "a"), 5U) << "not twice";
}

TEST_F(ReplicaDiskTest, WhoIsNotOpenAgreesToNothing) {
  const Replicas::Options options;
  World world(2, store_);
  world.Update(2, "a", Increment(1));
  ASSERT_TRUE(world.RunUntilAgreed(absl::Seconds(1)));
  world.Pass(kInterval);
  world.Kill(2);
  store_.hold_back = true;
  world.Start(2);
  world.Pass(3 * options.prune_after);
  EXPECT_TRUE(world.at(1).Find(KeyOf("a"))->HoldsWritesOf({2, 1}));
  store_.Release();
  world.Pass(options.prune_after);
  EXPECT_FALSE(world.at(1).Find(KeyOf("a"))->HoldsWritesOf({2, 1}));
  EXPECT_EQ(world.Count(1, "a"), 1U);
}

}  // namespace
}  // namespace cloudstate::cluster
