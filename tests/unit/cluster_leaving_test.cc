// Nodes that leave while calls flow, down to the last one, and clusters that begin again from nobody.
#include <gmock/gmock.h>

#include "tests/unit/cluster_fixture.h"

namespace cloudstate::cluster {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Pointee;
using ::testing::SizeIs;

constexpr NodeId kFirst{1};
constexpr NodeId kSecond{2};

class ClusterLeavingTest : public ClusterFixture {
 protected:
  ClusterLeavingTest() : ClusterFixture(3) {}

  // Adds one to some entities, of which some live elsewhere.
  void AddOneToEach(std::uint32_t at) {
    std::vector<Outcome> outcomes;
    for (const char* id : {"a", "b", "c", "d", "e", "f"}) {
      outcomes.push_back(Send(at, id));
      outcomes.push_back(SendCrdt(at, id));
    }
    Pass(absl::Seconds(1));
    EXPECT_THAT(outcomes, Each(Pointee(AnyOf("1", "2", "3", "4", "done"))));
  }

  void DrainDownToTheFirst() {
    for (const NodeId id : {NodeId{3}, kSecond}) {
      ASSERT_TRUE(cluster_.Drain(id).ok());
      Pass(absl::Seconds(20));
      ASSERT_EQ(cluster_.Find(id)->state(), "removed");
    }
  }

  void LeaveNobody() {
    DrainDownToTheFirst();
    const auto drained = cluster_.DrainLast(kFirst);
    ASSERT_TRUE(drained.ok()) << drained.status();
    Pass(absl::Seconds(10));
    ASSERT_EQ(node(1).state(), "removed");
  }

