// Which of several nodes takes a call, as nodes come, go and fill up.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/gateway_fixture.h"

namespace cloudstate::routing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr bool kInPath = true;
constexpr bool kNotInPath = false;

class TwoNodesTest : public GatewayFixture {
 protected:
  TwoNodesTest() : GatewayFixture(2) {}

  void Pause(std::uint32_t number) { ASSERT_TRUE(cluster_.Pause(cluster::NodeId{number}, std::nullopt).ok()); }
  void Resume(std::uint32_t number) {
    ASSERT_TRUE(cluster_.Resume(cluster::NodeId{number}).ok());
    strand_.Run();
  }
};

// ---- without a limit

TEST_F(TwoNodesTest, WithoutALimitThoseThatAreAvailableTakeCallsInTurn) {
  HoldCalls();
  for (int i = 0; i < 4; ++i) Call();
  EXPECT_THAT(RequestsOfAll(), ElementsAre(2, 2));
  Suspend(1);
  for (int i = 0; i < 2; ++i) Call();
  EXPECT_THAT(RequestsOfAll(), ElementsAre(2, 4));
}

TEST_F(TwoNodesTest, WhatIsHeldIsSpreadOverThoseThatBecomeAvailable) {
  HoldCalls();
  Suspend();
  for (int i = 0; i < 4; ++i) Call();
  ServeAgain();
  EXPECT_THAT(told_.back(), 0);
  EXPECT_EQ(Requests(1) + Requests(2), 4);
}

TEST_F(TwoNodesTest, ACallWhoseNodeIsNoLongerThereGoesToAnother) {
  HoldCalls();
  const auto first = CallSoon();
  const auto second = CallSoon();
  ASSERT_TRUE(cluster_.Kill(cluster::NodeId{1}).ok());
  strand_.Run();
  EXPECT_FALSE(first->status.has_value());
  EXPECT_FALSE(second->status.has_value());
  EXPECT_THAT(RequestsOfAll(), ElementsAre(0, 2));
}

TEST_F(TwoNodesTest, WithoutTheActivatorSuchACallFails) {
  const auto first = CallSoon();
  const auto second = CallSoon();
  ASSERT_TRUE(cluster_.Kill(cluster::NodeId{1}).ok());
  strand_.Run();
  EXPECT_NE(first->status.has_value(), second->status.has_value());
}

TEST_F(TwoNodesTest, ACallForOneNodeThatIsNoLongerThereIsToldSo) {
  HoldCalls();
  const auto client = StartSoon("test.Act", "Unary", testing::Request("a"), std::nullopt, "1");
  ASSERT_TRUE(cluster_.Kill(cluster::NodeId{1}).ok());
  strand_.Run();
  EXPECT_THAT(TextOf(*client), HasSubstr("node 1"));
}

// What keeps coming for it alone would keep it for ever.
TEST_F(TwoNodesTest, ANodeThatLeavesTakesWhatWasOnItsWayToItAloneAndNothingThatComesLater) {
  const auto before = CallAt("2");
  ASSERT_TRUE(cluster_.Drain(cluster::NodeId{2}).ok());
  strand_.Advance(absl::Milliseconds(900));
  const auto on_its_way = CallAt("2");
  EXPECT_EQ(Requests(2), 2);
  strand_.Advance(absl::Milliseconds(100));
  const auto late = CallAt("2");
  EXPECT_EQ(TextOf(*late), "node 2 is leaving the cluster");
  EXPECT_EQ(Requests(2), 2);
}

TEST_F(TwoNodesTest, ACallThatNoOtherNodeCanTakeEitherIsHeld) {
  HoldCalls();
  const auto client = CallSoon();
  Suspend();
  strand_.Run();
  EXPECT_FALSE(client->status.has_value());
  EXPECT_EQ(router_.held().open(), 1);
}

TEST_F(TwoNodesTest, ScalingDownFailsNoCall) {
  HoldCalls();
  ASSERT_TRUE(cluster_.Drain(cluster::NodeId{2}).ok());
  std::vector<std::shared_ptr<FakeClient>> clients;
  for (int i = 0; i < 6000 && node(2).state() != "removed"; ++i) {
    clients.push_back(CallSoon());
    strand_.Advance(absl::Milliseconds(10));
    Answer(connection_->streams.size() - 1);
  }
  EXPECT_EQ(node(2).state(), "removed");
  for (const auto& client : clients) EXPECT_EQ(client->status, absl::OkStatus());
}

TEST_F(TwoNodesTest, ACallThatHasMovedStillHearsThatItsClientHasGone) {
  HoldCalls();
  const auto first = CallSoon();
  const auto second = CallSoon();
  ASSERT_TRUE(cluster_.Kill(cluster::NodeId{1}).ok());
  strand_.Run();
  GoAway(*first);
  GoAway(*second);
  EXPECT_THAT(RequestsOfAll(), ElementsAre(0, 0));
  EXPECT_TRUE(Stream(0).destroyed);
  EXPECT_TRUE(Stream(1).destroyed);
}

