#include "tests/unit/event_sourced_fixture.h"

namespace cloudstate::entities {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EventSourcedEntityTest : public EventSourcedFixture {};

TEST_F(EventSourcedEntityTest, OpensAStreamWithInitAndThenTheCommand) {
  Deliver("Add", "1");
  EXPECT_EQ(Stream(0).method, "/cloudstate.eventsourced.EventSourced/handle");
  EXPECT_THAT(Sent(0), ElementsAre("init test.Counter a", "command 1 a Add 1"));
  AnswerReply(0, 1, "one");
  EXPECT_THAT(outcomes_, ElementsAre("reply: one"));
}

TEST_F(EventSourcedEntityTest, HasOneCommandOutstandingAndKeepsTheOrderOfArrival) {
  Deliver("Add", "1");
  Deliver("Add", "2");
  Deliver("Add", "3");
  EXPECT_THAT(Sent(0), ElementsAre("init test.Counter a", "command 1 a Add 1"));
  AnswerReply(0, 1, "one");
  EXPECT_THAT(Sent(0).back(), "command 2 a Add 2");
  AnswerReply(0, 2, "two");
  AnswerReply(0, 3, "three");
  EXPECT_THAT(outcomes_, ElementsAre("reply: one", "reply: two", "reply: three"));
}

TEST_F(EventSourcedEntityTest, AnswersOnlyAfterTheEventsAreDurable) {
  journal_.hold_writes = true;
  Deliver("Add", "1");
  AnswerReply(0, 1, "one", {"added"});
  EXPECT_THAT(outcomes_, ElementsAre("pending"));
  journal_.Release();
  strand_.Run();
  EXPECT_THAT(outcomes_, ElementsAre("reply: one"));
  EXPECT_THAT(StoredEvents(), ElementsAre("added"));
}

TEST_F(EventSourcedEntityTest, DoesNotSendTheNextCommandBeforeTheEventsAreDurable) {
  journal_.hold_writes = true;
  Deliver("Add", "1");
  Deliver("Add", "2");
  AnswerReply(0, 1, "one", {"added"});
  EXPECT_THAT(Sent(0).back(), "command 1 a Add 1");
  journal_.Release();
  strand_.Run();
  EXPECT_THAT(Sent(0).back(), "command 2 a Add 2");
}

TEST_F(EventSourcedEntityTest, StoresEventsWithTheCommandThatCausedThem) {
  Deliver("Add", "1");
  AnswerReply(0, 1, "one", {"added"});
  ASSERT_EQ(journal_.causes.size(), 1U);
  EXPECT_EQ(journal_.causes[0].trace_id, "trace-0");
  EXPECT_EQ(journal_.causes[0].service, kService);
  EXPECT_EQ(journal_.causes[0].method, "Add");
  EXPECT_EQ(journal_.causes[0].command, Text("1"));
}

TEST_F(EventSourcedEntityTest, ReplaysStoredEventsBeforeTheFirstCommand) {
  Store(3);
  Deliver("Get");
  EXPECT_THAT(Sent(0),
              ElementsAre("init test.Counter a", "event 1 e1", "event 2 e2", "event 3 e3", "command 1 a Get "));
}

TEST_F(EventSourcedEntityTest, ReplaysFromTheNewestSnapshot) {
  Store(3);
  journal_.entities[{"counter", "a"}].snapshots = {{1, Text("s1")}, {2, Text("s2")}};
  Deliver("Get");
  EXPECT_THAT(Sent(0), ElementsAre("init test.Counter a snapshot 2 s2", "event 3 e3", "command 1 a Get "));
}

TEST_F(EventSourcedEntityTest, NumbersGoOnFromASnapshotWithoutLaterEvents) {
  Store(2);
  journal_.entities[{"counter", "a"}].snapshots = {{2, Text("s2")}};
  Deliver("Add", "3");
  AnswerReply(0, 1, "three", {"e3"});
  EXPECT_THAT(StoredEvents(), ElementsAre("e1", "e2", "e3"));
}

TEST_F(EventSourcedEntityTest, ReadsALongHistoryPageByPageAsTheUserFunctionTakesIt) {
  limits_.replay_page_bytes = 4;
  Create();
  Store(5);
  Deliver("Get");
  EXPECT_THAT(Sent(0), ElementsAre("init test.Counter a", "event 1 e1", "event 2 e2", "event 3 e3", "event 4 e4",
                                   "event 5 e5", "command 1 a Get "));
  EXPECT_EQ(journal_.loads, 3);
}

TEST_F(EventSourcedEntityTest, StopsReadingWhileTheUserFunctionDoesNotTakeTheReplay) {
  limits_.replay_page_bytes = 1;
  Create();
  Store(3);
  connection_->unsent_at_open = 1000;
  Deliver("Get");
  EXPECT_THAT(Sent(0), ElementsAre("init test.Counter a", "event 1 e1"));
  Stream(0).unsent = 0;
  Stream(0).handler.on_writable();
  strand_.Run();
  EXPECT_THAT(Sent(0),
              ElementsAre("init test.Counter a", "event 1 e1", "event 2 e2", "event 3 e3", "command 1 a Get "));
}

TEST_F(EventSourcedEntityTest, StoresASnapshotAtTheLastEvent) {
  Deliver("Add");
  AnswerReply(0, 1, "ok", {"e1", "e2"}, "state");
  const auto& stored = journal_.entities[{"counter", "a"}];
  ASSERT_EQ(stored.snapshots.size(), 1U);
  EXPECT_EQ(stored.snapshots[0].sequence, 2);
}

TEST_F(EventSourcedEntityTest, StoresASnapshotThatComesWithoutEvents) {
  Store(2);
  Deliver("Get");
  AnswerReply(0, 1, "ok", {}, "state");
  ASSERT_EQ((journal_.entities[{"counter", "a"}].snapshots.size()), 1U);
  EXPECT_EQ((journal_.entities[{"counter", "a"}].snapshots[0].sequence), 2);
}

TEST_F(EventSourcedEntityTest, AClientFailureKeepsTheStreamAndStoresNothing) {
  Deliver("Add");
  AnswerClientFailure(0, 1, "too much", false, {"lost"});
  EXPECT_THAT(outcomes_, ElementsAre("failure: too much"));
  EXPECT_THAT(StoredEvents(), IsEmpty());
  Deliver("Add", "2");
  EXPECT_THAT(Sent(0).back(), "command 2 a Add 2");
  EXPECT_EQ(connection_->streams.size(), 1U);
  EXPECT_THAT(reports_, IsEmpty());
}

TEST_F(EventSourcedEntityTest, AClientFailureWithRestartReplaysOnANewStreamAtOnce) {
  Deliver("Add");
  AnswerReply(0, 1, "ok", {"e1"});
  Deliver("Add", "2");
  Deliver("Add", "3");
  AnswerClientFailure(0, 2, "wrong", true);
  EXPECT_EQ(outcomes_[1], "failure: wrong");
  EXPECT_TRUE(Stream(0).half_closed);
  EndStream(0);
  EXPECT_THAT(Sent(1), ElementsAre("init test.Counter a", "event 1 e1", "command 1 a Add 3"));
  EXPECT_THAT(reports_, IsEmpty());
}

TEST_F(EventSourcedEntityTest, ARestartIsReplayedEvenWhenNoCommandWaits) {
  Deliver("Add");
  AnswerClientFailure(0, 1, "wrong", true);
  EndStream(0);
  EXPECT_THAT(Sent(1), ElementsAre("init test.Counter a"));
}

TEST_F(EventSourcedEntityTest, WhatIsSaidBehindAnAnswerThatIsBeingStoredDoesNotUndoIt) {
  journal_.hold_writes = true;
  Deliver("Add");
  AnswerReply(0, 1, "stored", {"e1"});
  AnswerReply(0, 1, "again", {"e2"});
  EXPECT_THAT(outcomes_, ElementsAre("pending"));
  EXPECT_THAT(reports_, ElementsAre(HasSubstr("no command was outstanding")));
  EXPECT_TRUE(Stream(0).destroyed);
  journal_.Release();
  strand_.Run();
  EXPECT_THAT(outcomes_, ElementsAre("reply: stored"));
  EXPECT_THAT(StoredEvents(), ElementsAre("e1"));
  Deliver("Add");
  EXPECT_THAT(Sent(1), ElementsAre("init test.Counter a", "event 1 e1", "command 1 a Add "));
}

TEST_F(EventSourcedEntityTest, AReplyWithAnotherIdResetsTheStream) {
  Deliver("Add", "1");
  Deliver("Add", "2");
  AnswerReply(0, 7, "?");
  EXPECT_EQ(outcomes_[0], "UNKNOWN: Unexpected entity reply");
  EXPECT_TRUE(Stream(0).destroyed);
  ASSERT_EQ(reports_.size(), 1U);
  EXPECT_THAT(reports_[0], HasSubstr("reply for command 7, and the outstanding one is 1"));
  EXPECT_THAT(Sent(1), ElementsAre("init test.Counter a", "command 1 a Add 2"));
}

TEST_F(EventSourcedEntityTest, AReplyThatNobodyWaitsForResetsTheStream) {
  Deliver("Add", "1");
  AnswerReply(0, 1, "one");
  AnswerReply(0, 1, "again");
  EXPECT_TRUE(Stream(0).destroyed);
  EXPECT_EQ(reports_.size(), 1U);
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedEntityTest, AFailureFailsTheCommandWithThePublishedTextAndResets) {
  Deliver("Add", "1");
  AnswerFailure(0, 1, "stack trace");
  EXPECT_THAT(outcomes_, ElementsAre("UNKNOWN: Unexpected entity failure"));
  EXPECT_TRUE(Stream(0).destroyed);
  ASSERT_EQ(reports_.size(), 1U);
  EXPECT_THAT(reports_[0], HasSubstr("stack trace"));
}

TEST_F(EventSourcedEntityTest, AFailureWithoutACommandIdDoesTheSame) {
  Deliver("Add", "1");
  AnswerFailure(0, 0, "broken");
  EXPECT_THAT(outcomes_, ElementsAre("UNKNOWN: Unexpected entity failure"));
  EXPECT_TRUE(Stream(0).destroyed);
}

TEST_F(EventSourcedEntityTest, AnEmptyMessageResetsTheStream) {
  Deliver("Add", "1");
  Answer(0, {});
  EXPECT_THAT(outcomes_, ElementsAre("UNKNOWN: Unexpected entity message"));
  EXPECT_TRUE(Stream(0).destroyed);
}

TEST_F(EventSourcedEntityTest, BytesThatAreNoMessageResetTheStream) {
  Deliver("Add", "1");
  Stream(0).handler.on_message("\xff\xff\xff");
  EXPECT_THAT(outcomes_, ElementsAre("UNKNOWN: Unexpected entity message"));
}

TEST_F(EventSourcedEntityTest, AnEndedStreamFailsTheOutstandingCommandOnly) {
  Deliver("Add", "1");
  Deliver("Add", "2");
  EndStream(0, absl::UnavailableError("gone"));
  EXPECT_EQ(outcomes_[0], "UNKNOWN: Unexpected entity termination");
  EXPECT_THAT(Sent(1), ElementsAre("init test.Counter a", "command 1 a Add 2"));
  AnswerReply(1, 1, "two");
  EXPECT_EQ(outcomes_[1], "reply: two");
}

TEST_F(EventSourcedEntityTest, AStreamThatEndsWhileStoringStillDeliversTheAnswer) {
  journal_.hold_writes = true;
  Deliver("Add", "1");
  Deliver("Add", "2");
  AnswerReply(0, 1, "one", {"e1"});
  EndStream(0, absl::UnavailableError("gone"));
  journal_.Release();
  strand_.Run();
  EXPECT_EQ(outcomes_[0], "reply: one");
  EXPECT_THAT(Sent(1), ElementsAre("init test.Counter a", "event 1 e1", "command 1 a Add 2"));
}

TEST_F(EventSourcedEntityTest, AUserFunctionThatEndsEveryStreamDoesNotGetTheSameCommandForEver) {
  limits_.replay_page_bytes = 1;
  Create();
  Store(2);
  connection_->unsent_at_open = 1000;
  Deliver("Add", "1");
  Deliver("Add", "2");
  for (std::size_t stream = 0; stream < 2; ++stream) EndStream(stream, absl::UnavailableError("gone"));
  EXPECT_THAT(outcomes_,
              ElementsAre("UNKNOWN: Unexpected entity termination", "UNKNOWN: Unexpected entity termination"));
  EXPECT_TRUE(entity_->stopped());
}

TEST_F(EventSourcedEntityTest, AUserFunctionThatFailsEveryReplayDoesNotGetTheSameCommandForEver) {
  limits_.replay_page_bytes = 1;
  Create();
  Store(2);
  connection_->unsent_at_open = 1000;
  Deliver("Add", "1");
  Deliver("Add", "2");
  for (std::size_t stream = 0; stream < 2; ++stream) AnswerFailure(stream, 0, "cannot handle e1");
  EXPECT_THAT(outcomes_, ElementsAre("UNKNOWN: Unexpected entity failure", "UNKNOWN: Unexpected entity failure"));
  EXPECT_TRUE(entity_->stopped());
}

TEST_F(EventSourcedEntityTest, AReplayThatIsNotTakenEndsAtTheRelayTimeout) {
  limits_.replay_page_bytes = 1;
  Create();
  Store(2);
  connection_->unsent_at_open = 1000;
  Deliver("Add", "1");
  strand_.Advance(absl::Seconds(60));
  EXPECT_THAT(outcomes_[0],
              HasSubstr("DEADLINE_EXCEEDED: the user function did not take the replay of entity counter|a"));
  EXPECT_TRUE(entity_->stopped());
}

TEST_F(EventSourcedEntityTest, AFailedWriteFailsTheCommandAndReplaysForTheNext) {
  Deliver("Add", "1");
  Deliver("Get");
  journal_.write_status = absl::ResourceExhaustedError("disk full");
  AnswerReply(0, 1, "one", {"e1"});
  EXPECT_EQ(outcomes_[0], "RESOURCE_EXHAUSTED: disk full");
  EXPECT_TRUE(Stream(0).destroyed);
  EXPECT_THAT(Sent(1), ElementsAre("init test.Counter a", "command 1 a Get "));
}

TEST_F(EventSourcedEntityTest, AFailedReplayFailsWhatWaits) {
  journal_.load_status = absl::DataLossError("damaged");
  Deliver("Get");
  EXPECT_THAT(outcomes_, ElementsAre("DATA_LOSS: damaged"));
  EXPECT_TRUE(entity_->stopped());
}

TEST_F(EventSourcedEntityTest, PassivatesAfterTheTimeoutAndStartsAgainForTheNextCommand) {
  Deliver("Add", "1");
  AnswerReply(0, 1, "one", {"e1"});
  strand_.Advance(absl::Seconds(29));
  EXPECT_FALSE(Stream(0).half_closed);
  strand_.Advance(absl::Seconds(1));
  EXPECT_TRUE(Stream(0).half_closed);
  Deliver("Get");
  EXPECT_EQ(connection_->streams.size(), 1U);
  EndStream(0);
  EXPECT_THAT(Sent(1), ElementsAre("init test.Counter a", "event 1 e1", "command 1 a Get "));
}

TEST_F(EventSourcedEntityTest, IsForgottenWhenItsStreamHasEndedAfterPassivation) {
  Deliver("Add", "1");
  AnswerReply(0, 1, "one");
  EXPECT_TRUE(idle_);
  strand_.Advance(absl::Seconds(30));
  EXPECT_FALSE(idle_);
  EXPECT_EQ(stopped_, 0);
  EndStream(0);
  EXPECT_EQ(stopped_, 1);
  EXPECT_TRUE(entity_->stopped());
}

TEST_F(EventSourcedEntityTest, AStreamThatStaysOpenAfterPassivationIsCancelledAfterTheGrace) {
  Deliver("Add", "1");
  AnswerReply(0, 1, "one");
  strand_.Advance(absl::Seconds(32));
  EXPECT_TRUE(Stream(0).destroyed);
  EXPECT_TRUE(entity_->stopped());
}

TEST_F(EventSourcedEntityTest, ACommandWithoutAReplyResetsTheStreamAfterTheRelayTimeout) {
  Deliver("Hang");
  strand_.Advance(absl::Seconds(60));
  EXPECT_THAT(outcomes_[0], HasSubstr("DEADLINE_EXCEEDED: no reply from the user function to test.Counter.Hang"));
  EXPECT_TRUE(Stream(0).destroyed);
}

TEST_F(EventSourcedEntityTest, AbandonedCommandsAreNotSent) {
  Deliver("Add", "1");
  abandoned_ = std::make_shared<bool>(true);
  Deliver("Add", "2");
  abandoned_ = std::make_shared<bool>(false);
  Deliver("Add", "3");
  AnswerReply(0, 1, "one");
  EXPECT_THAT(Sent(0), ElementsAre("init test.Counter a", "command 1 a Add 1", "command 2 a Add 3"));
}

TEST_F(EventSourcedEntityTest, RefusesCommandsBeyondItsQueue) {
  limits_.max_waiting_commands = 2;
  Create();
  Deliver("Add", "1");
  Deliver("Add", "2");
  Deliver("Add", "3");
  Deliver("Add", "4");
  EXPECT_EQ(outcomes_[2], "pending");
  EXPECT_THAT(outcomes_[3], HasSubstr("RESOURCE_EXHAUSTED: 2 commands already wait for entity counter|a"));
}

TEST_F(EventSourcedEntityTest, WhatAnAbandonedCommandLeadsToMayBeFurtherCommands) {
  limits_.max_waiting_commands = 2;
  Create();
  Deliver("Add", "1");
  abandoned_ = std::make_shared<bool>(true);
  Deliver("Add", "2");
  Deliver("Add", "3");
  abandoned_ = std::make_shared<bool>(false);
  std::vector<std::size_t> ended;
  on_outcome_ = [&](std::size_t index) {
    ended.push_back(index);
    if (ended.size() == 1) Hand("Add", "5");
  };
  Deliver("Add", "4");
  EXPECT_THAT(ended, ElementsAre(1, 2));
  AnswerReply(0, 1, "one");
  AnswerReply(0, 2, "two");
  EXPECT_THAT(Sent(0),
              ElementsAre("init test.Counter a", "command 1 a Add 1", "command 2 a Add 5", "command 3 a Add 4"));
}

TEST_F(EventSourcedEntityTest, AbortFailsEverythingWithItsReason) {
  Deliver("Add", "1");
  Deliver("Add", "2");
  connected_ = false;
  entity_->Abort(absl::UnavailableError("no user function"));
  EXPECT_THAT(outcomes_, ElementsAre("UNAVAILABLE: no user function", "UNAVAILABLE: no user function"));
  EXPECT_TRUE(entity_->stopped());
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedEntityTest, AbortOfAnIdleEntityEndsItsIdleness) {
  Deliver("Add", "1");
  AnswerReply(0, 1, "one");
  ASSERT_TRUE(idle_);
  entity_->Abort(absl::UnavailableError("no user function"));
  EXPECT_FALSE(idle_);
}

TEST_F(EventSourcedEntityTest, AbortStillDeliversWhatIsBeingStored) {
  journal_.hold_writes = true;
  Deliver("Add", "1");
  AnswerReply(0, 1, "one", {"e1"});
  connected_ = false;
  entity_->Abort(absl::UnavailableError("no user function"));
  journal_.Release();
  strand_.Run();
  EXPECT_THAT(outcomes_, ElementsAre("reply: one"));
  EXPECT_TRUE(entity_->stopped());
}

TEST_F(EventSourcedEntityTest, CountsWhatItDoes) {
  Deliver("Add", "1");
  AnswerReply(0, 1, "one", {"e1", "e22"}, "state");
  Deliver("Add", "2");
  AnswerClientFailure(0, 2, "no", false);
  EXPECT_EQ(metrics_.activated_entities, 1U);
  EXPECT_EQ(metrics_.received_commands, 2U);
  EXPECT_EQ(metrics_.completed_commands, 2U);
  EXPECT_EQ(metrics_.failed_commands, 1U);
  EXPECT_EQ(metrics_.persisted_events, 2U);
  EXPECT_EQ(metrics_.persisted_event_bytes, 5U);
  EXPECT_EQ(metrics_.persisted_snapshots, 1U);
  EXPECT_EQ(metrics_.persisted_snapshot_bytes, 5U);
}

}  // namespace
}  // namespace cloudstate::entities