  static absl::StatusCode CodeOf(const absl::StatusOr<std::string>& steered) { return steered.status().code(); }
};

// ---- one of several

// Commands are under way to the node that leaves, from others, for as long as the links hold them.
TEST_F(ClusterLeavingTest, ANodeThatIsDrainedWhileCallsFlowFailsNoneOfThem) {
  LinkSettings slow;
  slow.latency.low = absl::Milliseconds(30);
  ASSERT_TRUE(cluster_.SetLink(NodeId::kNone, NodeId::kNone, Cluster::Ways::kBoth, slow).ok());
  std::vector<Outcome> outcomes;
  for (int i = 0; i < 400; ++i) {
    if (i == 50) {
      ASSERT_TRUE(cluster_.Drain(NodeId{3}).ok());
    }
    for (const std::uint32_t at : {1U, 2U, 3U}) {
      if (node(at).availability().ok()) outcomes.push_back(Send(at, absl::StrCat("id", i % 20)));
    }
    Pass(absl::Milliseconds(20));
  }
  Pass(absl::Seconds(20));
  EXPECT_EQ(node(3).state(), "removed");
  EXPECT_THAT(outcomes, SizeIs(850));
  for (const Outcome& outcome : outcomes) EXPECT_THAT(*outcome, ::testing::ContainsRegex("^[0-9]+$"));
}

TEST_F(ClusterLeavingTest, ANodeThatIsDrainedFinishesWhatOthersHaveSentIt) {
  answers_ = false;
  std::vector<Outcome> outcomes;
  for (int i = 0; i < 30; ++i) outcomes.push_back(Send(1, absl::StrCat("id", i)));
  Pass(absl::Seconds(1));
  ASSERT_GT(node(3).active_entities(), 0U);
  ASSERT_TRUE(cluster_.Drain(NodeId{3}).ok());
  Pass(absl::Seconds(5));
  EXPECT_EQ(node(3).state(), "leaving");
  answers_ = true;
  Pass(absl::Seconds(20));
  EXPECT_EQ(node(3).state(), "removed");
  EXPECT_THAT(outcomes, Each(Pointee(::testing::StrEq("1"))));
}

TEST_F(ClusterLeavingTest, ANodeIsNotKeptForEverByWhatTheUserFunctionHasInHand) {
  node(3).load().user_function.Begin(strand_.Now());
  ASSERT_TRUE(cluster_.Drain(NodeId{3}).ok());
  const absl::Duration relay = entities::Limits().relay_timeout;
  Pass(2 * relay - absl::Seconds(1));
  EXPECT_EQ(node(3).state(), "leaving");
  Pass(absl::Seconds(2));
  EXPECT_EQ(node(3).state(), "removed");
  Pass(absl::Seconds(20));
  EXPECT_TRUE(cluster_.Converged());
  node(3).load().user_function.End(strand_.Now(), absl::ZeroDuration());
}

TEST_F(ClusterLeavingTest, ANodeThatIsStillJoiningGoesAtOnceAndIsNotMissed) {
  ASSERT_TRUE(cluster_.AddNode().ok());
  strand_.Run();
  ASSERT_EQ(node(4).state(), "joining");
  ASSERT_TRUE(cluster_.Drain(NodeId{4}).ok());
  strand_.Run();
  EXPECT_EQ(node(4).state(), "removed");
  Pass(absl::Seconds(20));
  EXPECT_TRUE(cluster_.Converged());
  EXPECT_EQ(node(4).state(), "removed");
}

// ---- the last one

TEST_F(ClusterLeavingTest, TheLastNodeFinishesItsCallsAndLeavesNobody) {
  DrainDownToTheFirst();
  answers_ = false;
  const std::vector<Outcome> outcomes = {Send(1, "a"), Send(1, "a"), SendCrdt(1, "a")};
  Pass(absl::Seconds(1));
  ASSERT_TRUE(cluster_.DrainLast(kFirst).ok());
  Pass(absl::Seconds(5));
  EXPECT_EQ(node(1).state(), "leaving");
  EXPECT_TRUE(absl::IsUnavailable(node(1).availability()));
  answers_ = true;
  Pass(absl::Seconds(5));
  EXPECT_THAT(outcomes[0], Pointee(::testing::StrEq("1")));
  EXPECT_THAT(outcomes[1], Pointee(::testing::StrEq("2")));
  EXPECT_THAT(outcomes[2], Pointee(::testing::StrEq("done")));
  EXPECT_EQ(node(1).state(), "removed");
}

TEST_F(ClusterLeavingTest, ACallThatComesWhileTheLastNodeLeavesIsDone) {
  DrainDownToTheFirst();
  answers_ = false;
  const Outcome first = Send(1, "a");
  Pass(absl::Seconds(1));
  ASSERT_TRUE(cluster_.DrainLast(kFirst).ok());
  Pass(absl::Seconds(1));
  const Outcome second = Send(1, "b");
  const Outcome third = SendCrdt(1, "b");
  Pass(absl::Seconds(1));
  answers_ = true;
  Pass(absl::Seconds(10));
  EXPECT_EQ(*first, "1");
  EXPECT_EQ(*second, "1");
  EXPECT_EQ(*third, "done");
  EXPECT_EQ(node(1).state(), "removed");
}

TEST_F(ClusterLeavingTest, ACallThatComesWhileTheLastNodesEntitiesStopIsDone) {
  AddOneToEach(1);
  DrainDownToTheFirst();
  AddOneToEach(1);
  ASSERT_TRUE(cluster_.DrainLast(kFirst).ok());
  answers_ = false;  // nor does it end the streams that were half-closed
  Pass(absl::Milliseconds(500));
  ASSERT_EQ(node(1).state(), "leaving");
  const Outcome entity = Send(1, "a");
  const Outcome crdt = SendCrdt(1, "a");
  Pass(absl::Milliseconds(500));
  answers_ = true;
  Pass(absl::Seconds(10));
  EXPECT_EQ(*entity, "3");
  EXPECT_EQ(*crdt, "done");
  EXPECT_EQ(node(1).state(), "removed");
}

TEST_F(ClusterLeavingTest, TheLastNodesEntitiesArePassivatedRatherThanCutOff) {
  DrainDownToTheFirst();
  const std::size_t streams = connection_->streams.size();
  AddOneToEach(1);
  ASSERT_TRUE(cluster_.DrainLast(kFirst).ok());
  Pass(absl::Seconds(5));
  ASSERT_EQ(node(1).state(), "removed");
  ASSERT_EQ(connection_->streams.size(), streams + 12);
  for (std::size_t i = streams; i < connection_->streams.size(); ++i) {
    EXPECT_TRUE(connection_->streams[i]->half_closed) << i;
  }
}

TEST_F(ClusterLeavingTest, TheLastNodeStaysUntilWhatItKnowsOfCrdtsIsKept) {
  DrainDownToTheFirst();
  replica_store_.failure = absl::UnavailableError("the disk is full");
  AddOneToEach(1);
  ASSERT_TRUE(cluster_.DrainLast(kFirst).ok());
  Pass(absl::Seconds(10));
  EXPECT_EQ(node(1).state(), "leaving");
  replica_store_.failure = absl::OkStatus();
  Pass(absl::Seconds(5));
  EXPECT_EQ(node(1).state(), "removed");
  ASSERT_TRUE(cluster_.StartAlone(kFirst).ok());
  Pass(absl::Seconds(1));
  EXPECT_EQ(CrdtCount(1, "a"), 1U);
}

TEST_F(ClusterLeavingTest, WhereAnotherComesMeanwhileTheLastNodeLeavesLikeAnyOther) {
  DrainDownToTheFirst();
  answers_ = false;
  const Outcome outcome = Send(1, "a");
  Pass(absl::Seconds(1));
  ASSERT_TRUE(cluster_.DrainLast(kFirst).ok());
  ASSERT_TRUE(cluster_.StartAgain(kSecond).ok());
  Pass(absl::Seconds(20));
  answers_ = true;
  Pass(absl::Seconds(20));
  EXPECT_EQ(*outcome, "1");
  EXPECT_EQ(node(1).state(), "removed");
  EXPECT_EQ(node(2).state(), "up");
  EXPECT_TRUE(cluster_.Converged());
  EXPECT_THAT(node(2).owned_shards(), SizeIs(kShards));
}

TEST_F(ClusterLeavingTest, OnlyTheLastNodeCanLeaveNobodyBehind) {
  const auto one_of_three = cluster_.DrainLast(kFirst);
  EXPECT_EQ(CodeOf(one_of_three), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(one_of_three.status().message()), HasSubstr("node 2 is up"));
  EXPECT_EQ(CodeOf(cluster_.DrainLast(NodeId{7})), absl::StatusCode::kNotFound);

  ASSERT_TRUE(cluster_.Drain(NodeId{3}).ok());
  Pass(absl::Seconds(20));
  ASSERT_TRUE(cluster_.Drain(kSecond).ok());
  EXPECT_EQ(CodeOf(cluster_.DrainLast(kFirst)), absl::StatusCode::kFailedPrecondition) << "the other is leaving";
  Pass(absl::Seconds(20));
  ASSERT_TRUE(cluster_.StartAgain(kSecond).ok());
  EXPECT_EQ(CodeOf(cluster_.DrainLast(kFirst)), absl::StatusCode::kFailedPrecondition) << "the other is joining";
  ASSERT_TRUE(cluster_.Kill(kSecond).ok());
  EXPECT_TRUE(cluster_.DrainLast(kFirst).ok());
  EXPECT_TRUE(cluster_.DrainLast(kFirst).ok()) << "it is leaving already";
}

TEST_F(ClusterLeavingTest, ANodeThatTakesADeadOneForAMemberIsNotTheLastYet) {
  ASSERT_TRUE(cluster_.Drain(NodeId{3}).ok());
  Pass(absl::Seconds(20));
  ASSERT_TRUE(cluster_.Kill(kSecond).ok());
  const auto soon = cluster_.DrainLast(kFirst);
  EXPECT_EQ(CodeOf(soon), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(soon.status().message()), HasSubstr("try again"));
  Pass(absl::Seconds(20));
  EXPECT_TRUE(cluster_.DrainLast(kFirst).ok());
}

// ---- from nobody

TEST_F(ClusterLeavingTest, WhoStartsAloneIsUpAtOnceAndHasAllThatThereWas) {
  AddOneToEach(3);
  LeaveNobody();
  const std::uint64_t before = node(1).incarnation();
  ASSERT_TRUE(cluster_.StartAlone(kFirst).ok());
  strand_.Run();
  EXPECT_EQ(node(1).state(), "up");
  EXPECT_EQ(node(1).incarnation(), before + 1);
  EXPECT_TRUE(node(1).availability().ok());
  const Outcome entity = Send(1, "a");
  const Outcome crdt = SendCrdt(1, "a");
  Pass(absl::Milliseconds(500));
  EXPECT_EQ(*entity, "2");
  EXPECT_EQ(*crdt, "done");
  EXPECT_EQ(CrdtCount(1, "a"), 2U);
  EXPECT_EQ(CrdtCount(1, "f"), 1U);
  EXPECT_THAT(node(1).owned_shards(), SizeIs(kShards));
}

TEST_F(ClusterLeavingTest, OthersJoinWhoStartedAlone) {
  AddOneToEach(2);
  LeaveNobody();
  ASSERT_TRUE(cluster_.StartAlone(kFirst).ok());
  AddOneToEach(1);
  ASSERT_TRUE(cluster_.StartAgain(kSecond).ok());
  Pass(absl::Seconds(30));
  EXPECT_TRUE(cluster_.Converged());
  ASSERT_TRUE(cluster_.AddNode().ok());
  Pass(absl::Seconds(60));
  EXPECT_TRUE(cluster_.Converged());
  EXPECT_EQ(node(2).state(), "up");
  EXPECT_EQ(node(4).state(), "up");
  AddOneToEach(4);
  for (const std::uint32_t at : {1U, 2U, 4U}) EXPECT_EQ(CrdtCount(at, "a"), 3U) << at;
}

TEST_F(ClusterLeavingTest, TheClusterEndsAndBeginsAgainManyTimes) {
  DrainDownToTheFirst();
  for (int i = 1; i <= 3; ++i) {
    AddOneToEach(1);
    ASSERT_TRUE(cluster_.DrainLast(kFirst).ok());
    Pass(absl::Seconds(5));
    ASSERT_EQ(node(1).state(), "removed");
    ASSERT_TRUE(cluster_.StartAlone(kFirst).ok());
    Pass(absl::Seconds(1));
    EXPECT_EQ(CrdtCount(1, "b"), static_cast<std::uint64_t>(i));
  }
}

TEST_F(ClusterLeavingTest, NobodyStartsAloneWhereOthersLive) {
  EXPECT_EQ(CodeOf(cluster_.StartAlone(kFirst)), absl::StatusCode::kFailedPrecondition) << "it runs itself";
  ASSERT_TRUE(cluster_.Kill(kFirst).ok());
  const auto beside_others = cluster_.StartAlone(kFirst);
  EXPECT_EQ(CodeOf(beside_others), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(beside_others.status().message()), HasSubstr("node 2 is up"));
  EXPECT_EQ(CodeOf(cluster_.StartAlone(NodeId{7})), absl::StatusCode::kNotFound);
}

// ---- user functions of their own

class OwnUserFunctionsTest : public ClusterLeavingTest {
 protected:
  OwnUserFunctionsTest() { cluster_.Disconnect(absl::UnavailableError("gone")); }

