#include "emulator/simulation/virtual_strand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace cloudstate::simulation {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class VirtualStrandTest : public ::testing::Test {
 public:
  base::Task Say(std::string text) {
    return [this, text = std::move(text)] { said_.push_back(text); };
  }

  VirtualStrand strand_;
  std::vector<std::string> said_;
};

TEST_F(VirtualStrandTest, RunsTasksBeforeTimePasses) {
  strand_.After(absl::ZeroDuration(), Say("timer"));
  strand_.Post(Say("task"));
  EXPECT_TRUE(strand_.RunOne());
  EXPECT_TRUE(strand_.RunOne());
  EXPECT_FALSE(strand_.RunOne());
  EXPECT_THAT(said_, ElementsAre("task", "timer"));
  EXPECT_EQ(strand_.ran(), 2u);
  EXPECT_EQ(strand_.Now(), VirtualStrand::Beginning());
}

TEST_F(VirtualStrandTest, RunsTimersInTheirOrderEachAtItsInstant) {
  strand_.After(absl::Seconds(2), Say("later"));
  strand_.After(absl::Seconds(1), Say("first"));
  strand_.After(absl::Seconds(1), Say("second"));
  EXPECT_EQ(strand_.next_timer(), VirtualStrand::Beginning() + absl::Seconds(1));
  EXPECT_TRUE(strand_.RunOne());
  EXPECT_EQ(strand_.Now(), VirtualStrand::Beginning() + absl::Seconds(1));
  strand_.Advance(absl::Seconds(5));
  EXPECT_THAT(said_, ElementsAre("first", "second", "later"));
  EXPECT_EQ(strand_.Now(), VirtualStrand::Beginning() + absl::Seconds(6));
}

TEST_F(VirtualStrandTest, NeverGoesBackInTime) {
  strand_.Advance(absl::Seconds(1));
  strand_.After(-absl::Seconds(1), Say("timer"));
  strand_.RunOne();
  EXPECT_EQ(strand_.Now(), VirtualStrand::Beginning() + absl::Seconds(1));
}

TEST_F(VirtualStrandTest, NeverRunsATimerThatIsCancelledOrInfinitelyFarAway) {
  const base::TimerId cancelled = strand_.After(absl::Seconds(1), Say("cancelled"));
  strand_.After(absl::InfiniteDuration(), Say("never"));
  strand_.Cancel(cancelled);
  strand_.Cancel(cancelled);
  strand_.Cancel(base::TimerId::kNone);
  EXPECT_FALSE(strand_.RunOne());
  EXPECT_EQ(strand_.next_timer(), absl::InfiniteFuture());
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(VirtualStrandTest, KeepsTheOrderOfTimersWhereManyAreCancelled) {
  std::vector<std::string> expected;
  std::vector<base::TimerId> cancelled;
  for (int i = 0; i < 1000; ++i) {
    // Spread over the time, not in its order.
    const base::TimerId timer = strand_.After(absl::Milliseconds(i * 7 % 1000), Say(std::to_string(i * 7 % 1000)));
    if (i * 7 % 1000 % 10 != 0) cancelled.push_back(timer);
  }
  for (base::TimerId timer : cancelled) strand_.Cancel(timer);
  for (int i = 0; i < 1000; i += 10) expected.push_back(std::to_string(i));
  strand_.Advance(absl::Seconds(1));
  EXPECT_EQ(said_, expected);
}

TEST_F(VirtualStrandTest, LetsATimerThatIsCancelledCancelOthersAsItGoes) {
  struct Owner {
    VirtualStrand& strand;
    base::TimerId timer;
    ~Owner() { strand.Cancel(timer); }
  };
  auto owner = std::make_shared<Owner>(strand_, strand_.After(absl::Seconds(1), Say("owned")));
  const base::TimerId timer = strand_.After(absl::Seconds(1), [owner] {});
  owner.reset();
  strand_.Cancel(timer);
  EXPECT_FALSE(strand_.RunOne());
}

TEST_F(VirtualStrandTest, ForgetsEverythingInItsOrderWhenCleared) {
  struct Owner {
    VirtualStrandTest& test;
    std::string text;
    ~Owner() {
      test.said_.push_back(text);
      test.strand_.Post([] {});
    }
  };
  const auto own = [this](std::string text) { return [owner = std::make_shared<Owner>(*this, std::move(text))] {}; };
  for (const char* text : {"4", "3", "2"}) strand_.After(absl::Seconds(text[0] - '0'), own(text));
  strand_.Post(own("1"));
  strand_.Clear();
  EXPECT_THAT(said_, ElementsAre("1", "2", "3", "4"));
  EXPECT_FALSE(strand_.RunOne());
}

TEST_F(VirtualStrandTest, RunsUntilAConditionHoldsOrTheTimeIsOver) {
  for (int i = 1; i <= 5; ++i) strand_.After(absl::Seconds(i), Say(std::to_string(i)));
  EXPECT_TRUE(strand_.RunUntil([&] { return said_.size() == 2; }, absl::Minutes(1)));
  EXPECT_EQ(strand_.Now(), VirtualStrand::Beginning() + absl::Seconds(2));
  EXPECT_FALSE(strand_.RunUntil([&] { return said_.size() == 5; }, absl::Milliseconds(1500)));
  EXPECT_EQ(strand_.Now(), VirtualStrand::Beginning() + absl::Milliseconds(3500));
  EXPECT_THAT(said_, ElementsAre("1", "2", "3"));
  EXPECT_FALSE(strand_.RunUntil([] { return false; }, absl::InfiniteDuration()));
  EXPECT_EQ(strand_.Now(), VirtualStrand::Beginning() + absl::Seconds(5));
}

}  // namespace
}  // namespace cloudstate::simulation
