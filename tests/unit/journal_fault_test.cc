// What the journal does when the disk does not do as it should.

#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "emulator/journal/integrity.h"
#include "emulator/journal/sqlite_browser.h"
#include "tests/unit/journal_fault_disk.h"
#include "tests/unit/journal_test_support.h"

namespace cloudstate::journal {
namespace {

struct Fault {
  int code;
  int system_error;
  absl::StatusCode expected;
};

constexpr Fault kFaults[] = {
    {SQLITE_FULL, ENOSPC, absl::StatusCode::kResourceExhausted},
    {SQLITE_IOERR_WRITE, EDQUOT, absl::StatusCode::kResourceExhausted},
    {SQLITE_IOERR_WRITE, EROFS, absl::StatusCode::kPermissionDenied},
    {SQLITE_READONLY, 0, absl::StatusCode::kPermissionDenied},
    {SQLITE_IOERR_FSYNC, EIO, absl::StatusCode::kUnavailable},
    {SQLITE_CORRUPT, 0, absl::StatusCode::kDataLoss},
};

TEST(JournalFaults, AnswersWithAStatusThatNamesTheFileAndGoesOnWhenTheDiskIsMended) {
  for (const Fault& fault : kFaults) {
    TestDirectory directory;
    FaultDisk disk;
    auto journal = OpenJournal(directory.path());
    ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 0, 2)), absl::OkStatus());

    disk.FailAfter(0, fault.code, fault.system_error);
    for (int i = 0; i < 3; ++i) {
      const absl::Status status = WriteAndWait(*journal, AppendOf(kCart, 2, 2));
      EXPECT_EQ(status.code(), fault.expected) << status;
      EXPECT_TRUE(Contains(status, journal->file())) << status;
      EXPECT_EQ(CountSoundEvents(*journal, kCart), 2);
    }
    disk.Mend();

    EXPECT_EQ(WriteAndWait(*journal, AppendOf(kCart, 2, 2)), absl::OkStatus());
    EXPECT_EQ(CountSoundEvents(*journal, kCart), 4);
    journal = nullptr;
    EXPECT_EQ(CountSoundEvents(*OpenJournal(directory.path()), kCart), 4);
    EXPECT_EQ(CheckIntegrity(directory.journal())->problems, std::vector<std::string>{});
  }
}

