// How many calls of clients a node has, whatever becomes of them.

#include <gtest/gtest.h>

#include "tests/unit/gateway_fixture.h"

namespace cloudstate::routing {
namespace {

class RouterLoadTest : public GatewayFixture {
 protected:
  RouterLoadTest() : GatewayFixture(1) {}

  trace::LoadMeter& requests() { return node().load().requests; }
};

TEST_F(RouterLoadTest, ACallCountsFromItsComingUntilItIsAnswered) {
  Call();
  EXPECT_EQ(requests().open(), 1);
  strand_.Advance(absl::Seconds(2));
  Answer(0);
  EXPECT_EQ(requests().open(), 0);
  const trace::LoadMeter::Reading reading = requests().Read(strand_.Now());
  EXPECT_EQ(reading.ended, 1);
  EXPECT_EQ(reading.time, absl::Seconds(2));
  EXPECT_EQ(reading.integral, absl::Seconds(2));
}

TEST_F(RouterLoadTest, AStreamCountsUntilItsEnd) {
  Start("test.Act", "Out", testing::Request("a"), std::nullopt);
  action::ActionResponse response;
  response.mutable_reply()->mutable_payload()->set_value("one");
  Say(0, response);
  EXPECT_EQ(requests().open(), 1);
  End(0);
  EXPECT_EQ(requests().open(), 0);
}

TEST_F(RouterLoadTest, ACallThatTheUserFunctionFailsCountsNoLonger) {
  Call();
  End(0, absl::UnavailableError("lost"));
  EXPECT_EQ(requests().open(), 0);
}

TEST_F(RouterLoadTest, ACallOfWhatIsNotThereCountsNoLonger) {
  Start("test.Act", "Missing", testing::Request("a"), std::nullopt);
  EXPECT_EQ(requests().open(), 0);
  EXPECT_EQ(requests().Read(strand_.Now()).ended, 1);
}

TEST_F(RouterLoadTest, ACallWhoseDeadlineHasPassedCountsNoLonger) {
  Call("a", strand_.Now() + absl::Seconds(1));
  EXPECT_EQ(requests().open(), 1);
  strand_.Advance(absl::Seconds(1));
  EXPECT_EQ(requests().open(), 0);
}

// An entity's command stays with the user function, and its call with what waits for it.
TEST_F(RouterLoadTest, ACallWhoseClientHasGoneCountsNoLonger) {
  const auto client = Start("test.One", "Call", testing::Request("a"), std::nullopt);
  EXPECT_EQ(requests().open(), 1);
  GoAway(*client);
  EXPECT_EQ(requests().open(), 0);
}

TEST_F(RouterLoadTest, ACallWhoseClientHasGoneBeforeItCameIsNotCountedForEver) {
  const auto client = StartSoon("test.One", "Call", testing::Request("a"), std::nullopt);
  client->cancelled();
  strand_.Run();
  EXPECT_EQ(requests().open(), 0);
}

TEST_F(RouterLoadTest, CallsOnANodeThatIsKilledCountNoLonger) {
  Call();
  Start("test.One", "Call", testing::Request("a"), std::nullopt);
  EXPECT_EQ(requests().open(), 2);
  node().Kill();
  EXPECT_EQ(requests().open(), 0);
}

TEST_F(RouterLoadTest, ACallThatANodeRefusesDoesNotCount) {
  Suspend();
  Call();
  EXPECT_EQ(requests().Read(strand_.Now()).ended, 0);
}

}  // namespace
}  // namespace cloudstate::routing
