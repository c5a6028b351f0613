#include "emulator/simulation/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "absl/strings/str_cat.h"
#include "emulator/simulation/shared_history.h"
#include "emulator/simulation/shared_value.h"

namespace cloudstate::simulation {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Kind = Operation::Kind;
using Outcome = Operation::Outcome;

std::uint64_t IdIn(const journal::Payload& payload) { return std::stoull(payload.value); }

auto Breaks(const std::string& invariant, const std::string& text) {
  return AllOf(Field(&Violation::invariant, invariant), Field(&Violation::text, HasSubstr(text)));
}

// Histories of one entity, written down by hand. Times are in seconds.
class HistoryTest : public ::testing::Test {
 protected:
  const base::EntityKey key_{"simulation.Log", "e1"};
  History history_;

  void Stored(std::initializer_list<std::uint64_t> ids) {
    auto& events = history_.journal[key_];
    for (const std::uint64_t id : ids) {
      events.push_back({static_cast<base::SequenceNumber>(events.size()) + 1, {"", absl::StrCat(id)}});
    }
  }

  static Version Of(std::initializer_list<std::uint64_t> ids) {
    Version version;
    for (const std::uint64_t id : ids) version = {version.count + 1, NextDigest(version.digest, id)};
    return version;
  }

  Operation& Called(Kind kind, double from, double to, Outcome outcome) {
    Operation& operation = history_.operations.emplace_back();
    operation.kind = kind;
    operation.entity = key_;
    operation.client = static_cast<std::uint32_t>(history_.operations.size());
    operation.invoked = absl::UnixEpoch() + absl::Hours(1) + absl::Seconds(from);
    operation.returned = absl::UnixEpoch() + absl::Hours(1) + absl::Seconds(to);
    operation.outcome = outcome;
    return operation;
  }
  Operation& Wrote(std::uint64_t id, double from, double to, std::initializer_list<std::uint64_t> answer) {
    Operation& operation = Called(Kind::kWrite, from, to, Outcome::kOk);
    operation.id = id;
    operation.version = Of(answer);
    return operation;
  }
  Operation& WroteWithout(Outcome outcome, std::uint64_t id, double from, double to) {
    Operation& operation = Called(Kind::kWrite, from, to, outcome);
    operation.id = id;
    operation.status = "STATUS";
    operation.has_version = outcome != Outcome::kOk;
    return operation;
  }
  Operation& DidRead(double from, double to, std::initializer_list<std::uint64_t> answer) {
    Operation& operation = Called(Kind::kRead, from, to, Outcome::kOk);
    operation.version = Of(answer);
    return operation;
  }

