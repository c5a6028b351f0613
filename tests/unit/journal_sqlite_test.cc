// What journal.h promises, on real files.

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "emulator/journal/integrity.h"
#include "emulator/journal/sqlite_browser.h"
#include "emulator/journal/sqlite_journal.h"
#include "tests/unit/journal_test_support.h"

namespace cloudstate::journal {
namespace {

TEST(SqliteJournal, KeepsEventsWithTheirSequenceNumbersTypesAndBytes) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  Append append = AppendOf(kCart, 0, 0);
  append.events = {{"type.googleapis.com/a.B", "first"}, {"", ""}};
  ASSERT_EQ(WriteAndWait(*journal, append), absl::OkStatus());

  absl::StatusOr<Replay> replay = LoadPage(*journal, kCart);

  ASSERT_TRUE(replay.ok()) << replay.status();
  ASSERT_EQ(replay->events.size(), 2u);
  EXPECT_EQ(replay->events[0].sequence, 1);
  EXPECT_EQ(replay->events[0].payload, append.events[0]);
  EXPECT_EQ(replay->events[1].sequence, 2);
  EXPECT_EQ(replay->events[1].payload, append.events[1]);
  EXPECT_FALSE(replay->snapshot.has_value());
  EXPECT_TRUE(replay->complete);
  EXPECT_EQ(replay->last_sequence, 2);
}

TEST(SqliteJournal, KeepsAnyBytesInIdsTypesAndPayloads) {
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes.push_back(static_cast<char>(i));
  const std::vector<std::string> samples = {"",
                                            std::string(1, '\0'),
                                            std::string("a\0b", 3),
                                            std::string("a\0c", 3),
                                            "größe/日本語/🛒",
                                            "'; DROP TABLE event; --",
                                            "a|b",
                                            all_bytes};
  TestDirectory directory;
  {
    auto journal = OpenJournal(directory.path());
    for (const std::string& sample : samples) {
      Append append = AppendOf({"p" + sample, sample}, 0, 0);
      append.events = {{"x/" + sample, sample}};
      append.snapshot = Payload{"y/" + sample, sample};
      ASSERT_EQ(WriteAndWait(*journal, append), absl::OkStatus());
      append.expected = 1;
      append.snapshot.reset();
      ASSERT_EQ(WriteAndWait(*journal, append), absl::OkStatus());
    }
  }
  auto journal = OpenJournal(directory.path());
  for (const std::string& sample : samples) {
    absl::StatusOr<Replay> replay = LoadPage(*journal, {"p" + sample, sample});
    ASSERT_TRUE(replay.ok()) << replay.status();
    EXPECT_EQ(replay->last_sequence, 2);
    ASSERT_TRUE(replay->snapshot.has_value());
    EXPECT_EQ(replay->snapshot->payload, (Payload{"y/" + sample, sample}));
    ASSERT_EQ(replay->events.size(), 1u);
    EXPECT_EQ(replay->events[0].payload, (Payload{"x/" + sample, sample}));
  }
}

TEST(SqliteJournal, LoadsAnUnknownEntityAsEmpty) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());

  absl::StatusOr<Replay> replay = LoadPage(*journal, kCart);

  ASSERT_TRUE(replay.ok());
  EXPECT_TRUE(replay->events.empty());
  EXPECT_TRUE(replay->complete);
  EXPECT_EQ(replay->last_sequence, 0);
}

TEST(SqliteJournal, LoadsTheLastEventAlone) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  EXPECT_TRUE(LoadLast(*journal, kCart)->events.empty());
  ASSERT_EQ(WriteAndWait(*journal, AppendOf({"cart", "other"}, 0, 2)), absl::OkStatus());
  ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 0, 3)), absl::OkStatus());

  absl::StatusOr<Replay> replay = LoadLast(*journal, kCart);

  ASSERT_TRUE(replay.ok()) << replay.status();
  ASSERT_EQ(replay->events.size(), 1u);
  EXPECT_EQ(replay->events[0].sequence, 3);
  EXPECT_EQ(replay->events[0].payload, (Payload{"x/Event", "3"}));
  EXPECT_EQ(replay->last_sequence, 3);
  EXPECT_TRUE(replay->complete);
}

