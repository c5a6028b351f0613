#include "emulator/cluster/membership.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/membership_harness.h"

namespace cloudstate::cluster {
namespace {

using testing::MembershipHarness;
using testing::RandomFaults;

// A usual silence until suspicion, the word getting around, stable_after, and everybody's confirmation.
constexpr absl::Duration kDetection = absl::Seconds(5);

// ---- records

const absl::Time kStart = absl::UnixEpoch();
constexpr NodeId kOne{1};
constexpr NodeId kTwo{2};
constexpr NodeId kThree{3};

wire::Gossip Gossip(const View& view) {
  wire::Gossip gossip;
  for (const auto& [node, record] : view) {
    wire::Member& member = *gossip.add_members();
    member.set_node(static_cast<std::uint32_t>(node));
    member.set_incarnation(record.incarnation);
    member.set_state(static_cast<std::uint32_t>(record.state));
    member.set_age(record.age);
  }
  return gossip;
}

View TwoUp() { return {{kOne, {1, NodeState::kUp, 1}}, {kTwo, {1, NodeState::kUp, 2}}}; }

TEST(MembershipTest, WithoutAViewANodeIsJoining) {
  const Membership membership({}, kOne, 3, {}, kStart);
  EXPECT_EQ(membership.self(), (NodeRecord{3, NodeState::kJoining, 0}));
  EXPECT_EQ(membership.Leader(), std::nullopt);
  EXPECT_EQ(membership.Coordinator(), std::nullopt);
}

TEST(MembershipTest, AnEarlierLifeInTheViewIsOver) {
  const Membership membership({}, kOne, 2, TwoUp(), kStart);
  EXPECT_EQ(membership.self(), (NodeRecord{2, NodeState::kJoining, 0}));
  EXPECT_EQ(membership.Coordinator(), kTwo);
}

TEST(MembershipTest, TheLaterLifeIsRightThenTheLaterStateThenTheLowerAge) {
  Membership membership({}, kOne, 1, TwoUp(), kStart);
  const auto after = [&](const NodeRecord& record) {
    membership.Merge(Gossip({{kTwo, record}}), kStart);
    return membership.view().at(kTwo);
  };
  EXPECT_EQ(after({1, NodeState::kJoining, 0}), (NodeRecord{1, NodeState::kUp, 2}));
  EXPECT_EQ(after({1, NodeState::kUp, 3}), (NodeRecord{1, NodeState::kUp, 2}));
  EXPECT_EQ(after({1, NodeState::kUp, 0}), (NodeRecord{1, NodeState::kUp, 2}));
  EXPECT_EQ(after({1, NodeState::kUp, 1}), (NodeRecord{1, NodeState::kUp, 1}));
  EXPECT_EQ(after({1, NodeState::kDown, 2}), (NodeRecord{1, NodeState::kDown, 2}));
  EXPECT_EQ(after({1, NodeState::kLeaving, 2}), (NodeRecord{1, NodeState::kDown, 2}));
  EXPECT_EQ(after({2, NodeState::kJoining, 0}), (NodeRecord{2, NodeState::kJoining, 0}));
  EXPECT_EQ(after({1, NodeState::kRemoved, 2}), (NodeRecord{2, NodeState::kJoining, 0}));
}

TEST(MembershipTest, InWhateverOrderTheSameIsMergedTheDigestsAreEqual) {
  base::Random random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<wire::Gossip> news;
    for (int count = 0; count < 12; ++count) {
      news.push_back(Gossip({{NodeId{static_cast<std::uint32_t>(2 + random() % 3)},
                              {1 + random() % 2, static_cast<NodeState>(1 + random() % 5), random() % 3}}}));
    }
    Membership one({}, kOne, 1, {}, kStart);
    for (const auto& gossip : news) one.Merge(gossip, kStart);
    std::shuffle(news.begin(), news.end(), random);
    Membership other({}, kOne, 1, {}, kStart);
    for (const auto& gossip : news) other.Merge(gossip, kStart);
    ASSERT_EQ(one.view(), other.view()) << "round " << round;
    ASSERT_EQ(one.Digest(), other.Digest()) << "round " << round;
    wire::Gossip described;
    one.Describe(described);
    Membership third({}, kOne, 1, {}, kStart);
    third.Merge(described, kStart);
    ASSERT_EQ(third.Digest(), one.Digest()) << "round " << round;
  }
}

TEST(MembershipTest, WhoIsToldThatItIsDownOrThatALaterLifeOfItEndedIsDown) {
  Membership told({}, kOne, 1, TwoUp(), kStart);
  told.Merge(Gossip({{kOne, {1, NodeState::kRemoved, 1}}}), kStart);
  EXPECT_EQ(told.self().state, NodeState::kRemoved);

  Membership stale({}, kOne, 1, TwoUp(), kStart);
  stale.Merge(Gossip({{kOne, {4, NodeState::kUp, 7}}}), kStart);
  EXPECT_EQ(stale.self().state, NodeState::kDown);
  const Membership next({}, kOne, 5, stale.ForNextLife(), kStart);
  EXPECT_EQ(next.self(), (NodeRecord{5, NodeState::kJoining, 0}));
  EXPECT_EQ(stale.ForNextLife().at(kOne), next.self());
  EXPECT_EQ(next.Peers(), std::vector<NodeId>{kTwo});
}

TEST(MembershipTest, AHeartbeatIntroducesItsSenderAndEachLifeIsHeardAnew) {
  Membership membership({}, kOne, 1, {{kOne, {1, NodeState::kUp, 1}}}, kStart);
  membership.OnHeartbeat(kTwo, 2, {}, kStart);
  EXPECT_EQ(membership.view().at(kTwo), (NodeRecord{2, NodeState::kJoining, 0}));
  EXPECT_TRUE(membership.Unheard().empty());
  membership.Merge(Gossip({{kTwo, {3, NodeState::kJoining, 0}}}), kStart);
  ASSERT_EQ(membership.Unheard().size(), 1u);
  EXPECT_EQ(membership.Unheard()[0].incarnation(), 3u);
  membership.OnHeartbeat(kTwo, 2, {}, kStart);  // of a life that is over
  EXPECT_EQ(membership.LastHeard(kTwo), absl::InfinitePast());
  membership.OnHeartbeat(kTwo, 3, {}, kStart);
  EXPECT_EQ(membership.LastHeard(kTwo), kStart);
}

TEST(MembershipTest, WhoIsDownIsNotHeard) {
  Membership membership({}, kOne, 1, TwoUp(), kStart);
  membership.Merge(Gossip({{kTwo, {1, NodeState::kDown, 2}}}), kStart);
  membership.OnHeartbeat(kTwo, 1, {}, kStart);
  EXPECT_EQ(membership.LastHeard(kTwo), absl::InfinitePast());
  EXPECT_FALSE(membership.IsReachable(kTwo));
  EXPECT_TRUE(membership.Unheard().empty());
  EXPECT_EQ(membership.Peers(), std::vector<NodeId>{kTwo});
}

TEST(MembershipTest, ThoseThatWereDownAreSpokenToAfterTheirRemovalThoseThatLeftAreNot) {
  Membership two({}, kTwo, 1, TwoUp(), kStart);
  Membership one({}, kOne, 1, TwoUp(), kStart);
  one.Merge(Gossip({{kTwo, {1, NodeState::kRemoved, 2}}}), kStart);
  EXPECT_EQ(one.Peers(), std::vector<NodeId>{kTwo});
  Membership other({}, kOne, 1, TwoUp(), kStart);
  two.Leave();
  two.Left();
  other.Merge(Gossip(two.view()), kStart);
  EXPECT_EQ(other.view().at(kTwo).state, NodeState::kRemoved);
  EXPECT_TRUE(other.Peers().empty());
}

TEST(MembershipTest, WhoHasNeverSpokenIsUnheardAtOnceButSuspectedLater) {
  Membership membership({}, kOne, 1, TwoUp(), kStart);
  membership.Tick(kStart + absl::Seconds(2));
  EXPECT_TRUE(membership.IsReachable(kTwo));
  EXPECT_EQ(membership.Unheard().size(), 1u);
  membership.Tick(kStart + absl::Seconds(3));
  EXPECT_FALSE(membership.IsReachable(kTwo));
  EXPECT_EQ(membership.Unheard().size(), 1u);
}

TEST(MembershipTest, TheLeaderIsReachableTheCoordinatorNeedNotBe) {
  Membership membership({}, kTwo, 1, TwoUp(), kStart);
  EXPECT_EQ(membership.Leader(), kOne);
  EXPECT_EQ(membership.Coordinator(), kOne);
  membership.Tick(kStart + absl::Seconds(3));
  EXPECT_EQ(membership.Leader(), kTwo);
  EXPECT_EQ(membership.Coordinator(), kOne);
}

TEST(MembershipTest, ALeavingNodeIsAMemberButDoesNotCoordinate) {
  Membership membership({}, kOne, 1, TwoUp(), kStart);
  membership.Leave();
  EXPECT_EQ(membership.self().state, NodeState::kLeaving);
  EXPECT_EQ(membership.Leader(), kOne);
  EXPECT_EQ(membership.Coordinator(), kTwo);
  membership.Left();
  EXPECT_EQ(membership.self().state, NodeState::kRemoved);
  Membership joining({}, kThree, 1, TwoUp(), kStart);
  joining.Left();
  EXPECT_EQ(joining.self().state, NodeState::kJoining);
  joining.Leave();
  EXPECT_EQ(joining.self().state, NodeState::kRemoved);
}

TEST(MembershipTest, AfterItsOwnSleepANodeWaitsForWhatHasArrivedMeanwhile) {
  Membership membership({}, kOne, 1, TwoUp(), kStart);
  absl::Time now = kStart;
  const auto beat = [&] {
    wire::Heartbeat heartbeat;
    heartbeat.set_membership_digest(membership.Digest());
    membership.OnHeartbeat(kTwo, 1, heartbeat, now);
  };
  Membership younger({}, kTwo, 1, TwoUp(), kStart);
  for (int count = 0; count < 10; ++count, now += absl::Milliseconds(500)) {
    beat();
    membership.Tick(now);
  }
  now += absl::Seconds(20);
  membership.Tick(now);
  EXPECT_FALSE(membership.IsReachable(kTwo));
  beat();
  membership.Tick(now + absl::Milliseconds(100));
  EXPECT_TRUE(membership.IsReachable(kTwo));
  membership.Tick(now + absl::Seconds(1));
  EXPECT_EQ(membership.view(), TwoUp());
}

// ---- clusters

TEST(MembershipTest, ACalmClusterStaysAsItIs) {
  for (std::uint32_t nodes = 1; nodes <= 10; ++nodes) {
    MembershipHarness cluster;
    cluster.least_latency = absl::Milliseconds(190);
    cluster.most_latency = absl::Milliseconds(200);
    cluster.StartAllUp(nodes);
    cluster.Run(absl::Seconds(20));
    EXPECT_TRUE(cluster.AllUp()) << cluster.Sights();
    EXPECT_EQ(cluster.deaths(), 0) << nodes;
    EXPECT_EQ(cluster.at(nodes).Leader(), kOne);
  }
}

TEST(MembershipTest, ALossyNetworkBringsNobodyDown) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    MembershipHarness cluster(seed);
    cluster.loss = 0.1;
    cluster.most_latency = absl::Milliseconds(200);
    cluster.StartAllUp(3 + seed % 8);
    cluster.Run(absl::Seconds(60));
    EXPECT_TRUE(cluster.AllUp()) << cluster.Sights();
    EXPECT_EQ(cluster.deaths(), 0) << "seed " << seed;
  }
}

