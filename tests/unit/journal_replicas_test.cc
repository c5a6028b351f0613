// What replica_store.h promises, on real files.
#include <gmock/gmock.h>

#include <future>
#include <utility>
#include <vector>

#include "tests/unit/journal_test_support.h"

namespace cloudstate::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

const base::EntityKey kA{"crdts", "a"};
const base::EntityKey kB{"crdts", "b"};

ReplicaPiece PieceOf(std::uint32_t node, const base::EntityKey& key, std::string state, bool whole = false) {
  return {.node = node, .key = key, .state = std::move(state), .whole = whole};
}

void Keep(SqliteJournal& journal, std::vector<ReplicaPiece> pieces) {
  std::promise<absl::Status> kept;
  journal.Keep(std::move(pieces), [&](absl::Status status) { kept.set_value(std::move(status)); });
  EXPECT_EQ(kept.get_future().get(), absl::OkStatus());
}

std::vector<ReplicaPiece> BeginLife(SqliteJournal& journal, std::uint32_t node, std::uint64_t life) {
  std::promise<absl::StatusOr<std::vector<ReplicaPiece>>> begun;
  journal.BeginLife(node, life, [&](auto pieces) { begun.set_value(std::move(pieces)); });
  absl::StatusOr<std::vector<ReplicaPiece>> pieces = begun.get_future().get();
  EXPECT_TRUE(pieces.ok()) << pieces.status();
  return pieces.ok() ? *std::move(pieces) : std::vector<ReplicaPiece>();
}

TEST(JournalReplicas, GiveEachNodeItsPiecesInTheirOrder) {
  TestDirectory directory;
  const std::string bytes("\0\xff\n", 3);
  {
    auto journal = OpenJournal(directory.path());
    Keep(*journal, {PieceOf(1, kA, bytes), PieceOf(2, kA, "of two"), PieceOf(1, kB, "b")});
    Keep(*journal, {PieceOf(1, kA, "")});
  }
  auto journal = OpenJournal(directory.path());
  EXPECT_THAT(BeginLife(*journal, 1, 2), ElementsAre(PieceOf(1, kA, bytes), PieceOf(1, kB, "b"), PieceOf(1, kA, "")));
  EXPECT_THAT(BeginLife(*journal, 2, 2), ElementsAre(PieceOf(2, kA, "of two")));
  EXPECT_THAT(BeginLife(*journal, 3, 1), IsEmpty());
}

TEST(JournalReplicas, AWholePieceReplacesThoseOfItsNodeAndEntity) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  Keep(*journal, {PieceOf(1, kA, "1"), PieceOf(1, kB, "b"), PieceOf(2, kA, "2")});
  Keep(*journal, {PieceOf(1, kA, "whole", true), PieceOf(1, kA, "after")});
  EXPECT_THAT(BeginLife(*journal, 1, 1),
              ElementsAre(PieceOf(1, kB, "b"), PieceOf(1, kA, "whole"), PieceOf(1, kA, "after")));
  EXPECT_THAT(BeginLife(*journal, 2, 1), ElementsAre(PieceOf(2, kA, "2")));
}

TEST(JournalReplicas, TellsTheLastLifeOfEachNode) {
  TestDirectory directory;
  {
    auto journal = OpenJournal(directory.path());
    EXPECT_THAT(journal->FormerLives(), IsEmpty());
    BeginLife(*journal, 1, 1);
    BeginLife(*journal, 2, 1);
    BeginLife(*journal, 1, 4);
    EXPECT_THAT(journal->FormerLives(), IsEmpty());
  }
  EXPECT_THAT(OpenJournal(directory.path())->FormerLives(), ElementsAre(Pair(1, 4), Pair(2, 1)));
}

TEST(JournalReplicas, GivesTheFirstNodeWhatThoseThatDoNotComeHad) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  Keep(*journal, {PieceOf(1, kA, "1"), PieceOf(2, kA, "2"), PieceOf(3, kA, "3"), PieceOf(4, kB, "4")});
  std::promise<absl::Status> inherited;
  journal->Inherit(2, [&](absl::Status status) { inherited.set_value(std::move(status)); });
  EXPECT_EQ(inherited.get_future().get(), absl::OkStatus());
  EXPECT_THAT(BeginLife(*journal, 1, 1), ElementsAre(PieceOf(1, kA, "1"), PieceOf(1, kA, "3"), PieceOf(1, kB, "4")));
  EXPECT_THAT(BeginLife(*journal, 2, 1), ElementsAre(PieceOf(2, kA, "2")));
  EXPECT_THAT(BeginLife(*journal, 3, 1), IsEmpty());
}

TEST(JournalReplicas, EmptiesTheDisksOfOthers) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  Keep(*journal, {PieceOf(1, kA, "1"), PieceOf(2, kA, "2"), PieceOf(3, kA, "3"), PieceOf(4, kB, "4")});
  std::promise<absl::Status> emptied;
  journal->KeepOnly({1, 3, 7}, [&](absl::Status status) { emptied.set_value(std::move(status)); });
  EXPECT_EQ(emptied.get_future().get(), absl::OkStatus());
  EXPECT_THAT(BeginLife(*journal, 1, 1), ElementsAre(PieceOf(1, kA, "1")));
  EXPECT_THAT(BeginLife(*journal, 2, 1), IsEmpty());
  EXPECT_THAT(BeginLife(*journal, 3, 1), ElementsAre(PieceOf(3, kA, "3")));
  EXPECT_THAT(BeginLife(*journal, 4, 1), IsEmpty());
}

}  // namespace
}  // namespace cloudstate::journal