// Writes to some entities, the disk failing from its n-th operation on; then again on the mended disk. Only what was
// acknowledged is there. Gives false when n was past all operations.
bool SurvivesFailureAt(int n, const Fault& fault) {
  TestDirectory directory;
  FaultDisk disk;
  auto journal = OpenJournal(directory.path());
  std::map<std::string, SequenceNumber> acknowledged;
  auto write_round = [&] {
    std::map<std::string, std::future<absl::Status>> results;
    for (const std::string id : {"a", "b", "c"}) {
      Append append = AppendOf({"cart", id}, acknowledged[id], 2);
      append.events[0].type_url = "x/Event";
      append.snapshot = Payload{"x/Snapshot", std::string(20'000, 's')};
      results[id] = StartWrite(*journal, append);
    }
    for (auto& [id, result] : results) {
      if (result.get().ok()) acknowledged[id] += 2;
    }
  };
  disk.FailAfter(n, fault.code, fault.system_error);
  for (int round = 0; round < 3; ++round) write_round();
  const bool failed = disk.Failed();
  disk.Mend();
  write_round();
  for (const auto& [id, last] : acknowledged) {
    EXPECT_GE(last, 2) << n;
    EXPECT_EQ(CountSoundEvents(*journal, {"cart", id}), last) << n;
  }
  journal = nullptr;
  journal = OpenJournal(directory.path());
  for (const auto& [id, last] : acknowledged) EXPECT_EQ(CountSoundEvents(*journal, {"cart", id}), last) << n;
  EXPECT_EQ(CheckIntegrity(directory.journal())->problems, std::vector<std::string>{}) << n;
  return failed;
}

TEST(JournalFaults, LosesNothingAcknowledgedWhicheverOperationOfTheDiskFails) {
  for (const Fault& fault : {kFaults[0], kFaults[4]}) {
    int n = 0;
    while (SurvivesFailureAt(n, fault) && !testing::Test::HasFailure()) n += n < 20 ? 1 : 7;
    EXPECT_GT(n, 20);  // or this test tests nothing
  }
}

TEST(JournalFaults, GoesOnAfterTheFileSizeLimitOfTheProcessWasReachedAndLifted) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  signal(SIGXFSZ, SIG_IGN);
  rlimit old = {};
  getrlimit(RLIMIT_FSIZE, &old);
  rlimit small = old;
  small.rlim_cur = 200'000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  SequenceNumber acknowledged = 0;
  absl::Status status;
  while (status.ok() && acknowledged < 10'000) {
    status = WriteAndWait(*journal, AppendOf(kCart, acknowledged, 50));
    if (status.ok()) acknowledged += 50;
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_TRUE(Contains(status, journal->file())) << status;
  EXPECT_EQ(CountSoundEvents(*journal, kCart), acknowledged);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  signal(SIGXFSZ, SIG_DFL);

  EXPECT_EQ(WriteAndWait(*journal, AppendOf(kCart, acknowledged, 50)), absl::OkStatus());
  EXPECT_EQ(CountSoundEvents(*journal, kCart), acknowledged + 50);
}

TEST(JournalFaults, ShardsCanBeClaimedWhileTheDiskFails) {
  TestDirectory directory;
  FaultDisk disk;
  auto journal = OpenJournal(directory.path());
  disk.FailAfter(0, SQLITE_IOERR_WRITE, EIO);
  auto write = StartWrite(*journal, AppendOf(kCart, 0));
  auto claim = StartClaim(*journal, {{ShardId{7}, 0, 1, 11}});

  EXPECT_FALSE(write.get().ok());
  const Holders holders = claim.get();
  ASSERT_TRUE(holders.ok()) << holders.status();
  EXPECT_EQ(*holders, (std::vector<ShardHolder>{{1, 1, 11}}));
  disk.Mend();
}

// Gives up root's right to write where permissions forbid it. The right to find and read everything is kept: the path
// to the temporary directory may lead through one that is root's alone.
bool DropRightToWrite() {
  constexpr unsigned kNobody = 65534;
  if (prctl(PR_SET_KEEPCAPS, 1) != 0 || setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 || setuid(kNobody) != 0) {
    return false;
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct capabilities[_LINUX_CAPABILITY_U32S_3] = {};
  capabilities[0].effective = capabilities[0].permitted = 1U << CAP_DAC_READ_SEARCH;
  return syscall(SYS_capset, &header, capabilities) == 0;
}

// Runs in a child process that may write only where permissions let it, and gives its exit code.
int RunUnprivileged(const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit((geteuid() != 0 || DropRightToWrite()) && body() ? 0 : 1);
  int state = 0;
  waitpid(child, &state, 0);
  return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

bool Check(const absl::Status& status, absl::StatusCode code) {
  if (status.code() != code) fprintf(stderr, "unexpected: %s\n", status.ToString().c_str());
  return status.code() == code;
}

TEST(JournalFaults, RefusesADirectoryThatMayNotBeWritten) {
  TestDirectory directory;
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0555));
  EXPECT_EQ(RunUnprivileged([&] {
              return Check(SqliteJournal::Open(OptionsFor(directory.path())).status(),
                           absl::StatusCode::kPermissionDenied) &&
                     Check(SqliteJournal::Open(OptionsFor(directory.path() + "/deeper")).status(),
                           absl::StatusCode::kPermissionDenied);
            }),
            0);
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
}

TEST(JournalFaults, RefusesAFileThatMayNotBeWritten) {
  TestDirectory directory;
  OpenJournal(directory.path());
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0777));
  std::filesystem::permissions(directory.journal(), std::filesystem::perms(0444));
  EXPECT_EQ(RunUnprivileged([&] {
              return Check(SqliteJournal::Open(OptionsFor(directory.path())).status(),
                           absl::StatusCode::kPermissionDenied);
            }),
            0);
}

TEST(JournalFaults, CanBeLookedIntoInADirectoryThatMayNotBeWritten) {
  TestDirectory parent;
  std::filesystem::permissions(parent.path(), std::filesystem::perms(0755));
  const std::string directory = parent.path() + "/100%?#1";
  std::string file;
  {
    auto journal = OpenJournal(directory);
    file = journal->file();
    ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 0, 2)), absl::OkStatus());
  }
  std::filesystem::permissions(directory, std::filesystem::perms(0555));
  EXPECT_EQ(RunUnprivileged([&] {
              auto browser = SqliteBrowser::Open(file);
              return Check(browser.status(), absl::StatusCode::kOk) && (*browser)->Entity(kCart)->last_sequence == 2;
            }),
            0);
  std::filesystem::permissions(directory, std::filesystem::perms(0755));
}