TEST(MembershipTest, ANodeThatWasKilledIsDeclaredDownAndRemoved) {
  for (std::uint32_t killed = 1; killed <= 3; ++killed) {
    MembershipHarness cluster;
    cluster.StartAllUp(3);
    cluster.Run(absl::Seconds(10));
    cluster.Kill(killed);
    EXPECT_LE(cluster.RunUntil(absl::Seconds(60), [&] { return cluster.AllUp(); }), kDetection) << cluster.Sights();
    cluster.Run(absl::Seconds(2));
    EXPECT_EQ(cluster.at(killed % 3 + 1).view().at(NodeId{killed}).state, NodeState::kRemoved) << cluster.Sights();
    EXPECT_EQ(cluster.deaths(), 0);
  }
}

TEST(MembershipTest, AMemberThatNeverSpeaksIsNoticed) {
  MembershipHarness cluster;
  cluster.StartAllUp(3);
  cluster.Kill(2);
  cluster.Run(kDetection);
  EXPECT_TRUE(cluster.AllUp()) << cluster.Sights();
}

TEST(MembershipTest, TheMinorityEndsItsLivesTheMajorityGoesOnAndAfterTheHealAllAreUp) {
  MembershipHarness cluster;
  cluster.StartAllUp(5);
  cluster.Run(absl::Seconds(10));
  cluster.Partition({{1, 2}, {3, 4, 5}});
  cluster.Run(kDetection + absl::Seconds(2));
  EXPECT_EQ(cluster.Sight(3), "1 removed, 2 removed, 3 up, 4 up, 5 up");
  EXPECT_EQ(cluster.Sight(4), cluster.Sight(3));
  EXPECT_EQ(cluster.Sight(5), cluster.Sight(3));
  EXPECT_EQ(cluster.Sight(1), "1 joining 2, 2 joining 2, 3 up, 4 up, 5 up");
  EXPECT_EQ(cluster.Sight(2), cluster.Sight(1));
  cluster.Run(absl::Minutes(1));
  EXPECT_EQ(cluster.deaths(), 2);
  cluster.Heal();
  cluster.Run(absl::Seconds(5));
  EXPECT_EQ(cluster.Sights(), "1 up 2, 2 up 2, 3 up, 4 up, 5 up");
  EXPECT_EQ(cluster.deaths(), 2);
  EXPECT_EQ(cluster.at(1).Coordinator(), kThree);
}

