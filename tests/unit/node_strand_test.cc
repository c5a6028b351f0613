#include "emulator/cluster/node_strand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/virtual_strand.h"

namespace cloudstate::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NodeStrandTest : public ::testing::Test {
 protected:
  base::Task Say(std::string text) {
    return [this, text = std::move(text)] { said_.push_back(text); };
  }

  testing::VirtualStrand shared_;
  NodeStrand strand_{shared_};
  std::vector<std::string> said_;
};

TEST_F(NodeStrandTest, RunsTasksAndTimersAsTheSharedStrandDoes) {
  strand_.After(absl::Milliseconds(2), Say("two"));
  strand_.After(absl::Milliseconds(1), Say("one"));
  strand_.Post(Say("task"));
  strand_.Run(Say("run"));
  shared_.Advance(absl::Milliseconds(1));
  EXPECT_THAT(said_, ElementsAre("run", "task", "one"));
  shared_.Advance(absl::Milliseconds(1));
  EXPECT_THAT(said_, ElementsAre("run", "task", "one", "two"));
}

TEST_F(NodeStrandTest, HoldsWhatBecomesDueDuringAPauseInItsOrder) {
  strand_.After(absl::Milliseconds(2), Say("timer"));
  strand_.Post(Say("posted before"));
  strand_.Pause();
  strand_.Run(Say("run"));
  shared_.Advance(absl::Milliseconds(5));
  strand_.Post(Say("posted later"));
  shared_.Run();
  EXPECT_THAT(said_, IsEmpty());
  strand_.Resume();
  shared_.Run();
  EXPECT_THAT(said_, ElementsAre("run", "posted before", "timer", "posted later"));
}

TEST_F(NodeStrandTest, LetsOtherNodesRunDuringAPause) {
  NodeStrand other(shared_);
  strand_.Pause();
  other.Post(Say("other"));
  shared_.Run();
  EXPECT_THAT(said_, ElementsAre("other"));
}

TEST_F(NodeStrandTest, RunsWhatComesAfterTheEndOfAPauseBehindWhatWaited) {
  strand_.Pause();
  strand_.Run([this] {
    said_.push_back("first");
    strand_.Run(Say("from within"));
  });
  strand_.Run(Say("second"));
  strand_.Resume();
  strand_.Run(Say("after"));
  EXPECT_TRUE(strand_.holding());
  shared_.Run();
  EXPECT_FALSE(strand_.holding());
  EXPECT_THAT(said_, ElementsAre("first", "second", "after", "from within"));
}

TEST_F(NodeStrandTest, HoldsTheRestWhereATaskThatWaitedPausesAgain) {
  strand_.Pause();
  strand_.Run([this] {
    said_.push_back("first");
    strand_.Pause();
  });
  strand_.Run(Say("second"));
  strand_.Resume();
  shared_.Run();
  EXPECT_THAT(said_, ElementsAre("first"));
  strand_.Resume();
  shared_.Run();
  EXPECT_THAT(said_, ElementsAre("first", "second"));
}

TEST_F(NodeStrandTest, KeepsTheOrderWherePausesFollowOneAnotherAtOnce) {
  strand_.Pause();
  for (const char* text : {"1", "2", "3", "4"}) strand_.Run(Say(text));
  strand_.Resume();
  strand_.Pause();
  strand_.Resume();
  shared_.Run();
  EXPECT_THAT(said_, ElementsAre("1", "2", "3", "4"));
}

TEST_F(NodeStrandTest, DoesNotRunACancelledTimer) {
  const base::TimerId timer = strand_.After(absl::Milliseconds(1), Say("timer"));
  strand_.Cancel(timer);
  strand_.Cancel(timer);
  strand_.Cancel(base::TimerId::kNone);
  shared_.Advance(absl::Seconds(1));
  EXPECT_THAT(said_, IsEmpty());
  EXPECT_EQ(shared_.ran(), 0u);
}

TEST_F(NodeStrandTest, DoesNotRunATimerThatIsCancelledWhileItWaitsForTheEndOfAPause) {
  const base::TimerId first = strand_.After(absl::Milliseconds(1), Say("first"));
  strand_.After(absl::Milliseconds(1), Say("second"));
  strand_.Pause();
  shared_.Advance(absl::Milliseconds(1));
  strand_.Cancel(first);
  strand_.Resume();
  shared_.Run();
  EXPECT_THAT(said_, ElementsAre("second"));
}

TEST_F(NodeStrandTest, CancelsTheRightTimerWhereOthersUseTheSharedStrandToo) {
  NodeStrand other(shared_);
  other.After(absl::Milliseconds(1), Say("other"));
  const base::TimerId timer = strand_.After(absl::Milliseconds(1), Say("mine"));
  shared_.After(absl::Milliseconds(1), Say("shared"));
  strand_.Cancel(timer);
  shared_.Advance(absl::Milliseconds(1));
  EXPECT_THAT(said_, ElementsAre("other", "shared"));
}

TEST_F(NodeStrandTest, ForgetsWhatWaitsAndGoesOnWhenCleared) {
  strand_.After(absl::Milliseconds(1), Say("timer due"));
  strand_.After(absl::Milliseconds(9), Say("timer not due"));
  strand_.Pause();
  strand_.Run(Say("held"));
  shared_.Advance(absl::Milliseconds(1));
  strand_.Clear();
  EXPECT_FALSE(strand_.paused());
  strand_.Run(Say("new"));
  shared_.Advance(absl::Seconds(1));
  EXPECT_THAT(said_, ElementsAre("new", "timer not due"));
}

TEST_F(NodeStrandTest, ForgetsTheRestWhereATaskThatWaitedClears) {
  strand_.Pause();
  strand_.Run([this] { strand_.Clear(); });
  strand_.Run(Say("held"));
  strand_.Resume();
  shared_.Run();
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(NodeStrandTest, LetsWhatIsForgottenComeBackToItWhileItGoes) {
  struct Owner {
    NodeStrand& strand;
    base::TimerId timer;
    ~Owner() {
      strand.Cancel(timer);
      strand.Run([] {});
    }
  };
  const base::TimerId timer = strand_.After(absl::Milliseconds(1), Say("timer"));
  auto owner = std::make_shared<Owner>(strand_, timer);
  strand_.Pause();
  strand_.Run([owner] {});
  owner.reset();
  shared_.Advance(absl::Milliseconds(1));
  strand_.Clear();
  shared_.Run();
  EXPECT_THAT(said_, IsEmpty());
  EXPECT_FALSE(strand_.holding());
}

TEST_F(NodeStrandTest, HasATimeOfDayOfItsOwnButNoOtherClock) {
  strand_.SetSkew(-absl::Minutes(5));
  EXPECT_EQ(strand_.WallTime(), shared_.WallTime() - absl::Minutes(5));
  EXPECT_EQ(strand_.Now(), shared_.Now());
  EXPECT_EQ(strand_.skew(), -absl::Minutes(5));
}

}  // namespace
}  // namespace cloudstate::cluster