// Whether users who own none of the directories above can get to the path at all.
bool ReachableByOthers(std::filesystem::path path) {
  for (; path.has_relative_path(); path = path.parent_path()) {
    const auto permissions = std::filesystem::status(path.parent_path()).permissions();
    if ((permissions & std::filesystem::perms::others_exec) == std::filesystem::perms::none) return false;
  }
  return true;
}

TEST(JournalFaults, CanBeLookedIntoByOthersWhileItIsWrittenTo) {
  TestDirectory directory;
  // SQLite asks access(), for which the right to find everything does not count.
  if (!ReachableByOthers(directory.path())) GTEST_SKIP() << "other users cannot reach " << directory.path();
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
  auto journal = OpenJournal(directory.path());
  ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 0, 2)), absl::OkStatus());
  EXPECT_EQ(RunUnprivileged([&] {
              auto browser = SqliteBrowser::Open(directory.journal());
              return Check(browser.status(), absl::StatusCode::kOk) && (*browser)->Entity(kCart)->last_sequence == 2;
            }),
            0);
}

TEST(JournalFaults, RefusesAFileThatIsNoDatabaseAndLeavesItAlone) {
  TestDirectory directory;
  const std::string garbage = "This is not a journal.\n" + std::string(10'000, '?');
  WriteFile(directory.journal(), garbage);
  for (const absl::Status& status :
       {SqliteJournal::Open(OptionsFor(directory.path())).status(), SqliteBrowser::Open(directory.journal()).status(),
        CheckIntegrity(directory.journal()).status()}) {
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_TRUE(Contains(status, directory.journal())) << status;
  }
  EXPECT_EQ(ReadFile(directory.journal()), garbage);
}

TEST(JournalFaults, RefusesAFileWhoseHeaderWasOverwritten) {
  TestDirectory directory;
  ASSERT_EQ(WriteAndWait(*OpenJournal(directory.path()), AppendOf(kCart, 0, 2)), absl::OkStatus());
  std::string bytes = ReadFile(directory.journal());
  bytes.replace(0, 100, std::string(100, '\xee'));
  WriteFile(directory.journal(), bytes);
  EXPECT_TRUE(absl::IsDataLoss(SqliteJournal::Open(OptionsFor(directory.path())).status()));
  EXPECT_EQ(ReadFile(directory.journal()), bytes);
}

TEST(JournalFaults, NeverGivesWrongEventsFromAFileWithAnOverwrittenPage) {
  TestDirectory directory;
  {
    auto journal = OpenJournal(directory.path());
    Append append = AppendOf(kCart, 0, 0);
    for (int i = 1; i <= 1'000; ++i) append.events.push_back({"x/Event", absl::StrCat(i)});
    ASSERT_EQ(WriteAndWait(*journal, append), absl::OkStatus());
  }
  const std::string sound = ReadFile(directory.journal());
  constexpr std::size_t kPage = 4096;
  int noticed = 0;
  for (std::size_t page = 1; page < sound.size() / kPage; ++page) {
    std::string bytes = sound;
    bytes.replace(page * kPage, kPage, std::string(kPage, '\xa5'));
    WriteFile(directory.journal(), bytes);
    auto journal = SqliteJournal::Open(OptionsFor(directory.path()));
    absl::StatusOr<Replay> replay =
        journal.ok() ? LoadPage(**journal, kCart, 0) : absl::StatusOr<Replay>(journal.status());
    if (!replay.ok()) {
      ++noticed;
      EXPECT_TRUE(absl::IsDataLoss(replay.status())) << replay.status();
      EXPECT_TRUE(Contains(replay.status(), directory.journal())) << replay.status();
    } else {
      ASSERT_EQ(replay->events.size(), 1'000u);
      for (int i = 0; i < 1'000; ++i) {
        EXPECT_EQ(replay->events[static_cast<std::size_t>(i)].payload.value, absl::StrCat(i + 1));
      }
    }
    journal = absl::UnknownError("closed");
    absl::StatusOr<IntegrityReport> report = CheckIntegrity(directory.journal());
    EXPECT_TRUE(!report.ok() || !report->problems.empty()) << "page " << page;
  }
  EXPECT_GT(noticed, 10);
}

}  // namespace
}  // namespace cloudstate::journal