TEST(MembershipTest, OfTwoHalvesTheOneWithTheOldestGoesOn) {
  for (std::uint32_t with = 2; with <= 4; ++with) {
    const std::uint32_t one = with == 2 ? 3 : 2;
    const std::uint32_t other = with == 4 ? 3 : 4;
    MembershipHarness cluster;
    cluster.StartAllUp(4);
    cluster.Run(absl::Seconds(10));
    cluster.Partition({{1, with}, {one, other}});
    cluster.Run(absl::Minutes(1));
    EXPECT_EQ(cluster.at(1).self().incarnation, 1u) << with;
    EXPECT_EQ(cluster.Sight(with), cluster.Sight(1));
    EXPECT_EQ(cluster.at(one).self(), (NodeRecord{2, NodeState::kJoining, 0}));
    EXPECT_EQ(cluster.at(other).self(), (NodeRecord{2, NodeState::kJoining, 0}));
    cluster.Heal();
    cluster.Run(absl::Seconds(5));
    EXPECT_TRUE(cluster.AllUp()) << cluster.Sights();
    EXPECT_EQ(cluster.deaths(), 2) << with;
  }
}

TEST(MembershipTest, OfTwoThatAOneWayCutSeparatesTheYoungerGoesOnceAndComesBackAfterTheHeal) {
  for (const auto& [from, to] : {std::pair(2u, 3u), std::pair(3u, 2u), std::pair(1u, 3u), std::pair(3u, 1u)}) {
    MembershipHarness cluster;
    cluster.StartAllUp(4);
    cluster.Run(absl::Seconds(10));
    cluster.Cut(from, to);
    cluster.Run(absl::Minutes(2));
    EXPECT_EQ(cluster.Sights(), "1 up, 2 up, 3 joining 2, 4 up") << from << " to " << to;
    cluster.Heal();
    cluster.Run(absl::Seconds(6));
    EXPECT_EQ(cluster.Sights(), "1 up, 2 up, 3 up 2, 4 up") << from << " to " << to;
    EXPECT_EQ(cluster.deaths(), 1) << from << " to " << to;
  }
}