TEST(SqliteJournal, RefusesAWrongExpectedSequenceAndStoresNothingOfIt) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 0, 3)), absl::OkStatus());

  for (const SequenceNumber wrong : {0, 2, 4, -1}) {
    Append append = AppendOf(kCart, wrong);
    append.snapshot = Payload{"x/Snapshot", "wrong"};
    const absl::Status status = WriteAndWait(*journal, append);
    EXPECT_TRUE(absl::IsAborted(status)) << status;
    EXPECT_TRUE(Contains(status, "cart|a")) << status;
  }

  EXPECT_EQ(CountSoundEvents(*journal, kCart), 3);
  EXPECT_FALSE(LoadPage(*journal, kCart)->snapshot.has_value());
}

TEST(SqliteJournal, ChecksExpectedEvenWhereThereIsNothingToStore) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 0, 1)), absl::OkStatus());

  EXPECT_EQ(WriteAndWait(*journal, AppendOf(kCart, 1, 0)), absl::OkStatus());
  EXPECT_TRUE(absl::IsAborted(WriteAndWait(*journal, AppendOf(kCart, 0, 0))));
  EXPECT_EQ(CountSoundEvents(*journal, kCart), 1);
}

TEST(SqliteJournal, ReplaysFromTheNewestSnapshot) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  Append append = AppendOf(kCart, 0, 2);
  append.snapshot = Payload{"x/Snapshot", "at 2"};
  ASSERT_EQ(WriteAndWait(*journal, append), absl::OkStatus());
  append = AppendOf(kCart, 2, 2);
  append.snapshot = Payload{"x/Snapshot", "at 4"};
  ASSERT_EQ(WriteAndWait(*journal, append), absl::OkStatus());
  ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 4, 2)), absl::OkStatus());

  absl::StatusOr<Replay> replay = LoadPage(*journal, kCart);

  ASSERT_TRUE(replay.ok()) << replay.status();
  ASSERT_TRUE(replay->snapshot.has_value());
  EXPECT_EQ(replay->snapshot->sequence, 4);
  EXPECT_EQ(replay->snapshot->payload.value, "at 4");
  ASSERT_EQ(replay->events.size(), 2u);
  EXPECT_EQ(replay->events[0].sequence, 5);
  EXPECT_EQ(replay->last_sequence, 6);
}

TEST(SqliteJournal, StoresASnapshotWithoutEventsAtTheExpectedSequence) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  for (const SequenceNumber at : {SequenceNumber{0}, SequenceNumber{3}}) {
    Append append = AppendOf(kCart, at, 0);
    append.snapshot = Payload{"x/Snapshot", absl::StrCat("first at ", at)};
    ASSERT_EQ(WriteAndWait(*journal, append), absl::OkStatus());
    append.snapshot->value = absl::StrCat("at ", at);
    ASSERT_EQ(WriteAndWait(*journal, append), absl::OkStatus());

    absl::StatusOr<Replay> replay = LoadPage(*journal, kCart);
    ASSERT_TRUE(replay.ok()) << replay.status();
    ASSERT_TRUE(replay->snapshot.has_value());
    EXPECT_EQ(replay->snapshot->sequence, at);
    EXPECT_EQ(replay->snapshot->payload.value, absl::StrCat("at ", at));
    EXPECT_TRUE(replay->events.empty());
    EXPECT_EQ(replay->last_sequence, at);
    if (at == 0) {
      ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 0, 3)), absl::OkStatus());
    }
  }
}

