#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "emulator/journal/directory_lock.h"
#include "tests/unit/journal_test_support.h"

namespace cloudstate::journal {
namespace {

const Addresses kAddresses{.client = "127.0.0.1:9000", .admin = "127.0.0.1:9001"};

TEST(DirectoryLock, RefusesASecondJournalAndNamesTheFirst) {
  TestDirectory directory;
  SqliteJournal::Options options = OptionsFor(directory.path());
  options.addresses = kAddresses;
  auto first = OpenJournal(options);

  const absl::Status status = SqliteJournal::Open(options).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Contains(status, directory.path())) << status;
  EXPECT_TRUE(Contains(status, absl::StrCat("process id ", getpid()))) << status;
  EXPECT_TRUE(Contains(status, "127.0.0.1:9001")) << status;
  EXPECT_EQ(WriteAndWait(*first, AppendOf(kCart, 0)), absl::OkStatus());
}

TEST(DirectoryLock, IsFreeAgainAfterClose) {
  TestDirectory directory;
  OpenJournal(directory.path())->Close();
  EXPECT_NE(OpenJournal(directory.path()), nullptr);
}

TEST(DirectoryLock, TellsOthersWhoHoldsIt) {
  TestDirectory directory;
  auto lock = DirectoryLock::Acquire(directory.path(), {});
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_EQ((*ReadLock(directory.path()))->addresses.admin, "");

  ASSERT_EQ(lock->SetAddresses({.client = "127.0.0.1:19000", .admin = "127.0.0.1:19001"}), absl::OkStatus());
  ASSERT_EQ(lock->SetAddresses(kAddresses), absl::OkStatus());

  absl::StatusOr<std::optional<LockHolder>> holder = ReadLock(directory.path());
  ASSERT_TRUE(holder.ok()) << holder.status();
  ASSERT_TRUE(holder->has_value());
  EXPECT_EQ((*holder)->pid, getpid());
  EXPECT_EQ((*holder)->addresses.client, "127.0.0.1:9000");
  EXPECT_EQ((*holder)->addresses.admin, "127.0.0.1:9001");
}

TEST(DirectoryLock, HasNoHolderWhereThereIsNoFile) {
  TestDirectory directory;
  EXPECT_FALSE(ReadLock(directory.path())->has_value());
  EXPECT_FALSE(ReadLock(directory.path() + "/missing")->has_value());
}

TEST(DirectoryLock, IsNotHeldByAKilledProcess) {
  TestDirectory directory;
  const pid_t child = fork();
  if (child == 0) {
    auto lock = DirectoryLock::Acquire(directory.path(), kAddresses);
    kill(getpid(), lock.ok() ? SIGKILL : SIGTERM);
  }
  int state = 0;
  ASSERT_EQ(waitpid(child, &state, 0), child);
  ASSERT_EQ(WTERMSIG(state), SIGKILL);
  ASSERT_TRUE(std::filesystem::exists(directory.path() + "/lock"));

  EXPECT_FALSE(ReadLock(directory.path())->has_value());
  EXPECT_TRUE(DirectoryLock::Acquire(directory.path(), {}).ok());
}

TEST(DirectoryLock, IsNotTakenByAskingForItsHolder) {
  TestDirectory directory;
  WriteFile(directory.path() + "/lock", "pid 1\n");
  ASSERT_FALSE(ReadLock(directory.path())->has_value());
  auto lock = DirectoryLock::Acquire(directory.path(), {});
  ASSERT_TRUE(lock.ok());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ReadLock(directory.path())->has_value());
}

TEST(DirectoryLock, FailsClearlyWhereNoFileCanBeMade) {
  TestDirectory directory;
  WriteFile(directory.path() + "/file", "");
  const absl::Status status = SqliteJournal::Open(OptionsFor(directory.path() + "/file")).status();
  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(Contains(status, directory.path() + "/file")) << status;
}

}  // namespace
}  // namespace cloudstate::journal
