#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/interruption.h"

namespace cloudstate::cli {
namespace {

// In processes of their own, in which no thread is there already that a signal could end.
class InterruptionDeathTest : public ::testing::Test {
 protected:
  InterruptionDeathTest() { ::testing::GTEST_FLAG(death_test_style) = "threadsafe"; }

  // Exits with how often it was called after two signals, if it is still there then.
  [[noreturn]] static void SignalTwice(absl::Duration between) {
    std::atomic<int> calls = 0;
    {
      const Interruption interruption([&] { ++calls; });
      kill(getpid(), SIGINT);
      while (calls == 0) absl::SleepFor(absl::Milliseconds(1));
      absl::SleepFor(between);
      kill(getpid(), SIGINT);
      absl::SleepFor(absl::Milliseconds(100));
    }
    _exit(calls);
  }
};

TEST_F(InterruptionDeathTest, TakesASignalThatIsToldTwiceForOne) {
  EXPECT_EXIT(SignalTwice(absl::Milliseconds(20)), ::testing::ExitedWithCode(1), "");
}

TEST_F(InterruptionDeathTest, LeavesASecondOneToEndTheProgram) {
  EXPECT_EXIT(SignalTwice(2 * kTheSameSignal), ::testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace cloudstate::cli