TEST(SqliteJournal, ASnapshotThatIsReplacedLeavesNoCauseBehind) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  Append append = AppendOf(kCart, 0, 2);
  append.snapshot = Payload{"x/Snapshot", "with events"};
  ASSERT_EQ(WriteAndWait(*journal, append), absl::OkStatus());
  for (const char* const trace : {"second", "third"}) {
    Append alone = AppendOf(kCart, 2, 0);
    alone.snapshot = Payload{"x/Snapshot", "alone"};
    alone.cause.trace_id = trace;
    ASSERT_EQ(WriteAndWait(*journal, alone), absl::OkStatus());
  }

  auto shell = Connection::Open(journal->file(), Connection::Mode::kReadOnly);
  EXPECT_EQ(*shell->QueryInt("SELECT count(*) FROM snapshot"), 1);
  EXPECT_EQ(*shell->QueryInt("SELECT count(*) FROM events WHERE trace_id = 'trace'"), 2);
  EXPECT_EQ(*shell->QueryString("SELECT group_concat(trace_id) FROM (SELECT trace_id FROM cause ORDER BY id)"),
            "trace,third");
  ASSERT_TRUE(StartDelete(*journal, kCart).get().ok());
  EXPECT_EQ(*shell->QueryInt("SELECT count(*) FROM cause"), 0);
}

TEST(SqliteJournal, LoadsInPagesWithinTheGivenBytes) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  Append append = AppendOf(kCart, 0, 1);
  append.snapshot = Payload{"x/Snapshot", "s"};
  ASSERT_EQ(WriteAndWait(*journal, append), absl::OkStatus());
  append = AppendOf(kCart, 1, 0);
  for (int i = 0; i < 10; ++i) append.events.push_back({"12345", std::string(95, 'e')});
  append.events[4].value = std::string(5'000, 'e');
  ASSERT_EQ(WriteAndWait(*journal, append), absl::OkStatus());

  std::vector<std::size_t> page_sizes;
  std::optional<SequenceNumber> after;
  SequenceNumber next = 2;
  for (bool complete = false; !complete;) {
    absl::StatusOr<Replay> page = LoadPage(*journal, kCart, after, 300);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_EQ(page->snapshot.has_value(), !after.has_value());
    EXPECT_EQ(page->last_sequence, 11);
    ASSERT_FALSE(page->events.empty());
    for (const Event& event : page->events) EXPECT_EQ(event.sequence, next++);
    page_sizes.push_back(page->events.size());
    after = page->events.back().sequence;
    complete = page->complete;
  }

  EXPECT_EQ(next, 12);
  // The snapshot counts, too: two on the first page; and the large one is a page of its own.
  EXPECT_EQ(page_sizes, (std::vector<std::size_t>{2, 2, 1, 3, 2}));
}

TEST(SqliteJournal, GivesAtLeastOneEventAPageHoweverFewBytesAreAskedFor) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 0, 2)), absl::OkStatus());

  absl::StatusOr<Replay> page = LoadPage(*journal, kCart, std::nullopt, 0);

  ASSERT_EQ(page->events.size(), 1u);
  EXPECT_FALSE(page->complete);
}

// ---- fences

constexpr ShardId kShard{7};

Append FencedAppend(SequenceNumber expected, std::uint64_t epoch, int count = 1) {
  Append append = AppendOf(kCart, expected, count);
  append.fence = {kShard, epoch};
  return append;
}

// ---- deletion

TEST(SqliteJournal, DeletesAnEntityWithAllThatBelongsToItAndNothingElse) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  const EntityKey other{"cart", "b"};
  Append append = AppendOf(kCart, 0, 3);
  append.snapshot = Payload{"x/Snapshot", "at 3"};
  ASSERT_EQ(WriteAndWait(*journal, append), absl::OkStatus());
  ASSERT_EQ(WriteAndWait(*journal, AppendOf(other, 0, 2)), absl::OkStatus());
  ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 3, 1)), absl::OkStatus());

  absl::StatusOr<Deleted> deleted = StartDelete(*journal, kCart).get();

  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(deleted->events, 4);
  EXPECT_EQ(deleted->snapshots, 1);
  EXPECT_EQ(LoadPage(*journal, kCart)->last_sequence, 0);
  EXPECT_FALSE(LoadPage(*journal, kCart)->snapshot.has_value());
  EXPECT_EQ(CountSoundEvents(*journal, other), 2);
  auto shell = Connection::Open(journal->file(), Connection::Mode::kReadOnly);
  EXPECT_EQ(*shell->QueryInt("SELECT count(*) FROM cause"), 1);
  EXPECT_EQ(*shell->QueryInt("SELECT count(*) FROM snapshot"), 0);
  EXPECT_EQ(CheckIntegrity(journal->file())->problems, std::vector<std::string>{});
}

