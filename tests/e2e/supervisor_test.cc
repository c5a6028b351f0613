#include "emulator/userfunction/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "emulator/base/log.h"
#include "emulator/userfunction/process.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate::userfunction {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// A zombie that nobody has reaped yet does not run any more.
bool Runs(const std::string& pid) {
  std::ifstream stat("/proc/" + pid + "/stat");
  const std::string text((std::istreambuf_iterator<char>(stat)), {});
  return !text.empty() && text.find(") Z ") == std::string::npos && text.find(") X ") == std::string::npos;
}

// Keeps what a supervisor says and waits for it.
class SupervisorTest : public ::testing::Test {
 protected:
  void Start(const std::string& script, Supervisor::Options options = {}) {
    options.command = {"/bin/sh", "-c", script};
    if (options.grace == absl::Seconds(10)) options.grace = absl::Seconds(2);
    if (options.first_backoff == absl::Milliseconds(200)) options.first_backoff = absl::Milliseconds(20);
    auto supervisor = Supervisor::Start(
        options, {.on_output = [this](std::string_view line) { Add("> ", line); },
                  .on_started =
                      [this](pid_t pid, int restarts) {
                        pid_ = pid;
                        Add("started ", absl::StrCat(restarts));
                      },
                  .on_ended =
                      [this](const std::string& how, absl::Duration again_in) {
                        Add("ended ", absl::StrCat(how, ", again in ", absl::FormatDuration(again_in)));
                      },
                  .on_changed = [this](const std::string& path) { Add("changed ", path); }});
    ASSERT_TRUE(supervisor.ok()) << supervisor.status();
    supervisor_ = *std::move(supervisor);
  }

  void Add(std::string_view what, std::string_view text) {
    std::lock_guard lock(mutex_);
    lines_.push_back(std::string(what) + std::string(text));
    changed_.notify_all();
  }

  // Until a line contains `text`; false after a time that no machine needs.
  bool WaitFor(const std::string& text) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] {
      return std::ranges::any_of(lines_, [&](const std::string& line) { return line.find(text) != std::string::npos; });
    });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  std::atomic<pid_t> pid_ = 0;
  std::unique_ptr<Supervisor> supervisor_;
};

TEST_F(SupervisorTest, PassesOnOutputLineByLineAndTheEnvironment) {
  Supervisor::Options options;
  options.environment = {{"PORT", "1234"}};
  Start("echo port $PORT; echo error >&2; printf unfinished", options);
  EXPECT_TRUE(WaitFor("> port 1234"));
  EXPECT_TRUE(WaitFor("> error"));
  EXPECT_TRUE(WaitFor("> unfinished"));
}

TEST_F(SupervisorTest, StartsItAgainWhenItEnds) {
  Start("exit 3");
  EXPECT_TRUE(WaitFor("ended exited with 3"));
  EXPECT_TRUE(WaitFor("started 2"));
}

TEST_F(SupervisorTest, SaysWhichSignalKilledIt) {
  Start("sleep 60");
  ASSERT_TRUE(WaitFor("started 0"));
  kill(pid_, SIGKILL);
  EXPECT_TRUE(WaitFor("was killed by signal 9 (Killed)"));
  EXPECT_TRUE(WaitFor("started 1"));
}

TEST_F(SupervisorTest, EndsTheWholeProcessGroup) {
  Start("sleep 1000 & echo child $!; wait");
  ASSERT_TRUE(WaitFor("> child "));
  std::string child;
  {
    std::lock_guard lock(mutex_);
    child = lines_.back().substr(lines_.back().rfind(' ') + 1);
  }
  supervisor_ = nullptr;
  // The signal has been sent; the kernel may need a moment.
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (Runs(child) && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_FALSE(Runs(child));
}

TEST_F(SupervisorTest, KillsWhatIgnoresTheRequestToEnd) {
  Supervisor::Options options;
  options.grace = absl::Milliseconds(100);
  Start("trap '' TERM; echo ready; while true; do sleep 0.05; done", options);
  ASSERT_TRUE(WaitFor("> ready"));
  supervisor_ = nullptr;
  EXPECT_THAT(lines_, Contains(HasSubstr("was killed by signal 9")));
}

TEST_F(SupervisorTest, EndsAChildThatNeverStopsWriting) {
  Start("yes");
  ASSERT_TRUE(WaitFor("> y"));
  supervisor_ = nullptr;
  EXPECT_THAT(lines_.back(), HasSubstr("was killed by signal 15"));
}

TEST_F(SupervisorTest, RestartsWhenAWatchedFileChanges) {
  testing::TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() / "src");
  Supervisor::Options options;
  options.watch_directory = directory.path().string();
  Start("echo running; sleep 60", options);
  ASSERT_TRUE(WaitFor("> running"));
  std::ofstream(directory.path() / "src" / "main.js") << "changed";
  EXPECT_TRUE(WaitFor("changed " + (directory.path() / "src" / "main.js").string()));
  EXPECT_TRUE(WaitFor("started 1"));
}

