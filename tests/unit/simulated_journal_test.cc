#include "emulator/simulation/simulated_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/base/chance.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::simulation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const base::EntityKey kKey{"simulation.Log", "e1"};

journal::Append Writing(base::SequenceNumber expected, std::vector<std::string> events,
                        const base::EntityKey& key = kKey) {
  journal::Append append;
  append.key = key;
  append.expected = expected;
  for (std::string& event : events) append.events.push_back({"type", std::move(event)});
  return append;
}

journal::Append Fenced(journal::Append append, std::uint64_t epoch) {
  append.fence = {journal::ShardId{17}, epoch};
  return append;
}

std::vector<std::string> Values(const std::vector<journal::Event>& events) {
  std::vector<std::string> values;
  for (const journal::Event& event : events) values.push_back(event.payload.value);
  return values;
}

class SimulatedJournalTest : public ::testing::Test {
 protected:
  SimulatedJournalTest() {
    faults_.write_latency.low = absl::Milliseconds(10);
    faults_.read_latency.low = absl::Milliseconds(1);
    journal_.SetFaults(faults_);
    journal_.Observe([this](const std::string& line) { lines_.push_back(line); });
  }

  // Its outcome goes into answers_ under the name.
  void Write(const std::string& name, journal::Append append) {
    journal_.Write(std::move(append), [this, name](const absl::Status& status) {
      answers_.push_back(absl::StrCat(name, " ", absl::StatusCodeToString(status.code())));
      last_ = status;
    });
  }
  void Claim(std::uint64_t expected, std::uint32_t node) {
    journal_.Claim(
        {{journal::ShardId{17}, expected, node, 1}}, [this](absl::StatusOr<std::vector<journal::ShardHolder>> holders) {
          answers_.push_back(holders.ok() ? absl::StrCat("node ", holders->at(0).node, " epoch ", holders->at(0).epoch)
                                          : absl::StrCat("claim ", absl::StatusCodeToString(holders.status().code())));
        });
  }
  absl::StatusOr<journal::Replay> Load(std::optional<base::SequenceNumber> after = std::nullopt,
                                       std::size_t max_bytes = 1000) {
    absl::StatusOr<journal::Replay> loaded = absl::InternalError("no answer");
    journal_.Load(kKey, after, max_bytes, [&](absl::StatusOr<journal::Replay> page) { loaded = std::move(page); });
    strand_.Advance(absl::Milliseconds(1));
    return loaded;
  }
  void Commit() { strand_.Advance(absl::Milliseconds(10)); }

  testing::VirtualStrand strand_;
  base::Random random_{1};
  JournalFaultSettings faults_;
  SimulatedJournal journal_{strand_, random_};
  std::vector<std::string> lines_;
  std::vector<std::string> answers_;
  absl::Status last_;
};

TEST_F(SimulatedJournalTest, AWriteIsAnsweredAndReadOnceItsCommitIsThrough) {
  Write("a", Writing(0, {"one", "two"}));
  strand_.Advance(absl::Milliseconds(9));
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_THAT(Load()->events, IsEmpty());
  EXPECT_THAT(answers_, ElementsAre("a OK"));
  const auto page = Load();
  EXPECT_THAT(Values(page->events), ElementsAre("one", "two"));
  EXPECT_EQ(page->events[1].sequence, 2);
  EXPECT_EQ(page->last_sequence, 2);
  EXPECT_TRUE(page->complete);
  EXPECT_EQ(journal_.stored_events(), 2u);
  EXPECT_THAT(lines_, ElementsAre("write simulation.Log|e1 expected 0 +2: ok"));
}

TEST_F(SimulatedJournalTest, NothingIsAnsweredWithinTheCall) {
  journal_.SetFaults({});
  Write("a", Writing(0, {"one"}));
  Claim(0, 1);
  bool loaded = false;
  journal_.LoadLast(kKey, [&](const auto&) { loaded = true; });
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_FALSE(loaded);
  strand_.Advance(absl::ZeroDuration());
  EXPECT_THAT(answers_, ElementsAre("a OK", "node 1 epoch 1"));
  EXPECT_TRUE(loaded);
}

TEST_F(SimulatedJournalTest, WhatIsWrittenMeanwhileGoesTogetherWithTheNextCommit) {
  Write("a", Writing(0, {"one"}));
  strand_.Advance(absl::Milliseconds(1));
  Write("b", Writing(0, {"one"}, {"simulation.Log", "e2"}));
  Write("c", Writing(0, {"one"}, {"simulation.Log", "e3"}));
  strand_.Advance(absl::Milliseconds(9));
  EXPECT_THAT(answers_, ElementsAre("a OK"));
  Commit();
  EXPECT_THAT(answers_, ElementsAre("a OK", "b OK", "c OK"));
}