TEST(MembershipTest, WithoutAMajorityNobodyGoesOnAndAfterTheHealTheyBeginAnewTogether) {
  MembershipHarness cluster;
  cluster.StartAllUp(5);
  cluster.Run(absl::Seconds(10));
  cluster.Partition({{1, 2}, {3, 4}, {5}});
  cluster.Run(absl::Minutes(1));
  for (std::uint32_t node = 1; node <= 5; ++node) {
    EXPECT_EQ(cluster.at(node).self(), (NodeRecord{2, NodeState::kJoining, 0})) << node;
  }
  cluster.Heal();
  cluster.Run(absl::Seconds(12));
  EXPECT_EQ(cluster.Sights(), "1 up 2, 2 up 2, 3 up 2, 4 up 2, 5 up 2");
  EXPECT_EQ(cluster.deaths(), 5);
  EXPECT_EQ(cluster.at(5).Coordinator(), kOne);
}

TEST(MembershipTest, LessThanAMajorityDoesNotBeginAnew) {
  MembershipHarness cluster;
  cluster.StartAllUp(4);
  cluster.Run(absl::Seconds(10));
  for (std::uint32_t node = 1; node <= 4; ++node) cluster.Kill(node);
  cluster.Restart(3);
  cluster.Restart(4);
  cluster.Run(absl::Minutes(2));
  EXPECT_EQ(cluster.at(3).self().state, NodeState::kJoining);
  cluster.Restart(2);
  cluster.Run(absl::Seconds(15));
  EXPECT_EQ(cluster.Sights(), "1 removed, 2 up 2, 3 up 2, 4 up 2");
}

