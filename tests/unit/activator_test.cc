// Calls that no node can take: held, in order and within bounds, until one can.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/gateway_fixture.h"

namespace cloudstate::routing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ActivatorTest : public GatewayFixture {
 protected:
  ActivatorTest() : GatewayFixture(1) {}

  std::int64_t held() { return router_.held().open(); }
};

TEST_F(ActivatorTest, WithoutItACallIsRefusedAsBefore) {
  Suspend();
  EXPECT_EQ(CodeOf(*Call()), absl::StatusCode::kUnavailable);
}

TEST_F(ActivatorTest, ACallWaitsForTheUserFunction) {
  HoldCalls();
  Suspend();
  const auto client = Call();
  EXPECT_FALSE(client->status.has_value());
  EXPECT_EQ(held(), 1);
  ServeAgain();
  EXPECT_EQ(held(), 0);
  Answer(0);
  EXPECT_EQ(client->status, absl::OkStatus());
}

TEST_F(ActivatorTest, ACallWaitsForTheUserFunctionOfOneNode) {
  HoldCalls();
  Suspend(1);
  Call();
  EXPECT_THAT(Reached(), IsEmpty());
  const auto specification =
      userfunction::ParseSpecification(testing::ServicesWithAnAction(), std::nullopt, userfunction::VersionCheck::kOn);
  router_.Serve(cluster::NodeId{1}, *specification);
  strand_.Run();
  EXPECT_THAT(Reached(), ElementsAre("a"));
}

TEST_F(ActivatorTest, ACallWaitsForANodeToComeUp) {
  HoldCalls();
  node().Kill();
  const auto client = Call();
  strand_.Advance(absl::Seconds(1));
  EXPECT_FALSE(client->status.has_value());
  cluster::View alone;
  alone[cluster::NodeId{1}] = {.incarnation = 2, .state = cluster::NodeState::kUp, .age = 1};
  node().Start(alone);
  strand_.Run();
  EXPECT_THAT(Reached(), ElementsAre("a"));
}

TEST_F(ActivatorTest, CallsAreReleasedInTheOrderInWhichTheyCame) {
  HoldCalls();
  Suspend();
  for (const char* id : {"a", "b", "c"}) Call(id);
  ServeAgain();
  EXPECT_THAT(Reached(), ElementsAre("a", "b", "c"));
}

TEST_F(ActivatorTest, WhatComesAfterwardsDoesNotOvertakeWhatIsReleased) {
  HoldCalls();
  Suspend();
  Call("a");
  Serve(testing::ServicesWithAnAction());
  CallSoon("b");
  strand_.Run();
  EXPECT_THAT(Reached(), ElementsAre("a", "b"));
}

