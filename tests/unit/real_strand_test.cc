#include "emulator/base/real_strand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <functional>
#include <future>
#include <new>
#include <thread>
#include <vector>

#include "emulator/base/lifetime.h"
#include "emulator/base/on_strand.h"
#include "emulator/base/wake_event.h"

namespace cloudstate::base {
namespace {

using ::testing::ElementsAre;

class RealStrandTest : public ::testing::Test {
 protected:
  TimerThread timers_;
  RealStrand strand_{timers_};
};

TEST_F(RealStrandTest, RunsATaskThatIsPostedToAnIdleStrandOnTheCallersThread) {
  std::thread::id ran;
  strand_.Post([&] { ran = std::this_thread::get_id(); });
  EXPECT_EQ(ran, std::this_thread::get_id());
}

TEST_F(RealStrandTest, RunsWhatATaskPostsAfterIt) {
  std::vector<int> order;
  strand_.Post([&] {
    strand_.Post([&] { order.push_back(2); });
    order.push_back(1);
  });
  EXPECT_THAT(order, ElementsAre(1, 2));
}

TEST_F(RealStrandTest, NeverRunsTwoTasksAtATimeAndKeepsEachThreadsOrder) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 20'000;
  std::atomic<int> running = 0;
  std::vector<int> last(kThreads, -1);
  bool overlapped = false;
  bool reordered = false;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kTasks; ++i) {
        strand_.Post([&, thread, i] {
          overlapped |= ++running != 1;
          reordered |= last[static_cast<std::size_t>(thread)] != i - 1;
          last[static_cast<std::size_t>(thread)] = i;
          --running;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  RunOn(strand_, [] {});
  EXPECT_FALSE(overlapped);
  EXPECT_FALSE(reordered);
  EXPECT_THAT(last, ::testing::Each(kTasks - 1));
}

TEST_F(RealStrandTest, LetsAThreadGoThoughThereIsNoEndOfTasks) {
  std::atomic<bool> stop = false;
  std::atomic<int> ran = 0;
  // Each task posts the next, so that the strand never becomes idle.
  std::function<void()> again = [&] {
    ++ran;
    if (!stop) strand_.Post([&] { again(); });
  };
  strand_.Post([&] { again(); });
  // It has come back, and the tasks go on without it.
  const int so_far = ran;
  while (ran == so_far) std::this_thread::yield();
  stop = true;
  RunOn(strand_, [] {});  // one that did not see it may have posted another behind this
  RunOn(strand_, [] {});
}

TEST_F(RealStrandTest, RunsTimersInTheOrderOfTheirInstants) {
  std::vector<int> order;
  std::promise<void> done;
  RunOn(strand_, [&] {
    strand_.After(absl::Milliseconds(20), [&] {
      order.push_back(2);
      done.set_value();
    });
    strand_.After(absl::Milliseconds(5), [&] { order.push_back(1); });
  });
  done.get_future().wait();
  EXPECT_THAT(order, ElementsAre(1, 2));
}

TEST_F(RealStrandTest, ATimerDoesNotRunBeforeItsTime) {
  std::promise<absl::Time> ran;
  absl::Time due;
  RunOn(strand_, [&] {
    due = strand_.Now() + absl::Milliseconds(10);
    strand_.After(absl::Milliseconds(10), [&] { ran.set_value(strand_.Now()); });
  });
  EXPECT_GE(ran.get_future().get(), due);
}

TEST_F(RealStrandTest, ACancelledTimerDoesNotRun) {
  bool ran = false;
  std::promise<void> later;
  RunOn(strand_, [&] {
    const TimerId timer = strand_.After(absl::Milliseconds(5), [&] { ran = true; });
    strand_.After(absl::Milliseconds(15), [&] { later.set_value(); });
    strand_.Cancel(timer);
  });
  later.get_future().wait();
  EXPECT_FALSE(ran);
}

TEST_F(RealStrandTest, ATimerWakesAThreadThatHasGoneToSleep) {
  for (int i = 0; i < 3; ++i) {
    std::promise<void> ran;
    RunOn(strand_, [&] { strand_.After(absl::Milliseconds(2), [&] { ran.set_value(); }); });
    ASSERT_EQ(ran.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready) << i;
  }
}

TEST_F(RealStrandTest, CanBeDestroyedWithTimersOutstanding) {
  auto other = std::make_unique<RealStrand>(timers_);
  RunOn(*other, [&] { other->After(absl::Milliseconds(1), [] {}); });
  other = nullptr;
  SUCCEED();
}

TEST_F(RealStrandTest, IsNotWokenAfterItsEndThoughItsLastTaskAskedForThat) {
  alignas(RealStrand) std::byte place[sizeof(RealStrand)];
  auto* const other = new (place) RealStrand(timers_);
  std::promise<void> begun;
  std::promise<void> go_on;
  std::thread poster([&] {
    other->Post([&] {
      begun.set_value();
      go_on.get_future().wait();
      other->After(absl::Milliseconds(5), [] {});
    });
  });
  begun.get_future().wait();
  // By then its end waits for that task.
  RunOn(strand_, [&] { strand_.After(absl::Milliseconds(20), [&] { go_on.set_value(); }); });
  other->~RealStrand();
  poster.join();
  std::memset(place, 0xff, sizeof place);  // whoever wakes it now does not get far
  std::promise<void> later;
  RunOn(strand_, [&] { strand_.After(absl::Milliseconds(20), [&] { later.set_value(); }); });
  later.get_future().wait();
}

class AsksAgain final : public TimerThread::Client {
 public:
  AsksAgain(TimerThread& timers, Strand& strand) : timers_(timers), strand_(strand) {}

  void Wake() override {
    if (++wakes > 1) return;
    begun.set_value();
    go_on.get_future().wait();
    timers_.WakeAt(*this, strand_.Now() + absl::Milliseconds(5));
  }

  std::atomic<int> wakes = 0;
  std::promise<void> begun;
  std::promise<void> go_on;

 private:
  TimerThread& timers_;
  Strand& strand_;
};

TEST_F(RealStrandTest, WhoWithdrawsIsNotWokenAgainThoughItAskedForThatMeanwhile) {
  AsksAgain client(timers_, strand_);
  timers_.WakeAt(client, strand_.Now());
  client.begun.get_future().wait();
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // by then the withdrawal waits
    client.go_on.set_value();
  });
  timers_.WakeAt(client, absl::InfiniteFuture());
  other.join();
  std::promise<void> later;
  RunOn(strand_, [&] { strand_.After(absl::Milliseconds(20), [&] { later.set_value(); }); });
  later.get_future().wait();
  EXPECT_EQ(client.wakes, 1);
}

TEST(WakeEventDeathTest, SaysWhatIsMissingWhereThereIsNoDescriptor) {
  const auto make_without_descriptors = [] {
    const rlimit none{};
    setrlimit(RLIMIT_NOFILE, &none);
    const WakeEvent event;
  };
  EXPECT_DEATH(make_without_descriptors(), "no descriptor .*ulimit -n");
}

TEST(LifetimeTest, GuardedCallbacksDoNothingAfterTheirOwnerHasGone) {
  int calls = 0;
  auto lifetime = std::make_unique<Lifetime>();
  auto guarded = lifetime->Guard([&](int by) { calls += by; });
  guarded(1);
  lifetime->Renew();
  guarded(10);
  auto renewed = lifetime->Guard([&](int by) { calls += by; });
  renewed(100);
  lifetime = nullptr;
  renewed(1000);
  EXPECT_EQ(calls, 101);
}

TEST_F(RealStrandTest, AnAnswerIsTakenOnTheStrandWhileItsOwnerIsThere) {
  std::vector<int> taken;
  auto lifetime = std::make_unique<Lifetime>();
  auto first = OnStrand(strand_, *lifetime, [&](int answer) { taken.push_back(answer); });
  auto second = OnStrand(strand_, *lifetime, [&](int answer) { taken.push_back(answer); });
  strand_.Post([&] {
    first(1);
    EXPECT_THAT(taken, ElementsAre());
  });
  EXPECT_THAT(taken, ElementsAre(1));
  lifetime = nullptr;
  second(2);
  EXPECT_THAT(taken, ElementsAre(1));
}

}  // namespace
}  // namespace cloudstate::base