TEST_F(SimulatedJournalTest, AnotherWritersNumberIsRefused) {
  Write("a", Writing(0, {"one"}));
  Write("b", Writing(0, {"other"}));
  Commit();
  EXPECT_THAT(answers_, ElementsAre("a OK", "b ABORTED"));
  EXPECT_THAT(last_.message(), HasSubstr("the writer's last sequence number is 0, the journal's is 1"));
  EXPECT_THAT(Values(Load()->events), ElementsAre("one"));
}

TEST_F(SimulatedJournalTest, AnEmptyAppendChecksTheNumberOnly) {
  Write("a", Writing(0, {}));
  Write("b", Writing(1, {}));
  Commit();
  EXPECT_THAT(answers_, ElementsAre("a OK", "b ABORTED"));
  EXPECT_THAT(journal_.Contents(), IsEmpty());
}

TEST_F(SimulatedJournalTest, AClaimTakesEffectBetweenTheWritesBeforeAndAfterIt) {
  Claim(0, 1);
  Commit();
  Write("before", Fenced(Writing(0, {"one"}), 1));
  Claim(1, 2);
  Write("after", Fenced(Writing(1, {"two"}), 1));
  Write("new", Fenced(Writing(1, {"three"}), 2));
  EXPECT_TRUE(journal_.Holds({journal::ShardId{17}, 1}));
  Commit();
  EXPECT_THAT(answers_, ElementsAre("node 1 epoch 1", "before OK", "node 2 epoch 2", "after ABORTED", "new OK"));
  EXPECT_FALSE(journal_.Holds({journal::ShardId{17}, 1}));
  EXPECT_THAT(Values(Load()->events), ElementsAre("one", "three"));
  EXPECT_THAT(lines_, ElementsAre("claim shard 17 by node 1/1: epoch 1",
                                  "write simulation.Log|e1 expected 0 +1 under shard 17 epoch 1: ok",
                                  "claim shard 17 by node 2/1: epoch 2",
                                  StartsWith("write simulation.Log|e1 expected 1 +1 under shard 17 epoch 1: ABORTED"),
                                  "write simulation.Log|e1 expected 1 +1 under shard 17 epoch 2: ok"));
}

TEST_F(SimulatedJournalTest, AClaimOfWhatSomebodyElseHoldsNamesTheHolder) {
  Claim(0, 1);
  Claim(0, 2);
  Commit();
  EXPECT_THAT(answers_, ElementsAre("node 1 epoch 1", "node 1 epoch 1"));
  EXPECT_THAT(lines_.back(), "claim shard 17 by node 2/1: held by node 1/1, epoch 1");
}

TEST_F(SimulatedJournalTest, AReplayBeginsWithTheNewestSnapshot) {
  auto first = Writing(0, {"one", "two"});
  first.snapshot = journal::Payload{"type", "snapshot"};
  Write("a", first);
  Write("b", Writing(2, {"three"}));
  Commit();
  const auto page = Load();
  ASSERT_TRUE(page->snapshot.has_value());
  EXPECT_EQ(page->snapshot->sequence, 2);
  EXPECT_EQ(page->snapshot->payload.value, "snapshot");
  EXPECT_THAT(Values(page->events), ElementsAre("three"));
  EXPECT_FALSE(Load(0)->snapshot.has_value());
  EXPECT_THAT(Values(Load(0)->events), ElementsAre("one", "two", "three"));
}

TEST_F(SimulatedJournalTest, APageHasAtMostSoManyBytesButOneEvent) {
  Write("a", Writing(0, {"one", "two", "three"}));  // 7, 7 and 9 bytes with their type
  Commit();
  EXPECT_THAT(Values(Load(0, 1)->events), ElementsAre("one"));
  EXPECT_THAT(Values(Load(0, 14)->events), ElementsAre("one", "two"));
  EXPECT_FALSE(Load(0, 14)->complete);
  EXPECT_THAT(Values(Load(2, 14)->events), ElementsAre("three"));
  EXPECT_TRUE(Load(2, 14)->complete);
  EXPECT_THAT(Load(3)->events, IsEmpty());
}

TEST_F(SimulatedJournalTest, TheLastEventIsReadAlone) {
  Write("a", Writing(0, {"one", "two"}));
  Commit();
  absl::StatusOr<journal::Replay> loaded;
  journal_.LoadLast(kKey, [&](absl::StatusOr<journal::Replay> page) { loaded = std::move(page); });
  strand_.Advance(absl::Milliseconds(1));
  EXPECT_THAT(Values(loaded->events), ElementsAre("two"));
  EXPECT_EQ(loaded->last_sequence, 2);
}

