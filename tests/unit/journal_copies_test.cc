// What copies.h promises, on real files.
#include <gmock/gmock.h>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/journal/integrity.h"
#include "emulator/journal/sqlite_browser.h"
#include "emulator/journal/writer.h"
#include "tests/unit/journal_test_support.h"

namespace cloudstate::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const EntityKey kOther{"cart", "b"};

class JournalCopies : public ::testing::Test {
 protected:
  template <class Ask>
  static absl::Status Wait(Ask ask) {
    auto done = std::make_shared<std::promise<absl::Status>>();
    ask([done](absl::Status status) { done->set_value(std::move(status)); });
    return done->get_future().get();
  }
  absl::Status Clear() {
    return Wait([this](auto done) { journal_->ClearAll(std::move(done)); });
  }
  absl::Status Restore(std::uint64_t copy) {
    return Wait([this, copy](auto done) { journal_->RestoreCopy(copy, std::move(done)); });
  }
  absl::Status Drop(std::vector<std::uint64_t> copies) {
    return Wait([&](auto done) { journal_->DropCopies(std::move(copies), std::move(done)); });
  }
  StoredAmount Keep(std::uint64_t copy) {
    std::promise<absl::StatusOr<StoredAmount>> kept;
    journal_->KeepCopy(copy, [&](absl::StatusOr<StoredAmount> amount) { kept.set_value(std::move(amount)); });
    const absl::StatusOr<StoredAmount> amount = kept.get_future().get();
    EXPECT_TRUE(amount.ok()) << amount.status();
    return amount.value_or(StoredAmount());
  }
  void Store(const EntityKey& key, SequenceNumber expected, int count) {
    ASSERT_EQ(WriteAndWait(*journal_, AppendOf(key, expected, count)), absl::OkStatus());
  }
  std::vector<std::int64_t> Positions() {
    const auto browser = SqliteBrowser::Open(directory_.journal());
    EXPECT_TRUE(browser.ok()) << browser.status();
    const auto events = (*browser)->EventsAfter(0, {}, 1000);
    EXPECT_TRUE(events.ok()) << events.status();
    std::vector<std::int64_t> positions;
    for (const EventRow& event : *events) positions.push_back(event.position);
    return positions;
  }

  TestDirectory directory_;
  std::unique_ptr<SqliteJournal> journal_ = OpenJournal(directory_.path());
};

TEST_F(JournalCopies, NothingIsLeftWhenAllIsCleared) {
  Append append = AppendOf(kCart, 0, 3);
  append.snapshot = Payload{"x/Snapshot", "s"};
  ASSERT_EQ(WriteAndWait(*journal_, append), absl::OkStatus());
  Store(kOther, 0, 2);

  ASSERT_EQ(Clear(), absl::OkStatus());

  EXPECT_EQ(CountSoundEvents(*journal_, kCart), 0);
  EXPECT_FALSE(LoadPage(*journal_, kCart)->snapshot.has_value());
  EXPECT_THAT(Positions(), IsEmpty());
  Store(kCart, 0, 2);
  EXPECT_EQ(CountSoundEvents(*journal_, kCart), 2);
}

TEST_F(JournalCopies, PositionsGoOnWhenAllIsCleared) {
  Store(kCart, 0, 3);
  ASSERT_EQ(Clear(), absl::OkStatus());
  Store(kCart, 0, 2);
  EXPECT_THAT(Positions(), ElementsAre(4, 5));
}

TEST_F(JournalCopies, ClearingIsBetweenTheWritesAskedForBeforeAndAfter) {
  auto before = StartWrite(*journal_, AppendOf(kCart, 0, 3));
  auto cleared = std::make_shared<std::promise<absl::Status>>();
  journal_->ClearAll([cleared](absl::Status status) { cleared->set_value(std::move(status)); });
  auto after = StartWrite(*journal_, AppendOf(kCart, 0, 1));
  EXPECT_EQ(before.get(), absl::OkStatus());
  EXPECT_EQ(cleared->get_future().get(), absl::OkStatus());
  EXPECT_EQ(after.get(), absl::OkStatus());
  EXPECT_EQ(CountSoundEvents(*journal_, kCart), 1);
}

TEST_F(JournalCopies, ClaimsEndAndWhoeverAsksNextIsGrantedWhatItAsksFor) {
  const ShardId shard{7};
  ASSERT_TRUE(StartClaim(*journal_, {{shard, 0, 1, 11}}).get().ok());
  ASSERT_TRUE(StartClaim(*journal_, {{shard, 1, 2, 22}}).get().ok());
  ASSERT_EQ(Clear(), absl::OkStatus());

  EXPECT_FALSE(journal_->Holds({shard, 2}));
  Append late = AppendOf(kCart, 0, 1);
  late.fence = {shard, 2, 2};
  const absl::Status refused = WriteAndWait(*journal_, late);
  EXPECT_TRUE(absl::IsAborted(refused)) << refused;
  EXPECT_TRUE(Contains(refused, "epoch 2 of shard 7 is over: the emulator was reset")) << refused;

  EXPECT_EQ(*StartClaim(*journal_, {{shard, 0, 1, 12}}).get(), (std::vector<ShardHolder>{{4, 1, 12}}));
  EXPECT_EQ(*StartClaim(*journal_, {{shard, 0, 2, 23}}).get(), (std::vector<ShardHolder>{{4, 1, 12}}));
  EXPECT_TRUE(journal_->Holds({shard, 4}));
}