TEST_F(TwoNodesTest, TheServicesAreThoseThatANodeHasToldLast) {
  HoldCalls();
  const auto fewer =
      userfunction::ParseSpecification(testing::TwoServices(), std::nullopt, userfunction::VersionCheck::kOn);
  router_.Serve(cluster::NodeId{2}, *fewer);
  EXPECT_THAT(router_.CurrentServices()->services, ::testing::SizeIs(2));
  Suspend(2);
  EXPECT_THAT(router_.CurrentServices()->services, ::testing::SizeIs(2));
}

// ---- with places, in the path

TEST_F(TwoNodesTest, InThePathANodeTakesNoMoreThanItsLimitAndTheOthersWait) {
  HoldCalls();
  router_.SetDispatch(kInPath, 2);
  for (const char* id : {"a", "b", "c", "d", "e", "f"}) Call(id);
  EXPECT_THAT(RequestsOfAll(), ElementsAre(2, 2));
  EXPECT_EQ(router_.held().open(), 2);
  EXPECT_THAT(Reached(), ElementsAre("a", "b", "c", "d"));
  Answer(2);
  EXPECT_THAT(Reached(), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(RequestsOfAll(), ElementsAre(2, 2));
}

TEST_F(TwoNodesTest, InThePathTheNodeWithMostFreePlacesTakesTheNext) {
  HoldCalls();
  router_.SetDispatch(kInPath, 3);
  CallAt("1");
  CallAt("1");
  Call();
  EXPECT_THAT(RequestsOfAll(), ElementsAre(2, 1));
  Call();
  EXPECT_THAT(RequestsOfAll(), ElementsAre(2, 2));
}

TEST_F(TwoNodesTest, InThePathWithoutALimitTheNodeWithTheFewestCallsTakesTheNext) {
  HoldCalls();
  router_.SetDispatch(kInPath, 0);
  CallAt("1");
  CallAt("1");
  Call();
  Call();
  EXPECT_THAT(RequestsOfAll(), ElementsAre(2, 2));
  Call();
  Call();
  EXPECT_THAT(RequestsOfAll(), ElementsAre(3, 3)) << "in turn where they have as many";
  EXPECT_EQ(router_.held().open(), 0);
}

TEST_F(TwoNodesTest, ACallWhoseClientGoesGivesItsPlaceAway) {
  HoldCalls();
  router_.SetDispatch(kInPath, 1);
  const auto client = Call("a");
  Call("b");
  Call("c");
  GoAway(*client);
  EXPECT_THAT(Reached(), ElementsAre("a", "b", "c"));
}

TEST_F(TwoNodesTest, AStreamHasItsPlaceForAsLongAsItIsOpen) {
  HoldCalls();
  router_.SetDispatch(kInPath, 1);
  Start("test.Act", "Out", testing::Request("a"), std::nullopt);
  Call("b");
  Call("c");
  action::ActionResponse response;
  response.mutable_reply()->mutable_payload()->set_value("one");
  Say(0, response);
  EXPECT_THAT(Reached(), ElementsAre("a", "b"));
  End(0);
  EXPECT_THAT(Reached(), ElementsAre("a", "b", "c"));
}

TEST_F(TwoNodesTest, InThePathAPausedNodeIsGivenNoMoreThanItsPlaces) {
  HoldCalls();
  router_.SetDispatch(kInPath, 1);
  Pause(1);
  for (int i = 0; i < 4; ++i) Call();
  EXPECT_THAT(RequestsOfAll(), ElementsAre(1, 1));
  EXPECT_EQ(router_.held().open(), 2);
}

TEST_F(TwoNodesTest, WhatComesBackFromAPausedNodeIsBeforeWhatCameLater) {
  HoldCalls();
  router_.SetDispatch(kInPath, 1);
  Pause(1);
  Pause(2);
  strand_.Advance(absl::Milliseconds(1));
  Call("a");
  Call("b");
  strand_.Advance(absl::Milliseconds(1));
  Call("c");
  Suspend();
  Resume(1);
  Resume(2);
  EXPECT_EQ(router_.held().open(), 3);
  EXPECT_THAT(Reached(), IsEmpty());
  ServeAgain();
  EXPECT_THAT(Reached(), ElementsAre("a", "b"));
  EXPECT_THAT(RequestsOfAll(), ElementsAre(1, 1));
}

TEST_F(TwoNodesTest, ANewLimitHoldsForWhatWaits) {
  HoldCalls();
  router_.SetDispatch(kInPath, 1);
  for (int i = 0; i < 6; ++i) Call();
  router_.SetDispatch(kInPath, 2);
  strand_.Run();
  EXPECT_THAT(RequestsOfAll(), ElementsAre(2, 2));
  router_.SetDispatch(kNotInPath, 0);
  strand_.Run();
  EXPECT_EQ(router_.held().open(), 0);
  EXPECT_THAT(RequestsOfAll(), ElementsAre(3, 3));
}

TEST_F(TwoNodesTest, ACallThatIsHeldForAPlaceIsToldSoAtItsDeadline) {
  HoldCalls();
  router_.SetDispatch(kInPath, 1);
  Call();
  Call();
  const auto client = Call("c", strand_.WallTime() + absl::Seconds(1));
  strand_.Advance(absl::Seconds(1));
  EXPECT_EQ(CodeOf(*client), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(TextOf(*client), HasSubstr("as many calls as it takes at once, which is 1"));
}

// ---- with places, not in the path

TEST_F(TwoNodesTest, NotInThePathEachCallWaitsForAPlaceOfTheNodeWhoseTurnItWas) {
  HoldCalls();
  router_.SetDispatch(kNotInPath, 1);
  for (const char* id : {"a", "b", "c", "d"}) Call(id);
  EXPECT_THAT(RequestsOfAll(), ElementsAre(1, 1));
  Answer(1);
  EXPECT_THAT(Reached(), ElementsAre("a", "b", "d"));
  Answer(2);
  EXPECT_THAT(Reached(), ElementsAre("a", "b", "d")) << "c waits for the node that has a, though the other is free";
  Answer(0);
  EXPECT_THAT(Reached(), ElementsAre("a", "b", "d", "c"));
}

TEST_F(TwoNodesTest, NotInThePathTheBoundIsForAllThatWait) {
  HoldCalls(1);
  router_.SetDispatch(kNotInPath, 1);
  Call();
  Call();
  Call();
  EXPECT_EQ(CodeOf(*Call()), absl::StatusCode::kResourceExhausted);
}

TEST_F(TwoNodesTest, WhatWaitsForANodeThatIsNoLongerAvailableGoesToOthers) {
  HoldCalls();
  router_.SetDispatch(kNotInPath, 1);
  for (const char* id : {"a", "b", "c"}) Call(id);
  Suspend(1);
  Answer(1);
  EXPECT_THAT(Reached(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(Requests(2), 1);
}

TEST_F(TwoNodesTest, WhatGoesToAnotherNodeWaitsThereInTheOrderInWhichItCame) {
  HoldCalls();
  router_.SetDispatch(kNotInPath, 1);
  for (const char* id : {"a", "b", "c", "d"}) {
    Call(id);
    strand_.Advance(absl::Milliseconds(1));
  }
  Suspend(1);
  Answer(1);
  Answer(2);
  EXPECT_THAT(Reached(), ElementsAre("a", "b", "c", "d")) << "c came to the other node after d, but is older";
}

TEST_F(TwoNodesTest, WhatWaitsForThePlacesOfANodeIsMeteredWithItAlone) {
  HoldCalls();
  router_.SetDispatch(kNotInPath, 1);
  for (int i = 0; i < 6; ++i) Call();
  const auto waiting = [this](std::uint32_t number) {
    return router_.waiting(cluster::NodeId{number}).Read(strand_.Now()).integral;
  };
  strand_.Advance(absl::Seconds(1));
  EXPECT_EQ(waiting(1), absl::Seconds(2));
  EXPECT_EQ(waiting(2), absl::Seconds(2));
  Answer(0);
  Suspend(1);  // what waits there waits at the other
  strand_.Advance(absl::Seconds(1));
  EXPECT_EQ(waiting(1), absl::Seconds(2));
  EXPECT_EQ(waiting(2), absl::Seconds(2 + 3));
  Suspend();  // and now for any
  strand_.Run();
  strand_.Advance(absl::Seconds(1));
  EXPECT_EQ(waiting(2), absl::Seconds(2 + 3));
  EXPECT_EQ(router_.held().Read(strand_.Now()).integral, absl::Seconds(4 + 3 + 3));
}

TEST_F(TwoNodesTest, WhatWaitsForNodesThatAreAllGoneIsReleasedInTheOrderInWhichItCame) {
  HoldCalls();
  router_.SetDispatch(kNotInPath, 1);
  for (const char* id : {"a", "b", "c", "d", "e", "f"}) {
    Call(id);
    strand_.Advance(absl::Milliseconds(1));
  }
  Suspend();
  strand_.Run();
  Answer(0);
  Answer(1);
  router_.SetDispatch(kNotInPath, 0);
  ServeAgain();
  EXPECT_THAT(Reached(), ElementsAre("a", "b", "c", "d", "e", "f"));
}

TEST_F(TwoNodesTest, ACallWhoseClientGoesWaitsForNoPlace) {
  HoldCalls();
  router_.SetDispatch(kNotInPath, 1);
  Call("a");
  Call("b");
  const auto client = Call("c");
  Call("d");
  Call("e");
  GoAway(*client);
  Answer(0);
  EXPECT_THAT(Reached(), ElementsAre("a", "b", "e"));
}

}  // namespace
}  // namespace cloudstate::routing