TEST_F(SimulatedJournalTest, AFailedCommitStoresNothingAndClaimsNothing) {
  faults_.write_failures = 1;
  journal_.SetFaults(faults_);
  Write("a", Writing(0, {"one"}));
  Claim(0, 1);
  Commit();
  EXPECT_THAT(answers_, ElementsAre("a UNAVAILABLE", "claim UNAVAILABLE"));
  faults_.write_failures = 0;
  journal_.SetFaults(faults_);
  EXPECT_THAT(Load()->events, IsEmpty());
  EXPECT_THAT(journal_.Contents(), IsEmpty());
  Write("b", Writing(0, {"one"}));
  Claim(0, 2);
  Commit();
  EXPECT_THAT(answers_[2], "b OK");
  EXPECT_THAT(answers_[3], "node 2 epoch 1");
}

TEST_F(SimulatedJournalTest, AReadFails) {
  faults_.read_failures = 1;
  journal_.SetFaults(faults_);
  EXPECT_TRUE(absl::IsUnavailable(Load().status()));
}

TEST_F(SimulatedJournalTest, DrawsNothingWhereNothingIsLeftToChance) {
  Write("a", Writing(0, {"one"}));
  Commit();
  EXPECT_TRUE(Load().ok());
  EXPECT_EQ(random_, base::Random{1});
}

TEST_F(SimulatedJournalTest, ACrashDropsTheAnswersOfAllThatIsUnderWay) {
  auto dropped = std::make_shared<bool>(true);
  Write("a", Writing(0, {"one"}));
  strand_.Advance(absl::Milliseconds(5));
  Write("b", Writing(0, {"one"}, {"simulation.Log", "e2"}));
  journal_.Load(kKey, std::nullopt, 1000, [dropped](const auto&) { *dropped = false; });
  journal_.Crash();
  strand_.Advance(absl::Seconds(1));
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_TRUE(*dropped);
  EXPECT_EQ(dropped.use_count(), 1);
  EXPECT_THAT(lines_, ElementsAre("crash: 2 requests lost, 0 bytes torn"));
  Write("c", Writing(0, {"one"}, {"simulation.Log", "e3"}));
  Commit();
  EXPECT_THAT(answers_, ElementsAre("c OK"));
}

TEST_F(SimulatedJournalTest, AnAnswerThatLeadsToACrashIsTheLast) {
  journal_.Write(Writing(0, {"one"}), [this](const absl::Status&) { journal_.Crash(); });
  Write("b", Writing(0, {"one"}, {"simulation.Log", "e2"}));
  Commit();
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_EQ(journal_.stored_events(), 2u);
}

TEST_F(SimulatedJournalTest, FencesSurviveACrash) {
  Claim(0, 1);
  Commit();
  journal_.Crash();
  Write("old", Fenced(Writing(0, {"one"}), 1));
  Claim(1, 2);
  Write("late", Fenced(Writing(1, {"two"}), 1));
  Commit();
  EXPECT_THAT(answers_, ElementsAre("node 1 epoch 1", "old OK", "node 2 epoch 2", "late ABORTED"));
}

TEST_F(SimulatedJournalTest, WhatComesBehindAClaimIsLostWithIt) {
  Claim(0, 1);
  Commit();
  for (int i = 0; i < 20; ++i) {
    Claim(1, 2);
    Write("old", Fenced(Writing(0, {"one"}), 1));
    strand_.Advance(absl::Milliseconds(5));
    journal_.Crash();
    EXPECT_THAT(journal_.Contents(), IsEmpty());
    EXPECT_TRUE(journal_.Holds({journal::ShardId{17}, 1}));
  }
}

TEST_F(SimulatedJournalTest, ADeletionTakesItsPlaceBetweenTheWritesAndSurvivesACrash) {
  Write("a", Writing(0, {"one", "two"}));
  journal_.Delete(kKey, [this](const absl::StatusOr<journal::Deleted>& deleted) {
    answers_.push_back(deleted.ok() ? absl::StrCat("deleted ", deleted->events) : "not deleted");
  });
  Write("late", Writing(2, {"three"}));
  Write("anew", Writing(0, {"four"}));
  Commit();
  EXPECT_THAT(answers_, ElementsAre("a OK", "deleted 2", "late ABORTED", "anew OK"));
  EXPECT_EQ(journal_.stored_events(), 1u);
  journal_.Crash();
  EXPECT_THAT(Values(journal_.Contents().at(kKey)), ElementsAre("four"));
}