TEST_F(JournalCopies, WhatNodesKnowOfCrdtEntitiesGoesButTheirLivesStay) {
  ASSERT_EQ(Wait([this](auto done) {
              journal_->Keep({{.node = 1, .key = {"crdts", "a"}, .state = "known", .whole = true}}, std::move(done));
            }),
            absl::OkStatus());
  const auto begin = [this](std::uint64_t life) {
    std::promise<absl::StatusOr<std::vector<ReplicaPiece>>> begun;
    journal_->BeginLife(1, life, [&](auto pieces) { begun.set_value(std::move(pieces)); });
    return begun.get_future().get();
  };
  ASSERT_THAT(*begin(5), SizeIs(1));
  ASSERT_EQ(Clear(), absl::OkStatus());
  EXPECT_THAT(*begin(6), IsEmpty());
  journal_ = nullptr;
  journal_ = OpenJournal(directory_.path());
  EXPECT_EQ(journal_->FormerLives().at(1), 6u);
}

TEST_F(JournalCopies, ACopyIsRestoredAsOftenAsOneLikes) {
  Append append = AppendOf(kCart, 0, 3);
  append.snapshot = Payload{"x/Snapshot", "s"};
  ASSERT_EQ(WriteAndWait(*journal_, append), absl::OkStatus());
  EXPECT_EQ(Keep(1), (StoredAmount{.entities = 1, .events = 3}));

  for (int i = 0; i < 2; ++i) {
    Store(kCart, 3, 2);
    Store(kOther, 0, 1);
    ASSERT_EQ(Restore(1), absl::OkStatus());
    EXPECT_EQ(CountSoundEvents(*journal_, kCart), 3);
    EXPECT_EQ(CountSoundEvents(*journal_, kOther), 0);
    EXPECT_EQ(LoadPage(*journal_, kCart)->snapshot->payload, (Payload{"x/Snapshot", "s"}));
    EXPECT_THAT(Positions(), ElementsAre(1, 2, 3));
  }
  Store(kCart, 3, 1);
  EXPECT_THAT(Positions(), ElementsAre(1, 2, 3, 10)) << "those of events that are gone are not used again";
}

TEST_F(JournalCopies, ARestoredJournalIsSoundAndSurvivesBeingClosed) {
  Store(kCart, 0, 3);
  Keep(1);
  ASSERT_EQ(Clear(), absl::OkStatus());
  ASSERT_EQ(Restore(1), absl::OkStatus());
  journal_ = nullptr;
  const auto report = CheckIntegrity(directory_.journal());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->problems, IsEmpty());
  journal_ = OpenJournal(directory_.path());
  EXPECT_EQ(CountSoundEvents(*journal_, kCart), 3);
}

TEST_F(JournalCopies, OneCopyDoesNotTouchAnother) {
  EXPECT_EQ(Keep(1), StoredAmount()) << "of nothing";
  Store(kCart, 0, 2);
  EXPECT_EQ(Keep(2), (StoredAmount{.entities = 1, .events = 2}));
  ASSERT_EQ(Restore(1), absl::OkStatus());
  EXPECT_EQ(CountSoundEvents(*journal_, kCart), 0);
  ASSERT_EQ(Restore(2), absl::OkStatus());
  EXPECT_EQ(CountSoundEvents(*journal_, kCart), 2);
}

TEST_F(JournalCopies, ACopyThatFailsTakesNoWritesWithIt) {
  Keep(1);
  journal_ = nullptr;
  Fences fences;
  auto connection = Connection::Open(directory_.journal(), Connection::Mode::kCreate);
  ASSERT_TRUE(connection.ok()) << connection.status();
  auto writer = Writer::Make(*std::move(connection), fences);
  ASSERT_TRUE(writer.ok()) << writer.status();
  const auto keep = [] { return CopyChange(KeepStored{.copy = 1, .amount = std::make_shared<StoredAmount>()}); };
  const std::vector<Change> changes = {AppendOf(kCart, 0, 3), keep(), keep(), AppendOf(kCart, 3, 1)};
  const std::vector<absl::Status> outcomes = (*writer)->Commit(changes);
  ASSERT_THAT(outcomes, SizeIs(4));
  for (const std::size_t well : {0U, 1U, 3U}) EXPECT_EQ(outcomes[well], absl::OkStatus());
  EXPECT_TRUE(Contains(outcomes[2], "SQLite's temporary database")) << outcomes[2] << ": there is a copy 1 already";
  writer->reset();
  journal_ = OpenJournal(directory_.path());
  EXPECT_EQ(CountSoundEvents(*journal_, kCart), 4);
}

TEST_F(JournalCopies, ACopyThatWasDroppedIsGoneAndRestoringItChangesNothing) {
  Store(kCart, 0, 2);
  Keep(1);
  ASSERT_EQ(Drop({1, 17}), absl::OkStatus());
  EXPECT_FALSE(Restore(1).ok());
  EXPECT_EQ(CountSoundEvents(*journal_, kCart), 2);
}

}  // namespace
}  // namespace cloudstate::journal