TEST(SqliteJournal, AnEntityThatWasDeletedBeginsAnewAtPositionsThatNobodyHad) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 0, 3)), absl::OkStatus());
  ASSERT_TRUE(StartDelete(*journal, kCart).get().ok());
  ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 0, 2)), absl::OkStatus());

  EXPECT_EQ(CountSoundEvents(*journal, kCart), 2);
  auto browser = SqliteBrowser::Open(journal->file());
  EXPECT_EQ((*browser)->EventsAfter(0, {}, 10)->front().position, 4);
}

TEST(SqliteJournal, DeletesBetweenTheWritesBeforeAndAfterIt) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  auto shell = Connection::Open(journal->file(), Connection::Mode::kCreate);
  ASSERT_EQ(shell->Execute("BEGIN IMMEDIATE"), absl::OkStatus());  // so that all are queued first
  auto before = StartWrite(*journal, AppendOf(kCart, 0, 2));
  auto deleted = StartDelete(*journal, kCart);
  auto late = StartWrite(*journal, AppendOf(kCart, 2, 1));
  auto anew = StartWrite(*journal, AppendOf(kCart, 0, 1));
  ASSERT_EQ(shell->Execute("COMMIT"), absl::OkStatus());

  EXPECT_EQ(before.get(), absl::OkStatus());
  EXPECT_EQ(deleted.get()->events, 2);
  const absl::Status refused = late.get();
  EXPECT_TRUE(absl::IsAborted(refused)) << refused;
  EXPECT_TRUE(Contains(refused, "cart|a was deleted while the command was under way")) << refused;
  EXPECT_EQ(anew.get(), absl::OkStatus());
  EXPECT_EQ(CountSoundEvents(*journal, kCart), 1);
}

TEST(SqliteJournal, WhatIsNotThereCannotBeDeletedAndHoldsUpNobody) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  auto deleted = StartDelete(*journal, kCart);
  auto written = StartWrite(*journal, AppendOf(kCart, 0));
  EXPECT_TRUE(absl::IsNotFound(deleted.get().status()));
  EXPECT_EQ(written.get(), absl::OkStatus());
  journal->Close();
  EXPECT_TRUE(absl::IsUnavailable(StartDelete(*journal, kCart).get().status()));
}

TEST(SqliteJournal, GrantsAShardWithTheNextEpochToWhoeverKnowsThePresentOne) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());

  const Holders first = StartClaim(*journal, {{kShard, 0, 1, 11}, {ShardId{8}, 0, 1, 11}}).get();
  const Holders second = StartClaim(*journal, {{kShard, 1, 2, 22}}).get();
  const Holders too_late = StartClaim(*journal, {{kShard, 1, 3, 33}, {ShardId{8}, 0, 3, 33}}).get();

  ASSERT_TRUE(first.ok() && second.ok() && too_late.ok());
  EXPECT_EQ(*first, (std::vector<ShardHolder>{{1, 1, 11}, {1, 1, 11}}));
  EXPECT_EQ(*second, (std::vector<ShardHolder>{{2, 2, 22}}));
  EXPECT_EQ(*too_late, (std::vector<ShardHolder>{{2, 2, 22}, {1, 1, 11}}));
}

TEST(SqliteJournal, AClaimThatIsRepeatedFindsWhatItWasGranted) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(*StartClaim(*journal, {{kShard, 0, 1, 11}}).get(), (std::vector<ShardHolder>{{1, 1, 11}}));
  }
}