  std::vector<Violation> Found() const { return Check(history_, &IdIn); }
};

TEST_F(HistoryTest, WhatOneWriterAfterTheOtherSeesIsRight) {
  Stored({1, 2});
  DidRead(0, 1, {});
  Wrote(1, 2, 3, {1});
  DidRead(4, 5, {1});
  Wrote(2, 6, 7, {1, 2});
  DidRead(8, 9, {1, 2});
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(HistoryTest, OverlappingCallsMayTakeEffectInAnyOrder) {
  Stored({2, 1});
  Wrote(1, 0, 10, {2, 1});
  Wrote(2, 1, 9, {2});
  DidRead(2, 8, {});
  DidRead(2, 8, {2, 1});
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(HistoryTest, AWriteOfUnknownOutcomeMayBeThereLateOrNever) {
  Stored({2, 1});
  WroteWithout(Outcome::kUnknown, 1, 0, 1);
  DidRead(2, 3, {});
  Wrote(2, 4, 5, {2});
  DidRead(6, 7, {2, 1});
  WroteWithout(Outcome::kUnknown, 9, 8, 9);
  WroteWithout(Outcome::kFailed, 10, 8, 9);
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(HistoryTest, AWriteOfUnknownOutcomeCannotComeBeforeWhatWasAnsweredBeforeItBegan) {
  Stored({1, 2});
  Wrote(2, 0, 1, {1, 2});
  WroteWithout(Outcome::kUnknown, 1, 2, 3);
  EXPECT_THAT(Found(), ElementsAre(Breaks("linearizability", "write 1 of simulation.Log|e1 by client 2")));
}

TEST_F(HistoryTest, AReadMustSeeWhatWasAnsweredBeforeItBegan) {
  Stored({1, 2});
  Wrote(1, 0, 1, {1});
  Wrote(2, 2, 3, {1, 2});
  DidRead(4.25, 5.5, {1}).node = 3;
  EXPECT_THAT(Found(), ElementsAre(Breaks("linearizability",
                                          "a read of simulation.Log|e1 by client 3 at node 3 (4.250000s to 5.500000s) "
                                          "is at 1, though before it began, write 2 of simulation.Log|e1 by client 2 "
                                          "(2.000000s to 3.000000s) had been answered at 2")));
}

TEST_F(HistoryTest, AReadMustNotGoBackBehindAnEarlierRead) {
  Stored({1});
  WroteWithout(Outcome::kUnknown, 1, 0, 1);
  DidRead(2, 3, {1});
  DidRead(4, 5, {});
  EXPECT_THAT(Found(), ElementsAre(Breaks("linearizability", "by client 3")));
}

TEST_F(HistoryTest, AReadMustNotSeeAWriteThatBeganAfterItsAnswer) {
  Stored({1});
  DidRead(0, 1, {1});
  Wrote(1, 2, 3, {1});
  EXPECT_THAT(Found(), ElementsAre(Breaks("linearizability", "write 1")));
}

TEST_F(HistoryTest, AWriteWithoutAVersionHasItsPlaceInTheJournal) {
  Stored({1, 2});
  WroteWithout(Outcome::kOk, 2, 0, 1);
  DidRead(2, 3, {1});
  Wrote(1, 0, 1, {1});
  EXPECT_THAT(Found(), ElementsAre(Breaks("linearizability", "a read")));
}

TEST_F(HistoryTest, EntitiesHaveNothingToDoWithEachOther) {
  Stored({1});
  Wrote(1, 0, 1, {1});
  DidRead(2, 3, {}).entity.entity_id = "e2";
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(HistoryTest, AnEventThatNoClientAskedForIsFound) {
  Stored({1, 7});
  Wrote(1, 0, 1, {1});
  EXPECT_THAT(Found(), ElementsAre(Breaks("linearizability", "event 2 of its journal is write 7")));
}

TEST_F(HistoryTest, AnAnswerOfAnotherHistoryIsFound) {
  Stored({1, 2});
  Wrote(1, 0, 10, {1});
  Wrote(2, 0, 10, {1, 2});
  DidRead(0, 10, {2});
  EXPECT_THAT(Found(), ElementsAre(Breaks("one-history", "with other first 1 writes")));
}

TEST_F(HistoryTest, AReadOfMoreThanTheJournalHasIsFound) {
  Stored({1});
  Wrote(1, 0, 10, {1});
  DidRead(0, 10, {1, 2});
  EXPECT_THAT(Found(), ElementsAre(Breaks("one-history", "there are 2 writes; the journal has 1")));
}

TEST_F(HistoryTest, ALostWriteIsFound) {
  Stored({1});
  Wrote(1, 0, 10, {1});
  WroteWithout(Outcome::kOk, 5, 0, 10);
  EXPECT_THAT(Found(), ElementsAre(Breaks("acknowledged-write-lost", "write 5")));
}

TEST_F(HistoryTest, AWriteAtAnotherPlaceThanItWasAnsweredIsFound) {
  Stored({1, 2});
  Wrote(1, 0, 10, {1});
  Operation& moved = Wrote(2, 0, 10, {1});
  EXPECT_THAT(Found(), ElementsAre(Breaks("acknowledged-write-lost", "write 2")));
  moved.version = Of({1, 2});
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(HistoryTest, AWriteThatWasAppliedTwiceIsFound) {
  Stored({1, 2, 1});
  Wrote(1, 0, 10, {1});
  Wrote(2, 0, 10, {1, 2});
  EXPECT_THAT(Found(), ElementsAre(Breaks("write-applied-twice", "write 1 is events 1 and 3")));
}

TEST_F(HistoryTest, AFailedWriteThatWasAppliedIsFound) {
  Stored({1});
  WroteWithout(Outcome::kFailed, 1, 0, 1);
  EXPECT_THAT(Found(), ElementsAre(Breaks("failed-write-applied", "failed with STATUS and is event 1")));
}

TEST_F(HistoryTest, AGapInTheJournalIsFound) {
  Stored({1, 2});
  history_.journal[key_][1].sequence = 3;
  Wrote(1, 0, 10, {1});
  Wrote(2, 0, 10, {1, 2});
  EXPECT_THAT(Found(), ElementsAre(Breaks("journal-gap", "event 2 of its journal has sequence number 3")));
}

TEST_F(HistoryTest, TwoNodesUnderOneEpochAreFound) {
  constexpr journal::ShardId kShard{4};
  history_.served = {{kShard, 2, 1}, {kShard, 3, 2}, {kShard, 0, 1}, {kShard, 0, 2}};
  EXPECT_THAT(Found(), IsEmpty());
  history_.served.insert({kShard, 2, 2});
  EXPECT_THAT(Found(), ElementsAre(Breaks("one-owner", "shard 4, epoch 2: both node 1 and node 2 served")));
}

TEST_F(HistoryTest, ACallThatHasNotEndedIsFound) {
  Called(Kind::kRead, 0, 0, Outcome::kOpen).returned = absl::InfiniteFuture();
  EXPECT_THAT(Found(), ElementsAre(Breaks("open-call", "(since 0.000000s) has not ended")));
}

TEST_F(HistoryTest, OfManyViolationsOfOneKindAFewAreTold) {
  for (int i = 0; i < 25; ++i) WroteWithout(Outcome::kOk, static_cast<std::uint64_t>(i) + 1, 0, 1);
  const auto found = Found();
  ASSERT_THAT(found, SizeIs(21));
  EXPECT_THAT(found.back(), Breaks("acknowledged-write-lost", "and 5 more"));
}

// Histories of one CRDT entity. Three nodes are up, each in its first life; times are in seconds.
class SharedHistoryTest : public ::testing::Test {
 protected:
  using Kind = SharedOperation::Kind;
  using Delta = crdt::CrdtDelta;

  static crdt::ReplicaId Life(std::uint32_t node) { return {node, 1}; }
  static absl::Time At(double seconds) { return absl::UnixEpoch() + absl::Seconds(seconds); }

  static crdt::Value Of(int type) {
    crdt::Value value;
    value.type = type;
    return value;
  }
  static crdt::Value Count(std::uint64_t count) {
    crdt::Value value = Of(Delta::kGcounter);
    value.count = count;
    return value;
  }
  static crdt::Value Registered(std::uint64_t id) {
    crdt::Value value = Of(Delta::kLwwregister);
    value.registered = ElementKey(id);
    return value;
  }
  static crdt::Value Votes(bool self) {
    crdt::Value value = Of(Delta::kVote);
    value.votes = {self, 1, 3};
    return value;
  }

  // Answered with OK a second later, by that node. The ids are 1, 2, 3 …
  SharedOperation& Did(Kind kind, int type, std::uint32_t node, double from) {
    Operation& operation = operations_.emplace_back();
    operation.kind = Operation::Kind::kWrite;
    operation.entity = {"simulation.Shared", "s-1"};
    operation.id = operations_.size();
    operation.node = node;
    operation.invoked = At(from);
    operation.returned = At(from + 1);
    operation.outcome = Outcome::kOk;
    SharedOperation& shared = shared_.emplace_back();
    shared.operation = operations_.size() - 1;
    shared.kind = kind;
    shared.type = type;
    shared.life = Life(node);
    shared.applied = shared.changed = shared.acknowledged = true;
    shared.up = {Life(1), Life(2), Life(3)};
    shared.least_up = 3;
    return shared;
  }
  void Counted(std::int64_t amount, std::uint32_t node, double from) {
    Did(Kind::kAdd, Delta::kGcounter, node, from).amount = amount;
  }
  // Told at the time, in the life of that node; asked half a second before.
  Sighting& Saw(crdt::Value value, std::uint32_t node, double at) {
    Did(Kind::kRead, 0, node, at - 1);
    return sightings_.emplace_back(Sighting{shared_.size() - 1, At(at - 0.5), At(at), Life(node), true, false, value});
  }
  void SawCount(std::uint64_t count, std::uint32_t node, double at) { Saw(Count(count), node, at); }
  void Has(crdt::Value value, std::uint32_t node) {
    replicas_.push_back({std::nullopt, At(99), At(99), Life(node), true, false, std::move(value), true});
    alive_.insert(Life(node));
  }
  std::vector<Violation> Found() {
    SharedHistory history{operations_, shared_, sightings_, alive_, {}};
    if (!replicas_.empty()) history.replicas[{"simulation.Shared", "s-1"}] = replicas_;
    return CheckShared(history);
  }

  std::vector<Operation> operations_;
  std::vector<SharedOperation> shared_;
  std::vector<Sighting> sightings_;
  std::vector<Sighting> replicas_;
  std::set<crdt::ReplicaId> alive_;
};

TEST_F(SharedHistoryTest, ANodeShowsWhatWasAcknowledgedThere) {
  Counted(1, 1, 0);
  Counted(2, 2, 0);
  SawCount(1, 1, 3);  // what another node has may be under way
  SawCount(3, 1, 4);
  EXPECT_THAT(Found(), IsEmpty());
  SawCount(2, 1, 5);
  EXPECT_THAT(Found(), ElementsAre(Breaks("own-writes", "has no write 1")));
}

TEST_F(SharedHistoryTest, AValueIsMadeOfWhatWasWritten) {
  Counted(1, 1, 0);
  Counted(2, 2, 10);
  SawCount(3, 1, 3);
  SawCount(4, 3, 12);
  operations_[0].outcome = Outcome::kFailed;
  shared_[0].applied = false;
  EXPECT_THAT(Found(), ElementsAre(Breaks("possible-value", "has write 1"), Breaks("possible-value", "has write 2"),
                                   Breaks("possible-value", "no sum of what was added")));
}

TEST_F(SharedHistoryTest, ARemovedElementIsGoneUnlessItWasNotSeen) {
  Did(Kind::kAdd, Delta::kOrset, 1, 0);
  crdt::Value one = Of(Delta::kOrset);
  one.elements.insert(ElementKey(1));
  Did(Kind::kRemove, Delta::kOrset, 2, 2).target = 1;
  Saw(one, 3, 5);
  Saw(Of(Delta::kOrset), 1, 5);
  EXPECT_THAT(Found(), IsEmpty());
  Saw(one, 2, 6);
  EXPECT_THAT(Found(), ElementsAre(Breaks("own-writes", "has no removal of write 1")));
  shared_[1].changed = false;
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(SharedHistoryTest, ARegisterShowsTheLastOfTheWritesThatOneLifeMade) {
  Did(Kind::kAdd, Delta::kLwwregister, 1, 0);
  Did(Kind::kAdd, Delta::kLwwregister, 1, 2);
  Did(Kind::kAdd, Delta::kLwwregister, 2, 4);
  Saw(Registered(3), 1, 6);
  Saw(Registered(2), 1, 6);
  EXPECT_THAT(Found(), IsEmpty());
  Saw(Registered(1), 1, 6);
  EXPECT_THAT(Found(), ElementsAre(Breaks("own-writes", "has no write 2")));
}

TEST_F(SharedHistoryTest, AVoteIsTheLastOneOfTheNode) {
  Did(Kind::kAdd, Delta::kVote, 1, 0).amount = 1;
  Saw(Votes(true), 1, 3);
  EXPECT_THAT(Found(), IsEmpty());
  Saw(Votes(false), 1, 4);
  EXPECT_THAT(Found(), ElementsAre(Breaks("own-writes", "another vote")));
  Did(Kind::kStay, Delta::kVote, 1, 2);
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(SharedHistoryTest, WhatIsDeletedStaysSo) {
  Counted(1, 1, 0);
  Did(Kind::kRead, 0, 2, 1);
  sightings_.push_back({1, At(1), At(2), Life(2), true, true});
  EXPECT_THAT(Found(), ElementsAre(Breaks("possible-value", "deleted, which nobody asked for")));
  Did(Kind::kDelete, Delta::kGcounter, 1, 1);
  EXPECT_THAT(Found(), IsEmpty());
  SawCount(1, 1, 5);
  EXPECT_THAT(Found(), ElementsAre(Breaks("own-writes", "has no write 3")));
}

TEST_F(SharedHistoryTest, AMajoritysChangeIsThereInTheEndUnlessMoreThanAMinorityHasEnded) {
  Counted(1, 1, 0);
  shared_[0].consistency = crdt::MAJORITY;
  const crdt::Value none = Count(0);
  Has(none, 2);
  EXPECT_THAT(Found(), IsEmpty());  // the two that have gone may have been all that had it
  Has(none, 3);
  EXPECT_THAT(Found(), SizeIs(2));
  shared_[0].consistency = crdt::LOCAL;
  EXPECT_THAT(Found(), IsEmpty());
  shared_[0].consistency = crdt::ALL;
  EXPECT_THAT(Found(),
              ElementsAre(Breaks("acknowledged-change-lost", "the replica of node 2 in the end has no write 1"),
                          Breaks("acknowledged-change-lost", "the replica of node 3 in the end has no write 1")));
}

TEST_F(SharedHistoryTest, InTheEndAllHaveTheSame) {
  Counted(1, 1, 0);
  Has(Count(1), 1);
  Has(Count(1), 2);
  EXPECT_THAT(Found(), IsEmpty());
  SawCount(0, 2, 5);
  sightings_.back().last = true;
  Has(Count(0), 3);
  EXPECT_THAT(Found(), ::testing::Contains(Breaks("one-value", "has GCounter 0, but the replica of node 1")));
  EXPECT_THAT(Found(), ::testing::Contains(Breaks("one-value", "has GCounter 0, but the replica of node 2")));
}

TEST(DigestTest, DependsOnTheOrder) {
  EXPECT_NE(NextDigest(NextDigest(0, 1), 2), NextDigest(NextDigest(0, 2), 1));
  EXPECT_NE(NextDigest(0, 0), 0u);
}

}  // namespace
}  // namespace cloudstate::simulation