TEST_F(SimulatedJournalTest, WhatIsNotThereCannotBeDeleted) {
  absl::Status status;
  journal_.Delete(kKey, [&](const absl::StatusOr<journal::Deleted>& deleted) { status = deleted.status(); });
  Commit();
  EXPECT_TRUE(absl::IsNotFound(status));
}

// One run of writers, each with an entity of its own, with a crash now and then. Each append has several events.
class CrashRun {
 public:
  explicit CrashRun(std::uint64_t seed) : random_(seed) {
    JournalFaultSettings faults;
    faults.write_latency = {cluster::Latency::Kind::kUniform, absl::Milliseconds(1), absl::Milliseconds(10)};
    faults.write_failures = 0.1;
    faults.torn_writes = 0.7;
    journal_.SetFaults(faults);
  }

  void Play() {
    for (int crash = 0; crash < 8; ++crash) {
      ++life_;
      for (std::size_t writer = 0; writer < kWriters; ++writer) WriteNext(writer);
      strand_.Advance(absl::Milliseconds(static_cast<int>(base::Below(random_, 40))));
      journal_.Crash();
      Check();
    }
  }

  int whole_ = 0;  // appends that were under way and have survived
  int lost_ = 0;

 private:
  static constexpr std::size_t kWriters = 4;
  static constexpr std::size_t kEvents = 3;

  static base::EntityKey KeyOf(std::size_t writer) { return {"simulation.Log", absl::StrCat(writer)}; }

  void WriteNext(std::size_t writer) {
    const std::size_t before = known_[writer].size();
    under_way_[writer].clear();
    for (std::size_t i = 0; i < kEvents; ++i) under_way_[writer].push_back(absl::StrCat("event ", ++last_));
    journal_.Write(Writing(static_cast<base::SequenceNumber>(before), under_way_[writer], KeyOf(writer)),
                   [this, writer, life = life_](const absl::Status& status) {
                     ASSERT_EQ(life, life_) << "an answer from before the crash";
                     auto& known = known_[writer];
                     if (status.ok()) known.insert(known.end(), under_way_[writer].begin(), under_way_[writer].end());
                     under_way_[writer].clear();
                     WriteNext(writer);
                   });
  }

  void Check() {
    auto contents = journal_.Contents();
    std::uint64_t events = 0;
    for (std::size_t writer = 0; writer < kWriters; ++writer) {
      const auto& stored = contents[KeyOf(writer)];
      events += stored.size();
      for (std::size_t i = 0; i < stored.size(); ++i) {
        ASSERT_EQ(stored[i].sequence, static_cast<base::SequenceNumber>(i) + 1);
      }
      auto with = known_[writer];
      with.insert(with.end(), under_way_[writer].begin(), under_way_[writer].end());
      const bool survived = stored.size() > known_[writer].size();
      ++(survived ? whole_ : lost_);
      ASSERT_EQ(Values(stored), survived ? with : known_[writer]);
      known_[writer] = Values(stored);
    }
    ASSERT_EQ(journal_.stored_events(), events);
  }

  testing::VirtualStrand strand_;
  base::Random random_;
  SimulatedJournal journal_{strand_, random_};
  int life_ = 0;
  int last_ = 0;
  std::vector<std::string> known_[kWriters];      // acknowledged
  std::vector<std::string> under_way_[kWriters];  // not acknowledged
};

TEST(SimulatedJournalCrashTest, KeepsWhatWasAcknowledgedAndTheRestWholeOrNotAtAll) {
  int whole = 0;
  int lost = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    CrashRun run(seed);
    run.Play();
    if (::testing::Test::HasFatalFailure()) return;
    whole += run.whole_;
    lost += run.lost_;
  }
  // The property would hold of a journal that loses everything, too.
  EXPECT_GT(whole, 100);
  EXPECT_GT(lost, 100);
}

TEST(SimulatedJournalCrashTest, TearsWhatWasBeingWritten) {
  bool torn = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    testing::VirtualStrand strand;
    base::Random random(seed);
    SimulatedJournal journal(strand, random);
    JournalFaultSettings faults;
    faults.write_latency.low = absl::Milliseconds(10);
    faults.torn_writes = 1;
    journal.SetFaults(faults);
    std::string line;
    journal.Observe([&](const std::string& text) { line = text; });
    journal.Write(Writing(0, {"a long event with many bytes"}), [](const absl::Status&) {});
    strand.Advance(absl::Milliseconds(5));
    journal.Crash();
    if (line == "crash: 1 requests lost, 0 bytes torn") continue;  // nothing of it had been written, or all
    torn = true;
    EXPECT_THAT(journal.Contents(), IsEmpty());
  }
  EXPECT_TRUE(torn);
}

}  // namespace
}  // namespace cloudstate::simulation