TEST(SqliteJournal, AFenceHoldsUntilItsShardIsClaimedAnew) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  EXPECT_TRUE(journal->Holds({kShard, 0})) << "belongs to no shard";
  EXPECT_FALSE(journal->Holds({kShard, 1})) << "not claimed yet";
  ASSERT_TRUE(StartClaim(*journal, {{kShard, 0, 1, 11}}).get().ok());
  EXPECT_TRUE(journal->Holds({kShard, 1}));
  ASSERT_TRUE(StartClaim(*journal, {{kShard, 1, 2, 22}}).get().ok());
  EXPECT_FALSE(journal->Holds({kShard, 1}));
  EXPECT_TRUE(journal->Holds({kShard, 2}));
  EXPECT_TRUE(journal->Holds({kShard, 0}));
}

TEST(SqliteJournal, RefusesAppendsUnderAnEpochThatIsOverAndSaysWhoHoldsTheShard) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  ASSERT_TRUE(StartClaim(*journal, {{kShard, 0, 1, 11}}).get().ok());
  ASSERT_EQ(WriteAndWait(*journal, FencedAppend(0, 1, 2)), absl::OkStatus());
  ASSERT_TRUE(StartClaim(*journal, {{kShard, 1, 2, 22}}).get().ok());

  for (const int count : {1, 0}) {
    const absl::Status status = WriteAndWait(*journal, FencedAppend(2, 1, count));
    EXPECT_TRUE(absl::IsAborted(status)) << status;
    EXPECT_TRUE(Contains(status,
                         "entity cart|a was not written: epoch 1 of shard 7 is over: node 2 holds the shard under "
                         "epoch 2"))
        << status;
  }
  EXPECT_TRUE(Contains(WriteAndWait(*journal, FencedAppend(2, 3)), "node 2 holds")) << "an epoch that nobody has yet";
  EXPECT_EQ(CountSoundEvents(*journal, kCart), 2);
  EXPECT_EQ(WriteAndWait(*journal, FencedAppend(2, 2)), absl::OkStatus());
  EXPECT_EQ(WriteAndWait(*journal, AppendOf(kCart, 3)), absl::OkStatus()) << "without a fence";
}

TEST(SqliteJournal, AClaimTakesEffectBetweenTheWritesBeforeItAndThoseAfterIt) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  ASSERT_TRUE(StartClaim(*journal, {{kShard, 0, 1, 11}}).get().ok());
  auto write_all = [&](const std::string& prefix) {
    std::vector<std::future<absl::Status>> results;
    for (int i = 0; i < 20; ++i) {
      Append append = FencedAppend(0, 1, i % 2);
      append.key.entity_id = absl::StrCat(prefix, i);
      results.push_back(StartWrite(*journal, std::move(append)));
    }
    return results;
  };
  auto shell = Connection::Open(journal->file(), Connection::Mode::kCreate);

  // The shell holds the write lock until all are queued, so that they make a batch or two.
  ASSERT_EQ(shell->Execute("BEGIN IMMEDIATE"), absl::OkStatus());
  auto before = write_all("before");
  std::future<Holders> claim = StartClaim(*journal, {{kShard, 1, 2, 22}});
  auto after = write_all("after");
  ASSERT_EQ(shell->Execute("COMMIT"), absl::OkStatus());

  EXPECT_EQ(*claim.get(), (std::vector<ShardHolder>{{2, 2, 22}}));
  EXPECT_EQ(CountSoundEvents(*journal, {"cart", "before19"}), 1) << "once a claim is answered, it can be read";
  for (auto& result : before) EXPECT_EQ(result.get(), absl::OkStatus());
  for (auto& result : after) EXPECT_TRUE(absl::IsAborted(result.get()));
}