TEST(MembershipTest, WhenAllHaveBeenRestartedTheyComeUpAgain) {
  MembershipHarness cluster;
  cluster.StartAllUp(3);
  cluster.Run(absl::Seconds(10));
  for (std::uint32_t node = 1; node <= 3; ++node) cluster.Kill(node);
  for (std::uint32_t node = 1; node <= 3; ++node) cluster.Restart(node);
  cluster.Run(absl::Seconds(15));
  EXPECT_EQ(cluster.Sights(), "1 up 2, 2 up 2, 3 up 2");
  EXPECT_EQ(cluster.deaths(), 0);
}

TEST(MembershipTest, JoiningNodesAreLetInAndAreTheYoungest) {
  MembershipHarness cluster;
  cluster.StartAllUp(3);
  cluster.Run(absl::Seconds(10));
  cluster.Start(4, 1, cluster.at(1).view());
  cluster.Start(5, 1, cluster.at(1).view());
  cluster.Run(absl::Seconds(4));
  EXPECT_EQ(cluster.Sights(), "1 up, 2 up, 3 up, 4 up, 5 up");
  const auto age = [&](std::uint32_t node) { return cluster.at(1).view().at(NodeId{node}).age; };
  EXPECT_EQ(std::minmax({age(4), age(5)}), std::pair(std::uint64_t{4}, std::uint64_t{5}));
}

