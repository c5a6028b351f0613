// Time that goes on at once: the real strand's, and what lives by it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "emulator/base/random.h"
#include "emulator/base/real_strand.h"
#include "emulator/cluster/cluster.h"
#include "emulator/cluster/node_strand.h"
#include "tests/support/memory_journal.h"

namespace cloudstate::base {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class JumpingTime : public ::testing::Test {
 protected:
  void Do(Task task) { RunOn(strand_, std::move(task)); }
  // Until it has.
  void Advance(absl::Duration by) {
    std::promise<void> there;
    Do([&] { strand_.Advance(by, [&there] { there.set_value(); }); });
    there.get_future().wait();
  }
  absl::Duration Passed() const { return strand_.Now() - began_; }

  // Of tasks that may still be there at the end.
  std::function<void()> again_;
  int ran_ = 0;

  TimerThread timers_;
  RealStrand strand_{timers_};
  const absl::Time began_ = strand_.Now();
};

TEST_F(JumpingTime, RunsTimersInTheirOrderEachWhenItIsDue) {
  std::vector<int> order;
  std::vector<absl::Duration> when;
  Do([&] {
    for (const int hours : {3, 1, 2, 9}) {
      strand_.After(absl::Hours(hours), [&, hours] {
        order.push_back(hours);
        when.push_back(Passed());
      });
    }
  });
  Advance(absl::Hours(4));
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
  ASSERT_THAT(when, SizeIs(3));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_GE(when[i], absl::Hours(order[i]));
    EXPECT_LT(when[i], absl::Hours(order[i] + 1));
  }
  EXPECT_GE(Passed(), absl::Hours(4));
}

TEST_F(JumpingTime, TakesTheTimeOfDayAlong) {
  const absl::Time before = strand_.WallTime();
  EXPECT_EQ(strand_.Ahead(), absl::ZeroDuration());
  Advance(absl::Hours(2));
  EXPECT_GE(strand_.WallTime() - before, absl::Hours(2));
  EXPECT_EQ(strand_.Ahead(), absl::Hours(2));
}

TEST_F(JumpingTime, ALaterTimerWaitsUntilWhatAnEarlierOneSetOffIsDone) {
  std::vector<std::string> order;
  Do([&] {
    strand_.After(absl::Seconds(1), [&] {
      strand_.Post([&] { strand_.Post([&] { strand_.Post([&] { order.emplace_back("set off"); }); }); });
    });
    strand_.After(absl::Seconds(2), [&] { order.emplace_back("later"); });
  });
  Advance(absl::Seconds(3));
  EXPECT_THAT(order, ElementsAre("set off", "later"));
}

TEST_F(JumpingTime, IsOverWhenWhatTheLastTimerSetOffIsDone) {
  bool done = false;
  Do([&] { strand_.After(absl::Seconds(1), [&] { strand_.Post([&] { done = true; }); }); });
  Advance(absl::Seconds(1));
  EXPECT_TRUE(done);
}

