#include "emulator/base/turn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "emulator/base/real_strand.h"

namespace cloudstate::base {
namespace {

using ::testing::ElementsAre;

TEST(Turn, RunsWhatIsDeferredAtItsEndInOrderAndAtOnceWithoutOne) {
  std::vector<int> ran;
  Turn::Defer([&] { ran.push_back(1); });
  EXPECT_THAT(ran, ElementsAre(1));
  {
    const Turn turn;
    Turn::Defer([&] {
      Turn::Defer([&] { ran.push_back(4); });
      ran.push_back(2);
    });
    {
      const Turn inner;
      Turn::Defer([&] { ran.push_back(3); });
    }
    std::thread other([&] { Turn::Defer([&] { ran.push_back(10); }); });
    other.join();
    EXPECT_THAT(ran, ElementsAre(1, 10));
  }
  EXPECT_THAT(ran, ElementsAre(1, 10, 2, 3, 4));
}

TEST(Turn, OfAStrandEndsWhenItsTasksDo) {
  TimerThread timers;
  RealStrand strand(timers);
  std::vector<int> ran;
  strand.Post([&] {
    Turn::Defer([&] {
      ran.push_back(2);
      strand.Post([&] { ran.push_back(3); });
    });
    strand.Post([&] { ran.push_back(1); });
  });
  EXPECT_THAT(ran, ElementsAre(1, 2, 3));
}

TEST(Turn, OfAStrandThatGoesOnForLongDoesNotHoldUpWhatIsDeferred) {
  TimerThread timers;
  RealStrand strand(timers);
  int before = 0;
  int after = 0;
  bool ran = false;
  RunOn(strand, [&] {
    Turn::Defer([&] { ran = true; });
    for (int i = 0; i < 1000; ++i) strand.Post([&] { ++(ran ? after : before); });
  });
  RunOn(strand, [] {});
  EXPECT_EQ(before + after, 1000);
  EXPECT_GT(after, 900);
}

}  // namespace
}  // namespace cloudstate::base
