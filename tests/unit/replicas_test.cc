// What one node's replicas tell the others, when, and who has what when. Many seeds are in replicas_seeds_test.cc.
#include "emulator/cluster/replicas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/cluster/replica_messages.h"
#include "tests/unit/replicas_harness.h"

namespace cloudstate::cluster {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

constexpr absl::Duration kMoment = absl::Milliseconds(50);

const absl::Status kOk = absl::OkStatus();

bool IsLate(const ReplicasWorld::Outcome& outcome) {
  return outcome->has_value() && (*outcome)->code() == absl::StatusCode::kDeadlineExceeded;
}

bool Knows(ReplicasWorld& world, std::uint32_t node, crdt::ReplicaId writer) {
  return world.at(node).Find(KeyOf("a"))->context().Knows(writer);
}

// ---- replicas

TEST(ReplicasTest, WhatIsKnownOrWaitedForIsNotReleased) {
  ReplicasWorld world(2);
  world.Update(1, "a", Increment(1));
  const auto read = world.Read(1, "waiting");
  for (const char* const id : {"a", "waiting", "never"}) world.at(1).Release(KeyOf(id));
  EXPECT_EQ(world.Count(1, "a"), 1U);
  world.Pass(kMoment);
  EXPECT_TRUE(*read);
}

// ---- writes

TEST(ReplicasTest, ALocalWriteIsWrittenAtOnceAndToldAfterTheInterval) {
  ReplicasWorld world(3);
  const auto outcome = world.Update(1, "a", Increment(1));
  EXPECT_THAT(*outcome, Optional(kOk));
  world.Pass(absl::Milliseconds(199));
  EXPECT_THAT(world.sent, IsEmpty());
  world.Pass(kMoment);
  EXPECT_EQ(world.Count(2, "a"), 1U);
  EXPECT_EQ(world.Count(3, "a"), 1U);
}

TEST(ReplicasTest, ChangesWithinAnIntervalAreSentAsOne) {
  ReplicasWorld world(2);
  for (int i = 0; i < 10; ++i) world.Update(1, "a", Increment(1));
  world.Pass(absl::Milliseconds(200) + kMoment);
  EXPECT_EQ(world.changes(), 1U);
  EXPECT_EQ(world.Count(2, "a"), 10U);
}

TEST(ReplicasTest, AMajorityIsToldAtOnce) {
  ReplicasWorld world(3);
  world.CutOff(3);
  const auto outcome = world.Update(1, "a", Increment(1), crdt::MAJORITY);
  EXPECT_FALSE(outcome->has_value());
  world.Pass(kMoment);
  EXPECT_THAT(*outcome, Optional(kOk));
  EXPECT_EQ(world.Count(2, "a"), 1U);
  EXPECT_EQ(world.Count(3, "a"), 0U);
}

TEST(ReplicasTest, AllWaitForEverybodyThatIsUpButNotForWhoGoes) {
  ReplicasWorld world(3);
  world.CutOff(3);
  const auto outcome = world.Update(1, "a", Increment(1), crdt::ALL);
  world.Pass(absl::Seconds(1));
  EXPECT_FALSE(outcome->has_value());
  world.Kill(3);
  EXPECT_THAT(*outcome, Optional(kOk));
}

TEST(ReplicasTest, AllAreAlsoThoseThatCameMeanwhile) {
  ReplicasWorld world(2);
  world.Cut(1, 2);
  const auto outcome = world.Update(1, "a", Increment(1), crdt::ALL);
  world.Start(3);
  world.Cut(1, 3);
  world.Kill(2);
  world.Pass(kMoment);
  EXPECT_FALSE(outcome->has_value());
  world.Heal();
  world.Pass(absl::Seconds(2));
  EXPECT_THAT(*outcome, Optional(kOk));
  EXPECT_EQ(world.Count(3, "a"), 1U);
}

TEST(ReplicasTest, AMajorityIsOneOfTheMembersWhenTheWriteBegan) {
  ReplicasWorld world(5);
  for (const std::uint32_t node : {3U, 4U, 5U}) world.Cut(1, node);
  const auto outcome = world.Update(1, "a", Increment(1), crdt::MAJORITY);
  world.Pass(kMoment);
  world.Kill(4);
  world.Kill(5);
  world.Pass(kMoment);
  EXPECT_FALSE(outcome->has_value()) << "two have it, of three that are up, but of five that were";
  world.Heal();
  world.Pass(absl::Seconds(2));
  EXPECT_THAT(*outcome, Optional(kOk));
}

TEST(ReplicasTest, AMajorityIsOneOfTheMembersThereAreNow) {
  ReplicasWorld world(1);
  EXPECT_THAT(*world.Update(1, "a", Increment(1), crdt::MAJORITY), Optional(kOk));
  world.Start(2);
  world.Start(3);
  world.CutOff(1);
  const auto outcome = world.Update(1, "a", Increment(1), crdt::MAJORITY);
  world.Start(4);
  world.Start(5);
  for (const std::uint32_t node : {4U, 5U}) world.Cut(1, node);
  world.Heal();
  for (const std::uint32_t node : {3U, 4U, 5U}) world.Cut(1, node);
  world.Pass(absl::Seconds(2));
  EXPECT_EQ(world.Count(2, "a"), 2U);
  EXPECT_FALSE(outcome->has_value()) << "two have it, of three that were up, but of five that are";
}

TEST(ReplicasTest, WhoHasForgottenDoesNotCount) {
  ReplicasWorld world(5);
  for (const std::uint32_t node : {3U, 4U, 5U}) world.Cut(1, node);
  const auto outcome = world.Update(1, "a", Increment(1), crdt::MAJORITY);
  world.Pass(kMoment);
  world.Start(2);
  world.Cut(1, 2);
  world.Heal();
  world.CutOff(4);
  world.CutOff(5);
  world.Cut(1, 2);
  world.Cut(2, 3);
  world.Pass(absl::Seconds(2));
  EXPECT_EQ(world.Count(3, "a"), 1U);
  EXPECT_FALSE(outcome->has_value()) << "the second of the three has forgotten it";
  world.Heal();
  world.Pass(absl::Seconds(2));
  EXPECT_THAT(*outcome, Optional(kOk));
}

TEST(ReplicasTest, AWriteThatTooFewAcknowledgeIsLateButSpreadsAllTheSame) {
  ReplicasWorld world(3);
  world.CutOff(1);
  const auto outcome = world.Update(1, "a", Increment(1), crdt::MAJORITY);
  world.Pass(absl::Seconds(4.9));
  EXPECT_FALSE(outcome->has_value());
  world.Pass(absl::Seconds(0.2));
  EXPECT_TRUE(IsLate(outcome));
  EXPECT_EQ(world.Count(1, "a"), 1U);
  world.Heal();
  EXPECT_TRUE(world.RunUntilAgreed(absl::Seconds(5)));
  EXPECT_EQ(world.Count(3, "a"), 1U);
}

TEST(ReplicasTest, WhatCannotBeDoneChangesNothing) {
  ReplicasWorld world(2);
  world.Update(1, "a", Increment(1));
  EXPECT_EQ(world.Update(1, "a", AddElement("x"))->value().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(world.Count(1, "a"), 1U);
}

TEST(ReplicasTest, ChangesFromElsewhereAreToldAndOwnOnesAreNot) {
  ReplicasWorld world(2);
  world.told.clear();
  world.Update(1, "a", Increment(1), crdt::ALL);
  world.Pass(kMoment);
  EXPECT_THAT(world.told[1], IsEmpty());
  EXPECT_THAT(world.told[2], ElementsAre("a"));
  world.Start(3);
  EXPECT_THAT(world.told[1], ElementsAre("a")) << "voters have changed";
}

// ---- reads

TEST(ReplicasTest, AReadBringsWhatAMajorityKnows) {
  ReplicasWorld world(3);
  world.CutOff(3);
  world.Update(1, "a", Increment(1), crdt::MAJORITY);
  world.Pass(kMoment);
  world.Heal();
  world.Cut(1, 3);
  const auto read = world.Read(3, "a");
  EXPECT_FALSE(*read);
  world.Pass(kMoment);
  EXPECT_TRUE(*read);
  EXPECT_EQ(world.Count(3, "a"), 1U);
}

TEST(ReplicasTest, AReadOfWhatNobodyKnowsEndsToo) {
  ReplicasWorld world(3);
  const auto read = world.Read(1, "a");
  world.Pass(kMoment);
  EXPECT_TRUE(*read);
  EXPECT_EQ(world.at(1).Find(KeyOf("a")), nullptr);
  EXPECT_THAT(world.at(2).Keys(), IsEmpty());
}

TEST(ReplicasTest, AReadDoesNotWaitForEver) {
  ReplicasWorld world(3);
  world.CutOff(1);
  const auto read = world.Read(1, "a");
  world.Pass(absl::Seconds(2.9));
  EXPECT_FALSE(*read);
  world.Pass(absl::Seconds(0.2));
  EXPECT_TRUE(*read);
}

TEST(ReplicasTest, ANodeAloneReadsAndWritesAtOnce) {
  ReplicasWorld world(1);
  EXPECT_TRUE(*world.Read(1, "a"));
  EXPECT_THAT(*world.Update(1, "a", Increment(1), crdt::ALL), Optional(kOk));
  EXPECT_THAT(world.sent, IsEmpty());
}

// ---- back-pressure

TEST(ReplicasTest, APeerThatDoesNotAnswerHasOneChangeOnItsWayAndOneDue) {
  ReplicasWorld world(2);
  world.Cut(1, 2);
  for (int i = 0; i < 100; ++i) {
    world.Update(1, "a", Increment(1));
    world.Pass(absl::Milliseconds(300));
  }
  EXPECT_EQ(world.at(1).pending(world.life(2)), 2U);
  EXPECT_LE(world.changes(), 1U);
  world.Heal();
  world.Pass(absl::Seconds(3));
  EXPECT_EQ(world.Count(2, "a"), 100U);
  EXPECT_EQ(world.at(1).pending(), 0U);
}

TEST(ReplicasTest, WhatIsDueIsNeverMuchLongerThanTheState) {
  ReplicasWorld world(2);
  world.Cut(1, 2);
  world.Update(1, "a", AddElement("first"));
  world.Pass(absl::Milliseconds(250));
  for (int i = 0; i < 5000; ++i) {
    world.Update(1, "a", AddElement(absl::StrCat("element ", i)));
    world.Update(1, "a", RemoveElement(absl::StrCat("element ", i)));
  }
  world.sent.clear();
  world.Heal();
  world.Pass(absl::Seconds(3));
  std::size_t longest = 0;
  for (const auto& each : world.sent) longest = std::max(longest, each.message.ByteSizeLong());
  EXPECT_LT(longest, 1000U);
  EXPECT_TRUE(world.Agreed());
  EXPECT_THAT(world.Value(2, "a")->elements, SizeIs(1));
}

// ---- what gets lost

TEST(ReplicasTest, WhatALifeTookWithItComesFromWhoHasIt) {
  ReplicasWorld world(3);
  world.Cut(1, 3);
  world.Update(1, "a", Increment(1));
  world.Pass(absl::Milliseconds(250));
  world.Kill(1);
  EXPECT_EQ(world.Count(3, "a"), 0U);
  EXPECT_TRUE(world.RunUntilAgreed(absl::Seconds(5)));
  EXPECT_EQ(world.Count(3, "a"), 1U);
}

TEST(ReplicasTest, ANewLifeGetsEverythingSoon) {
  Replicas::Options options;
  options.most_digests = 10;
  ReplicasWorld world(3, 1, options);
  for (int i = 0; i < 35; ++i) world.Update(1, absl::StrCat(i), Increment(1));
  world.Pass(absl::Seconds(1));
  world.Start(3);
  world.Pass(kMoment);
  EXPECT_THAT(world.at(3).Keys(), SizeIs(35));
  EXPECT_TRUE(world.Agreed());
}

TEST(ReplicasTest, DigestsGoRoundAllEntities) {
  Replicas::Options options;
  options.most_digests = 10;
  ReplicasWorld world(3, 1, options);
  world.Cut(1, 3);
  for (int i = 0; i < 35; ++i) world.Update(1, absl::StrCat(i), Increment(1));
  world.Pass(absl::Milliseconds(250));
  world.Kill(1);
  world.sent.clear();
  EXPECT_TRUE(world.RunUntilAgreed(absl::Seconds(20)));
  EXPECT_THAT(world.at(3).Keys(), SizeIs(35));
  for (const auto& each : world.sent) EXPECT_LE(each.message.digests_size(), 10);
}

TEST(ReplicasTest, ANodeThatLeavesHandsOverAllThatItHas) {
  ReplicasWorld world(4);
  for (const std::uint32_t node : {2U, 3U}) world.Cut(1, node);
  world.Update(1, "a", Increment(1));
  world.Pass(absl::Milliseconds(250));
  ASSERT_EQ(world.Count(4, "a"), 1U);
  world.Kill(1);
  world.Leave(4);
  EXPECT_GT(world.at(4).pending(), 0U);
  world.Pass(kMoment);
  EXPECT_EQ(world.at(4).pending(), 0U);
  world.Kill(4);
  EXPECT_EQ(world.Count(2, "a"), 1U);
  EXPECT_EQ(world.Count(3, "a"), 1U);
}

TEST(ReplicasTest, WithoutReplicasThereIsNoTimer) {
  ReplicasWorld world(3);
  world.Start(2);
  EXPECT_EQ(world.strand.next_timer(), absl::InfiniteFuture());
  EXPECT_THAT(world.sent, IsEmpty());
}

TEST(ReplicasTest, AnAnswerThatNobodyWaitsForMakesNoReplica) {
  ReplicasWorld world(2);
  wire::Replication late;
  wire::ReplicaChange& answer = *late.add_changes();
  ToWire(KeyOf("a"), *answer.mutable_name());
  answer.set_answers(1);
  world.at(1).OnMessage(world.life(2), late);
  EXPECT_EQ(world.strand.next_timer(), absl::InfiniteFuture());
}

TEST(ReplicasTest, OnceAllIsToldOnlyDigestsGo) {
  ReplicasWorld world(3);
  world.Update(1, "a", Increment(1));
  world.Pass(absl::Seconds(3));
  world.sent.clear();
  world.Pass(absl::Seconds(20));
  EXPECT_THAT(world.sent, SizeIs(30));
  for (const auto& each : world.sent) {
    EXPECT_EQ(each.message.digests_size(), 1);
    EXPECT_EQ(each.message.changes_size(), 0);
  }
}

// ---- the end of an entity

TEST(ReplicasTest, ADeletionReachesAllAndWins) {
  ReplicasWorld world(3);
  world.Update(1, "a", Increment(1), crdt::ALL);
  world.Pass(kMoment);
  world.CutOff(3);
  world.Update(3, "a", Increment(1));
  const auto outcome = world.Delete(1, "a", crdt::MAJORITY);
  world.Pass(kMoment);
  EXPECT_THAT(*outcome, Optional(kOk));
  world.Heal();
  EXPECT_TRUE(world.RunUntilAgreed(absl::Seconds(5)));
  for (const std::uint32_t node : world.nodes()) EXPECT_TRUE(world.at(node).Find(KeyOf("a"))->deleted());
  EXPECT_EQ(world.Update(2, "a", Increment(1))->value().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(ReplicasTest, ADeletionReachesWhoComesLater) {
  ReplicasWorld world(2);
  world.Delete(1, "a");
  world.Pass(absl::Seconds(1));
  world.Start(3);
  world.Pass(kMoment);
  ASSERT_NE(world.at(3).Find(KeyOf("a")), nullptr);
  EXPECT_TRUE(world.at(3).Find(KeyOf("a"))->deleted());
}

// ---- pruning

TEST(ReplicasTest, WritesOfALifeThatIsOverArePrunedAndThenForgotten) {
  ReplicasWorld world(3);
  for (const std::uint32_t node : {1U, 2U, 3U}) world.Update(node, "a", Increment(node));
  world.Pass(absl::Seconds(10));
  const crdt::ReplicaId gone = world.life(3);
  world.Kill(3);
  world.Pass(absl::Minutes(4.9));
  EXPECT_TRUE(world.at(1).Find(KeyOf("a"))->HoldsWritesOf(gone));
  world.Pass(absl::Seconds(30));
  for (const std::uint32_t node : world.nodes()) {
    EXPECT_FALSE(world.at(node).Find(KeyOf("a"))->HoldsWritesOf(gone));
    EXPECT_TRUE(Knows(world, node, gone));
    EXPECT_EQ(world.Count(node, "a"), 6U);
  }
  world.Pass(absl::Minutes(5));
  for (const std::uint32_t node : world.nodes()) {
    EXPECT_FALSE(Knows(world, node, gone));
    EXPECT_EQ(world.Count(node, "a"), 6U);
  }
  EXPECT_TRUE(world.Agreed());
}

TEST(ReplicasTest, NothingIsPrunedWhileAMemberHasNotSaidThatItHasTheSame) {
  ReplicasWorld world(3);
  for (const std::uint32_t node : {1U, 2U, 3U}) world.Update(node, "a", Increment(node));
  world.Pass(absl::Seconds(10));
  const crdt::ReplicaId gone = world.life(3);
  world.Kill(3);
  world.CutOff(2);
  world.Pass(absl::Minutes(20));
  EXPECT_TRUE(world.at(1).Find(KeyOf("a"))->HoldsWritesOf(gone));
  world.Heal();
  world.Pass(absl::Minutes(1));
  EXPECT_FALSE(world.at(1).Find(KeyOf("a"))->HoldsWritesOf(gone));
  EXPECT_FALSE(world.at(2).Find(KeyOf("a"))->HoldsWritesOf(gone));
}

TEST(ReplicasTest, ANodeThatIsLeftAlonePrunesToo) {
  ReplicasWorld world(2);
  world.Update(2, "a", Increment(2));
  world.Pass(absl::Seconds(1));
  const crdt::ReplicaId gone = world.life(2);
  world.Kill(2);
  world.Pass(absl::Minutes(11));
  EXPECT_FALSE(Knows(world, 1, gone));
  EXPECT_EQ(world.Count(1, "a"), 2U);
}

}  // namespace
}  // namespace cloudstate::cluster
