// A process that appends under load is killed with SIGKILL, again and again. What it was told is durable is there.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include "emulator/journal/integrity.h"
#include "tests/unit/journal_test_support.h"

namespace cloudstate::journal {
namespace {

constexpr int kEntities = 16;
constexpr int kAppendsBeforeTheKill = 150;

// What a child tells when an append was acknowledged; smaller than a pipe's atomic write.
struct Acknowledged {
  int entity;
  SequenceNumber last;
};

EntityKey KeyOf(int entity) { return {"cart", absl::StrCat(entity)}; }

// Appends one to three events to each entity, again and again, until it is killed.
[[noreturn]] void AppendUntilKilled(const std::string& directory, int pipe) {
  auto journal = SqliteJournal::Open(OptionsFor(directory));
  if (!journal.ok()) _exit(1);
  std::array<SequenceNumber, kEntities> last;
  for (int entity = 0; entity < kEntities; ++entity) last[entity] = LoadPage(**journal, KeyOf(entity))->last_sequence;
  for (int round = 0;; ++round) {
    std::vector<std::future<absl::Status>> results;
    for (int entity = 0; entity < kEntities; ++entity) {
      const int count = 1 + (round + entity) % 3;
      Append append = AppendOf(KeyOf(entity), last[entity], count);
      last[entity] += count;
      if (round % 7 == 0) append.snapshot = Payload{"x/Snapshot", absl::StrCat(last[entity])};
      const Acknowledged told{entity, last[entity]};
      auto done = std::make_shared<std::promise<absl::Status>>();
      results.push_back(done->get_future());
      (*journal)->Write(std::move(append), [pipe, told, done](absl::Status status) {
        if (!status.ok() || write(pipe, &told, sizeof told) != sizeof told) _exit(1);
        done->set_value(status);
      });
    }
    for (auto& result : results) result.wait();
  }
}

TEST(JournalKill, KeepsEveryAcknowledgedEventExactlyOnceAndInOrderOver20Kills) {
  TestDirectory directory;
  std::array<SequenceNumber, kEntities> acknowledged = {};
  for (int kills = 0; kills < 20; ++kills) {
    int pipes[2];
    ASSERT_EQ(pipe(pipes), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(pipes[0]);
      AppendUntilKilled(directory.path(), pipes[1]);
    }
    close(pipes[1]);
    Acknowledged told;
    const int wait_for = kAppendsBeforeTheKill + 13 * kills;  // not always at the same point of a round
    for (int seen = 0; read(pipes[0], &told, sizeof told) == sizeof told; ++seen) {
      acknowledged[told.entity] = told.last;
      if (seen == wait_for) kill(child, SIGKILL);
    }
    close(pipes[0]);
    int state = 0;
    ASSERT_EQ(waitpid(child, &state, 0), child);
    ASSERT_TRUE(WIFSIGNALED(state)) << "exit code " << WEXITSTATUS(state);

    auto journal = OpenJournal(directory.path());
    ASSERT_NE(journal, nullptr);
    for (int entity = 0; entity < kEntities; ++entity) {
      const SequenceNumber kept = CountSoundEvents(*journal, KeyOf(entity));
      EXPECT_GE(kept, acknowledged[entity]) << "entity " << entity << " after " << kills << " kills";
      EXPECT_LE(kept, acknowledged[entity] + 3) << "more than the one append that was outstanding";
      absl::StatusOr<Replay> replay = LoadPage(*journal, KeyOf(entity));
      ASSERT_TRUE(replay.ok()) << replay.status();
      ASSERT_TRUE(replay->snapshot.has_value());
      EXPECT_EQ(replay->snapshot->payload.value, absl::StrCat(replay->snapshot->sequence));
    }
    ASSERT_EQ(CheckIntegrity(journal->file())->problems, std::vector<std::string>{});
    ASSERT_FALSE(HasFailure());
  }
}

}  // namespace
}  // namespace cloudstate::journal