TEST(SqliteJournal, AClaimBehindDamageDoesNotReachTheWritesBeforeIt) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  ASSERT_TRUE(StartClaim(*journal, {{kShard, 0, 1, 11}}).get().ok());
  ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 0, 3)), absl::OkStatus());
  auto shell = Connection::Open(journal->file(), Connection::Mode::kCreate);
  ASSERT_EQ(shell->Execute("UPDATE entity SET last_sequence = 1"), absl::OkStatus());
  Append sound = FencedAppend(0, 1);
  sound.key.entity_id = "sound";

  ASSERT_EQ(shell->Execute("BEGIN IMMEDIATE"), absl::OkStatus());
  auto first = StartWrite(*journal, AppendOf({"cart", "first"}, 0));  // waits alone for the lock
  auto before = StartWrite(*journal, sound);
  auto claim = StartClaim(*journal, {{kShard, 1, 2, 22}});
  auto damaged = StartWrite(*journal, AppendOf(kCart, 1));
  ASSERT_EQ(shell->Execute("COMMIT"), absl::OkStatus());

  EXPECT_EQ(before.get(), absl::OkStatus());
  EXPECT_EQ(*claim.get(), (std::vector<ShardHolder>{{2, 2, 22}}));
  EXPECT_TRUE(absl::IsDataLoss(damaged.get()));
  EXPECT_EQ(first.get(), absl::OkStatus());
}

TEST(SqliteJournal, NobodyHoldsAShardAfterReopening) {
  TestDirectory directory;
  {
    auto journal = OpenJournal(directory.path());
    ASSERT_TRUE(StartClaim(*journal, {{kShard, 0, 1, 11}}).get().ok());
  }
  auto journal = OpenJournal(directory.path());
  EXPECT_FALSE(journal->Holds({kShard, 1}));
  EXPECT_TRUE(Contains(WriteAndWait(*journal, FencedAppend(0, 1)), "epoch 1 of shard 7 was never claimed"));
  EXPECT_EQ(*StartClaim(*journal, {{kShard, 0, 2, 22}}).get(), (std::vector<ShardHolder>{{1, 2, 22}}));
}

// ---- many at once

TEST(SqliteJournal, CommitsAppendsOfManyEntitiesAndFailsOnlyTheWrongOnes) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  std::vector<std::future<absl::Status>> results;
  for (int i = 0; i < 500; ++i) {
    results.push_back(StartWrite(*journal, AppendOf({"cart", absl::StrCat(i)}, i % 5 == 0 ? 7 : 0, 2)));
  }
  for (int i = 0; i < 500; ++i) {
    const absl::Status status = results[static_cast<std::size_t>(i)].get();
    EXPECT_EQ(status.code(), i % 5 == 0 ? absl::StatusCode::kAborted : absl::StatusCode::kOk) << i << ": " << status;
    EXPECT_EQ(CountSoundEvents(*journal, {"cart", absl::StrCat(i)}), i % 5 == 0 ? 0 : 2);
  }
}

TEST(SqliteJournal, TakesAppendsFromManyThreadsAtOnce) {
  TestDirectory directory;
  auto journal = OpenJournal(OptionsFor(directory.path(), Durability::kRelaxed));
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 200; ++i) {
          const EntityKey key{"cart", absl::StrCat(t)};
          if (!WriteAndWait(*journal, AppendOf(key, i)).ok()) ++failures;
          if (LoadPage(*journal, key, i)->events.size() != 1) ++failures;  // acknowledged is visible at once
        }
      });
    }
  }
  EXPECT_EQ(failures, 0);
  for (int t = 0; t < 4; ++t) EXPECT_EQ(CountSoundEvents(*journal, {"cart", absl::StrCat(t)}), 200);
}

TEST(SqliteJournal, KeepsEverythingOverReopening) {
  TestDirectory directory;
  for (int i = 0; i < 5; ++i) {
    auto journal = OpenJournal(directory.path());
    EXPECT_EQ(CountSoundEvents(*journal, kCart), i * 2);
    ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, i * 2, 2)), absl::OkStatus());
  }
}