TEST_F(ActivatorTest, BeyondTheBoundACallIsToldWhatChangesIt) {
  HoldCalls(2);
  Suspend();
  Call();
  Call();
  const auto third = Call();
  EXPECT_EQ(CodeOf(*third), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(TextOf(*third), AllOf(HasSubstr("holds 2 calls"), HasSubstr("--activator-queue")));
  EXPECT_EQ(held(), 2);
}

TEST_F(ActivatorTest, WhatIsHeldIsBoundedInBytesAsWell) {
  HoldCalls();
  Suspend();
  const std::string large(40U << 20, 'x');
  const auto first = Call(large);
  const auto second = Call(large);
  EXPECT_EQ(CodeOf(*second), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(TextOf(*second), HasSubstr("more than the 67108864 that it holds"));
  GoAway(*first);
  Call(large);
  EXPECT_EQ(held(), 1);
}

TEST_F(ActivatorTest, ACallEndsAtItsDeadlineAndIsToldWhyItWasHeld) {
  HoldCalls();
  Suspend();
  const auto client = Call("a", strand_.WallTime() + absl::Seconds(3));
  strand_.Advance(absl::Milliseconds(2999));
  EXPECT_FALSE(client->status.has_value());
  strand_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(CodeOf(*client), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(TextOf(*client), AllOf(HasSubstr("for 3s"), HasSubstr("the user function was lost")));
  EXPECT_EQ(held(), 0);
}

TEST_F(ActivatorTest, NobodyWaitsForLongerThanARelay) {
  HoldCalls();
  Suspend();
  const auto without = Call();
  const auto later = Call("b", strand_.WallTime() + absl::Hours(1));
  strand_.Advance(Router::Options().relay_timeout);
  EXPECT_EQ(CodeOf(*without), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(CodeOf(*later), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ActivatorTest, ACallWhoseClientHasGoneIsForgotten) {
  HoldCalls();
  Suspend();
  GoAway(*Call("a"));
  EXPECT_EQ(held(), 0);
  Call("b");
  ServeAgain();
  EXPECT_THAT(Reached(), ElementsAre("b"));
}

TEST_F(ActivatorTest, ACallWhoseClientHasGoneBeforeItCameIsNotHeld) {
  HoldCalls();
  Suspend();
  CallSoon()->cancelled();
  strand_.Run();
  EXPECT_EQ(held(), 0);
}

TEST_F(ActivatorTest, TheTraceTellsHowLongACallWasHeld) {
  HoldCalls();
  Suspend();
  Call();
  strand_.Advance(absl::Milliseconds(1200));
  ServeAgain();
  Answer(0);
  const trace::Trace& trace = *recorder_.traces().front();
  EXPECT_THAT(trace.steps, Contains(AllOf(Field(&trace::Step::kind, trace::StepKind::kQueued),
                                          Field(&trace::Step::detail, "held by the activator for 1.2s"))));
  EXPECT_EQ(trace.node, "1");
}

TEST_F(ActivatorTest, ACallThatEndsWhileItIsHeldHasATraceThatNamesNoNode) {
  HoldCalls();
  Suspend();
  Call("a", strand_.WallTime() + absl::Seconds(3));
  strand_.Advance(absl::Seconds(3));
  const trace::Trace& trace = *recorder_.traces().front();
  EXPECT_EQ(trace.duration, absl::Seconds(3));
  EXPECT_EQ(trace.outcome.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(trace.node, "");
}

TEST_F(ActivatorTest, ACallThatIsReleasedHasTheTimeAtTheNodeThatIsLeft) {
  HoldCalls();
  Suspend();
  const auto client = Call();
  strand_.Advance(absl::Seconds(50));
  ServeAgain();
  strand_.Advance(Router::Options().relay_timeout - absl::Seconds(51));
  EXPECT_FALSE(client->status.has_value());
  strand_.Advance(absl::Seconds(1));
  EXPECT_EQ(CodeOf(*client), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ActivatorTest, ACallForOneNodeIsToldWhatIsWrongThere) {
  HoldCalls();
  Suspend();
  const auto client = CallAt("1");
  EXPECT_EQ(CodeOf(*client), absl::StatusCode::kUnavailable);
  EXPECT_EQ(TextOf(*client), "the user function was lost");
}

TEST_F(ActivatorTest, TheNumberHeldIsToldAsItChanges) {
  HoldCalls();
  Suspend();
  Call();
  GoAway(*Call());
  ServeAgain();
  EXPECT_THAT(told_, ElementsAre(1, 2, 1, 0));
}

TEST_F(ActivatorTest, WhatIsHeldIsMetered) {
  HoldCalls();
  Suspend();
  Call();
  strand_.Advance(absl::Seconds(1));
  Call();
  strand_.Advance(absl::Seconds(2));
  ServeAgain();
  const trace::LoadMeter::Reading reading = router_.held().Read(strand_.Now());
  EXPECT_EQ(reading.integral, absl::Seconds(5));
  EXPECT_EQ(reading.time, absl::Seconds(5));
  EXPECT_EQ(reading.ended, 2);
}

TEST_F(ActivatorTest, DoorsLetCallsComeThatWouldBeHeld) {
  Suspend();
  EXPECT_FALSE(router_.Availability().ok());
  HoldCalls();
  EXPECT_EQ(router_.Availability(), absl::OkStatus());
  EXPECT_THAT(router_.CurrentServices()->services, ::testing::SizeIs(3));
}

TEST_F(ActivatorTest, TheEndOfTheEmulatorLeavesNothingUnanswered) {
  HoldCalls();
  Suspend();
  const auto held_already = Call();
  router_.EndHeldCalls(absl::UnavailableError("the emulator is ending"));
  EXPECT_EQ(TextOf(*held_already), "the emulator is ending");
  const auto late = Call();
  EXPECT_EQ(CodeOf(*late), absl::StatusCode::kUnavailable);
  EXPECT_EQ(held(), 0);
}

// More than a stack would bear if each call that ends released the next.
TEST_F(ActivatorTest, ManyCallsThatEndAtOnceAreReleasedOneAfterTheOther) {
  constexpr std::size_t kMany = 50'000;
  HoldCalls(kMany);
  router_.SetDispatch(/*activator_in_path=*/true, 1);
  Suspend();
  std::vector<std::shared_ptr<FakeClient>> clients;
  for (std::size_t i = 0; i < kMany; ++i) {
    clients.push_back(StartSoon("test.Act", "Missing", testing::Request("a"), std::nullopt));
  }
  strand_.Run();
  ServeAgain();
  EXPECT_EQ(CodeOf(*clients.back()), absl::StatusCode::kUnimplemented);
}

TEST(GatewayTest, ItsEndAnswersWhatItHolds) {
  testing::VirtualStrand strand;
  testing::MemoryJournal journal;
  base::Random random(1);
  trace::Recorder recorder(1);
  cluster::Cluster cluster({}, strand, random, journal, [](const std::string&) {});
  const auto client = std::make_shared<FakeClient>();
  {
    Gateway gateway({}, cluster, recorder, [](const std::string&) {});
    gateway.HoldCalls({});
    gateway.Start({.service = "test.Act", .method = "Unary", .payload = "", .metadata = {}, .deadline = {}, .peer = ""},
                  client);
    strand.Run();
    EXPECT_FALSE(client->status.has_value()) << "there is no node at all, and the call is held";
  }
  EXPECT_EQ(CodeOf(*client), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace cloudstate::routing