TEST_F(JumpingTime, TimersThatAreSetMeanwhileRunAsWell) {
  again_ = [this] {
    ++ran_;
    strand_.After(absl::Seconds(1), [this] { again_(); });
  };
  Do([&] { strand_.After(absl::Seconds(1), [this] { again_(); }); });
  Advance(absl::Hours(1));
  int ran = 0;
  Do([&] { ran = ran_; });
  EXPECT_GE(ran, 3'500);
  EXPECT_LE(ran, 3'700);
}

TEST_F(JumpingTime, GoesOnToItsEndThoughSomebodyAlwaysHasSomethingToDo) {
  again_ = [this] {
    if (ran_ == 0) strand_.Post([this] { again_(); });
  };
  strand_.Post([this] { again_(); });
  Do([&] { strand_.After(absl::Hours(1), [this] { ran_ = 1; }); });
  Advance(absl::Hours(1));
  int ran = 0;
  Do([&] { ran = ran_; });
  EXPECT_EQ(ran, 1);
}

TEST_F(JumpingTime, AJumpThatIsAskedForMeanwhileComesBehind) {
  std::vector<absl::Duration> ahead;
  std::promise<void> there;
  Do([&] {
    strand_.Advance(absl::Hours(1), [&] { ahead.push_back(strand_.Ahead()); });
    strand_.Advance(absl::Hours(2), [&] {
      ahead.push_back(strand_.Ahead());
      there.set_value();
    });
  });
  there.get_future().wait();
  EXPECT_THAT(ahead, ElementsAre(absl::Hours(1), absl::Hours(3)));
}

// Nobody else wakes the strand for it.
TEST_F(JumpingTime, WhatIsDueSoonAfterwardsIsNotForgotten) {
  std::promise<void> rang;
  Do([&] { strand_.After(absl::Hours(1) + absl::Milliseconds(5), [&] { rang.set_value(); }); });
  Advance(absl::Hours(1));
  rang.get_future().wait();
  EXPECT_GE(Passed(), absl::Hours(1) + absl::Milliseconds(5));
}

// The other one is a thread's, which takes its time.
TEST_F(JumpingTime, HoldsWhileOthersAreAtWhatItShouldNotLeaveBehind) {
  std::atomic<bool> busy = false;
  std::vector<std::string> order;
  std::thread other;
  Do([&] {
    strand_.HoldJumpsWhile([&] { return busy.load(); }, absl::InfiniteDuration());
    strand_.After(absl::Seconds(1), [&] {
      busy = true;
      other = std::thread([&] {
        strand_.Post([&] {
          order.emplace_back("ended");
          busy = false;
        });
      });
    });
    strand_.After(absl::Hours(2), [&] { order.emplace_back("later"); });
  });
  Advance(absl::Hours(3));
  other.join();
  EXPECT_THAT(order, ElementsAre("ended", "later"));
}

TEST_F(JumpingTime, IsNotOverWhileItHolds) {
  int asked = 0;
  Do([&] { strand_.HoldJumpsWhile([&] { return ++asked < 10; }, absl::InfiniteDuration()); });
  Advance(absl::Hours(1));
  Do([] {});
  EXPECT_GE(asked, 10);
  EXPECT_EQ(strand_.Ahead(), absl::Hours(1));
}

TEST_F(JumpingTime, HoldsOnceOnlyForWhoeverNeverComesToAnEnd) {
  int asked = 0;
  Do([&] {
    strand_.HoldJumpsWhile(
        [&] {
          ++asked;
          return true;
        },
        absl::ZeroDuration());
    for (int i = 1; i <= 5; ++i) strand_.After(absl::Minutes(i), [] {});
  });
  Advance(absl::Hours(1));
  Do([] {});
  EXPECT_EQ(asked, 1);
  Advance(absl::Hours(1));
  Do([] {});
  EXPECT_EQ(asked, 2);
}

TEST_F(JumpingTime, ANodesClockThatIsWrongStaysSoAndOneThatIsPausedHoldsItsTimersBack) {
  cluster::NodeStrand node(strand_);
  bool rang = false;
  Do([&] {
    node.SetSkew(absl::Minutes(5));
    node.After(absl::Minutes(30), [&] { rang = true; });
    node.Pause();
  });
  Advance(absl::Hours(1));
  EXPECT_FALSE(rang);
  EXPECT_EQ(node.Ahead(), absl::Hours(1) + absl::Minutes(5));
  EXPECT_GE(node.WallTime() - strand_.WallTime(), absl::Minutes(4));
  Do([&] { node.Resume(); });
  Do([] {});
  EXPECT_TRUE(rang);
}

TEST_F(JumpingTime, NoNodeThatIsWellIsSuspectedMeanwhile) {
  Random random{1};
  testing::MemoryJournal journal;
  std::unique_ptr<cluster::Cluster> cluster;
  std::size_t events = 0;
  std::vector<std::string> later;
  Do([&] {
    cluster = std::make_unique<cluster::Cluster>(
        cluster::Node::Options(), strand_, random, journal, [](const std::string&) {}, nullptr);
    cluster->Start(3);
  });
  Advance(absl::Seconds(30));
  Do([&] { events = cluster->events().events().size(); });
  Advance(absl::Minutes(10));
  Do([&] {
    const auto& all = cluster->events().events();
    for (std::size_t i = events; i < all.size(); ++i) {
      if (all[i].kind != "shard") later.push_back(all[i].text);  // these may still be spread
    }
    for (const auto& [id, node] : cluster->nodes()) EXPECT_EQ(node->state(), "up");
    cluster->Stop();
  });
  Do([&] { cluster = nullptr; });
  EXPECT_THAT(later, ::testing::IsEmpty());
}

}  // namespace
}  // namespace cloudstate::base