TEST(SqliteJournal, FinishesWhatWasAskedForBeforeItCloses) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  std::vector<std::future<absl::Status>> results;
  for (int i = 0; i < 100; ++i) results.push_back(StartWrite(*journal, AppendOf({"cart", absl::StrCat(i)}, 0)));
  journal->Close();

  for (auto& result : results) EXPECT_EQ(result.get(), absl::OkStatus());
  EXPECT_FALSE(std::filesystem::exists(directory.path() + "/lock"));
  EXPECT_FALSE(std::filesystem::exists(directory.journal() + "-wal"));
}

TEST(SqliteJournal, RefusesCallsAfterClose) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  journal->Close();
  journal->Close();

  EXPECT_TRUE(absl::IsUnavailable(WriteAndWait(*journal, AppendOf(kCart, 0))));
  EXPECT_TRUE(absl::IsUnavailable(LoadPage(*journal, kCart).status()));
  EXPECT_TRUE(absl::IsUnavailable(StartClaim(*journal, {{ShardId{1}, 0, 1, 1}}).get().status()));
}

TEST(SqliteJournal, RefusesMoreWritesThanItsLimitUntilSomeAreAnswered) {
  TestDirectory directory;
  SqliteJournal::Options options = OptionsFor(directory.path());
  options.limits.outstanding_writes = 3;
  options.limits.transaction_writes = 1;
  auto journal = OpenJournal(options);
  // The first answer is held up, so that those behind it stay outstanding.
  std::promise<void> answered;
  std::promise<void> go_on;
  journal->Write(AppendOf({"cart", "first"}, 0), [&](absl::Status) {
    answered.set_value();
    go_on.get_future().wait();
  });
  answered.get_future().wait();
  std::vector<std::future<absl::Status>> accepted;
  for (int i = 0; i < 3; ++i) accepted.push_back(StartWrite(*journal, AppendOf({"cart", absl::StrCat(i)}, 0)));

  const absl::Status refused = WriteAndWait(*journal, AppendOf({"cart", "one too many"}, 0));

  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  go_on.set_value();
  for (auto& result : accepted) EXPECT_EQ(result.get(), absl::OkStatus());
  EXPECT_EQ(WriteAndWait(*journal, AppendOf({"cart", "one too many"}, 0)), absl::OkStatus());
}

TEST(SqliteJournal, RefusesAWriteLargerThanAllThatMayBeOutstanding) {
  TestDirectory directory;
  SqliteJournal::Options options = OptionsFor(directory.path());
  options.limits.outstanding_bytes = 10'000;
  auto journal = OpenJournal(options);
  Append append = AppendOf(kCart, 0);
  append.events[0].value = std::string(10'000, 'x');

  EXPECT_TRUE(absl::IsResourceExhausted(WriteAndWait(*journal, append)));
  EXPECT_EQ(WriteAndWait(*journal, AppendOf(kCart, 0)), absl::OkStatus());
}

TEST(SqliteJournal, LeavesNothingBehindWhenEphemeral) {
  std::string path;
  {
    auto journal = OpenJournal(OptionsFor("", Durability::kEphemeral));
    path = journal->directory();
    ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 0, 2)), absl::OkStatus());
    EXPECT_EQ(CountSoundEvents(*journal, kCart), 2);
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(SqliteJournal, RemovesWhatKilledEphemeralOnesLeftAndNothingElse) {
  TestDirectory parent;
  const std::string old_tmpdir = getenv("TMPDIR") == nullptr ? "/tmp" : getenv("TMPDIR");
  setenv("TMPDIR", parent.path().c_str(), 1);
  auto running = OpenJournal(OptionsFor("", Durability::kEphemeral));
  const std::string abandoned = parent.path() + "/cloudstate-dev-ephemeral-abcdef";
  std::filesystem::copy(running->directory(), abandoned);
  const std::string precious = parent.path() + "/cloudstate-dev-ephemeral-mydata";
  std::filesystem::copy(running->directory(), precious);
  std::filesystem::remove(precious + "/removed-at-exit");

  auto journal = OpenJournal(OptionsFor("", Durability::kEphemeral));
  setenv("TMPDIR", old_tmpdir.c_str(), 1);

  EXPECT_FALSE(std::filesystem::exists(abandoned));
  EXPECT_TRUE(std::filesystem::exists(precious));
  EXPECT_TRUE(std::filesystem::exists(running->directory()));
}