TEST_F(SupervisorTest, AChangeEndsTheBackOffAndIsForgottenWithIt) {
  testing::TemporaryDirectory watched;
  testing::TemporaryDirectory other;
  const std::string crashed = (other.path() / "crashed").string();
  Supervisor::Options options;
  options.watch_directory = watched.path().string();
  options.first_backoff = absl::Minutes(1);
  options.last_backoff = absl::Minutes(2);
  options.settle = absl::Milliseconds(300);
  Start("test -e " + crashed + " && echo mended && exec sleep 60; touch " + crashed + "; exit 1", options);
  ASSERT_TRUE(WaitFor("ended exited with 1, again in 1m"));
  const absl::Time changed = absl::Now();
  std::ofstream(watched.path() / "main.js") << "mended";
  ASSERT_TRUE(WaitFor("> mended")) << absl::StrJoin(lines_, "\n");
  EXPECT_GE(absl::Now() - changed, options.settle);
  kill(pid_, SIGKILL);
  EXPECT_TRUE(WaitFor("ended was killed by signal 9 (Killed), again in 1m"));
}

TEST_F(SupervisorTest, DoesNotRestartForHiddenFilesAndBuildFolders) {
  testing::TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() / "node_modules");
  Supervisor::Options options;
  options.watch_directory = directory.path().string();
  Start("echo running; sleep 60", options);
  ASSERT_TRUE(WaitFor("> running"));
  std::ofstream(directory.path() / ".swap") << "x";
  std::ofstream(directory.path() / "node_modules" / "module.js") << "x";
  std::ofstream(directory.path() / "real.js") << "x";
  ASSERT_TRUE(WaitFor("changed "));
  EXPECT_THAT(lines_, Contains("changed " + (directory.path() / "real.js").string()));
  EXPECT_THAT(lines_, ::testing::Not(Contains(HasSubstr(".swap"))));
  EXPECT_THAT(lines_, ::testing::Not(Contains(HasSubstr("node_modules"))));
}

TEST(GroupGuardTest, WarnsWhereNothingCanGuardTheGroup) {
  rlimit usual{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &usual), 0);
  std::string warned;
  const base::LogListening listening([&](base::LogLevel, const std::string& text) { warned += text; });
  const rlimit none{.rlim_cur = 0, .rlim_max = usual.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  { const GroupGuard guard(12345); }
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &usual), 0);
  EXPECT_THAT(warned, HasSubstr("nothing will end process group 12345 should this process be killed: Too many open"));
}

TEST(SupervisorStartTest, NamesACommandThatIsNotThere) {
  Supervisor::Options options;
  options.command = {"no-such-program-anywhere"};
  const auto supervisor = Supervisor::Start(options, {});
  ASSERT_FALSE(supervisor.ok());
  EXPECT_THAT(std::string(supervisor.status().message()), HasSubstr("no-such-program-anywhere"));
}

TEST(SupervisorStartTest, NamesADirectoryThatIsNotThere) {
  Supervisor::Options options;
  options.command = {"/bin/sh"};
  options.watch_directory = "/no/such/directory";
  EXPECT_THAT(std::string(Supervisor::Start(options, {}).status().message()), HasSubstr("/no/such/directory"));
}

}  // namespace
}  // namespace cloudstate::userfunction