TEST(MembershipTest, NobodyIsLetInWhomAMemberDoesNotHearOrWhoDoesNotHearAMember) {
  for (const auto& [from, to] : {std::pair(4u, 2u), std::pair(2u, 4u)}) {
    MembershipHarness cluster;
    cluster.StartAllUp(3);
    cluster.Cut(from, to);
    cluster.Run(absl::Seconds(10));
    cluster.Start(4, 1, cluster.at(1).view());
    cluster.Run(absl::Minutes(1));
    EXPECT_EQ(cluster.Sights(), "1 up, 2 up, 3 up, 4 joining") << from << " to " << to;
    cluster.Heal();
    cluster.Run(absl::Seconds(4));
    EXPECT_TRUE(cluster.AllUp()) << cluster.Sights();
  }
}

TEST(MembershipTest, ANodeLeaves) {
  MembershipHarness cluster;
  cluster.StartAllUp(3);
  cluster.Run(absl::Seconds(10));
  cluster.Leave(1);
  cluster.Run(absl::Seconds(3));
  EXPECT_EQ(cluster.Sights(), "1 leaving, 2 up, 3 up");
  cluster.FinishLeaving(1);
  cluster.Run(absl::Seconds(1));
  EXPECT_EQ(cluster.Sights(), "1 removed, 2 up, 3 up");
  cluster.Run(absl::Seconds(10));
  EXPECT_EQ(cluster.deaths(), 0);
}

TEST(MembershipTest, AShortPauseIsForgivenAfterALongOneTheNodeBeginsANewLife) {
  for (const auto& [seconds, sights] : {std::pair(2, "1 up, 2 up, 3 up"), std::pair(10, "1 up 2, 2 up, 3 up")}) {
    MembershipHarness cluster;
    cluster.StartAllUp(3);
    cluster.Run(absl::Seconds(10));
    cluster.Pause(1);
    cluster.Run(absl::Seconds(seconds));
    cluster.Resume(1);
    cluster.Run(absl::Seconds(5));
    EXPECT_EQ(cluster.Sights(), sights) << seconds;
    EXPECT_EQ(cluster.deaths(), seconds == 2 ? 0 : 1);
  }
}

TEST(MembershipTest, TwoClustersThatHaveRemovedEachOtherBecomeOneAgain) {
  MembershipHarness cluster;
  const View removed = {{kOne, {1, NodeState::kRemoved, 1}}, {kTwo, {1, NodeState::kUp, 2}}};
  cluster.Start(1, 1, {{kOne, {1, NodeState::kUp, 1}}, {kTwo, {1, NodeState::kRemoved, 2}}});
  cluster.Start(2, 1, removed);
  cluster.Run(absl::Seconds(30));
  EXPECT_TRUE(cluster.AllUp()) << cluster.Sights();
}

TEST(MembershipTest, WhereHeartbeatsGetLostAMajorityIsKeptAllTheSame) {
  int survived = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    MembershipHarness cluster(seed);
    cluster.loss = 0.1;
    cluster.StartAllUp(3);
    cluster.Run(absl::Seconds(20));
    cluster.Partition({{1}, {2, 3}});
    cluster.Run(absl::Seconds(30));
    survived += cluster.Sight(2) == cluster.Sight(3) && cluster.deaths() == 1 ? 1 : 0;
  }
  EXPECT_GE(survived, 97);
}

// ---- at random

TEST(MembershipTest, WhateverHappenedOnceAllIsRepairedAllComeUpAndKnowTheSame) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    RandomFaults faults(seed);
    faults.Disturb();
    faults.Repair();
    MembershipHarness& cluster = faults.cluster();
    const auto all_up = [&] { return cluster.AllUp(); };
    ASSERT_LT(cluster.RunUntil(absl::Minutes(1), all_up), absl::Seconds(20)) << "seed " << seed << cluster.Sights();
    // What was under way still arrives.
    const int deaths = cluster.deaths();
    cluster.Run(absl::Seconds(20));
    ASSERT_TRUE(cluster.AllUp()) << "seed " << seed << cluster.Sights();
    ASSERT_EQ(cluster.deaths(), deaths) << "seed " << seed;
  }
}

}  // namespace
}  // namespace cloudstate::cluster