TEST(SqliteJournal, KeepsADescriptorSetOnceAndTheNewestFirst) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  for (const char* content : {"one", "two", "one"}) {
    std::promise<absl::Status> done;
    journal->StoreDescriptorSet("localhost:8080", content, [&](absl::Status status) { done.set_value(status); });
    ASSERT_EQ(done.get_future().get(), absl::OkStatus());
  }
  auto browser = SqliteBrowser::Open(journal->file());
  ASSERT_TRUE(browser.ok()) << browser.status();
  EXPECT_EQ(*(*browser)->DescriptorSets(), (std::vector<std::string>{"one", "two"}));
}

TEST(SqliteJournal, NoticesEventsThatAreMissing) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 0, 3)), absl::OkStatus());
  ASSERT_EQ(WriteAndWait(*journal, AppendOf({"cart", "b"}, 0, 3)), absl::OkStatus());
  auto shell = Connection::Open(journal->file(), Connection::Mode::kCreate);
  ASSERT_EQ(shell->Execute("DELETE FROM event WHERE position IN (2, 6)"), absl::OkStatus());

  for (const char* id : {"a", "b"}) {
    const absl::Status status = LoadPage(*journal, {"cart", id}).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_TRUE(Contains(status, journal->file())) << status;
  }
  EXPECT_TRUE(LoadLast(*journal, {"cart", "a"}).ok());
  EXPECT_TRUE(absl::IsDataLoss(LoadLast(*journal, {"cart", "b"}).status()));
}

TEST(SqliteJournal, NoticesAnEventThatIsMissingBeforeThePageEnds) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 0, 4)), absl::OkStatus());
  auto shell = Connection::Open(journal->file(), Connection::Mode::kCreate);
  ASSERT_EQ(shell->Execute("DELETE FROM event WHERE sequence = 2"), absl::OkStatus());

  EXPECT_EQ(LoadPage(*journal, kCart, 0, 1)->events.size(), 1u);
  EXPECT_TRUE(absl::IsDataLoss(LoadPage(*journal, kCart, 1, 1).status()));
}

TEST(SqliteJournal, FailsOnlyAppendsThatTouchDamage) {
  TestDirectory directory;
  auto journal = OpenJournal(directory.path());
  ASSERT_EQ(WriteAndWait(*journal, AppendOf(kCart, 0, 3)), absl::OkStatus());
  auto shell = Connection::Open(journal->file(), Connection::Mode::kCreate);
  ASSERT_EQ(shell->Execute("UPDATE entity SET last_sequence = 1"), absl::OkStatus());

  // The shell holds the write lock until all are queued, so that they make a transaction or two.
  std::vector<std::future<absl::Status>> sound;
  ASSERT_EQ(shell->Execute("BEGIN IMMEDIATE"), absl::OkStatus());
  for (int i = 0; i < 5; ++i) sound.push_back(StartWrite(*journal, AppendOf({"cart", absl::StrCat(i)}, 0)));
  std::future<absl::Status> damaged = StartWrite(*journal, AppendOf(kCart, 1, 1));
  for (int i = 5; i < 9; ++i) sound.push_back(StartWrite(*journal, AppendOf({"cart", absl::StrCat(i)}, 0)));
  ASSERT_EQ(shell->Execute("COMMIT"), absl::OkStatus());

  EXPECT_TRUE(absl::IsDataLoss(damaged.get()));
  for (auto& result : sound) EXPECT_EQ(result.get(), absl::OkStatus());
  for (int i = 0; i < 9; ++i) EXPECT_EQ(CountSoundEvents(*journal, {"cart", absl::StrCat(i)}), 1);
}

}  // namespace
}  // namespace cloudstate::journal