  void ConnectOwn(NodeId node) { cluster_.Connect(node, own_, Specification(), entities::ReplayFrom::kNewestSnapshot); }

  std::shared_ptr<Streams> own_ = std::make_shared<Streams>();
};

TEST_F(OwnUserFunctionsTest, ANodeKeepsItsUserFunctionForLaterLives) {
  ASSERT_TRUE(cluster_.Kill(kSecond).ok());
  ConnectOwn(kSecond);
  ASSERT_TRUE(cluster_.StartAgain(kSecond).ok());
  Pass(absl::Seconds(20));
  ASSERT_EQ(node(2).state(), "up");
  SendCrdt(2, "a");
  Pass(absl::Seconds(5));
  EXPECT_THAT(own_->streams, SizeIs(1));
}

TEST_F(OwnUserFunctionsTest, NodesThatAreMadeLaterGetTheSharedUserFunctionOnly) {
  ConnectOwn(kFirst);
  ASSERT_TRUE(cluster_.AddNode().ok());
  EXPECT_EQ(node(4).user_function(), nullptr);
  cluster_.Connect(connection_, Specification(), entities::ReplayFrom::kNewestSnapshot);
  ASSERT_TRUE(cluster_.AddNode().ok());
  EXPECT_EQ(node(5).user_function(), connection_);
}

TEST_F(OwnUserFunctionsTest, AnyOneStandsForTheClusters) {
  EXPECT_EQ(cluster_.connection(), nullptr);
  ConnectOwn(kSecond);
  EXPECT_EQ(cluster_.connection(), own_);
  cluster_.Disconnect(kSecond, absl::UnavailableError("gone"));
  EXPECT_EQ(cluster_.connection(), nullptr);
}

TEST_F(OwnUserFunctionsTest, OneThatGoesFailsTheCommandsOfItsNodeAlone) {
  ConnectOwn(kFirst);
  ConnectOwn(kSecond);
  const Outcome first = SendCrdt(1, "a");
  const Outcome second = SendCrdt(2, "a");
  Pass(absl::Seconds(5));
  cluster_.Disconnect(kFirst, absl::UnavailableError("gone"));
  strand_.Run();
  EXPECT_EQ(*first, "UNAVAILABLE");
  EXPECT_EQ(*second, "open");
}

}  // namespace
}  // namespace cloudstate::cluster
