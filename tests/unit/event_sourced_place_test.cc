#include "tests/unit/event_sourced_fixture.h"

namespace cloudstate::entities {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EventSourcedPlaceTest : public EventSourcedFixture {};

// ---- a shard that another node holds

constexpr char kHeldElsewhere[] = "ABORTED: entity counter|a of test.Counter is held by another node now; try again";

TEST_F(EventSourcedPlaceTest, AWriteUnderALostFenceEndsTheEntityAndWhatWaitsStaysUntilItIsRetired) {
  HoldShard();
  Deliver("Add", "1");
  Deliver("Add", "2");
  LoseShard();
  AnswerReply(0, 1, "one", {"e1"});
  EXPECT_THAT(outcomes_, ElementsAre(kHeldElsewhere, "pending"));
  EXPECT_THAT(StoredEvents(), IsEmpty());
  EXPECT_EQ(fenced_, 1);
  EXPECT_TRUE(Stream(0).destroyed);
  EXPECT_EQ(connection_->streams.size(), 1U);
  EXPECT_EQ(stopped_, 0);
  EXPECT_FALSE(entity_->stopped());
  EXPECT_THAT(Retire(), ElementsAre("2"));
  EXPECT_EQ(stopped_, 1);
  EXPECT_TRUE(entity_->stopped());
}

TEST_F(EventSourcedPlaceTest, AReadUnderALostFenceIsNotAnswered) {
  HoldShard();
  Deliver("Get");
  LoseShard();
  AnswerReply(0, 1, "stale");
  EXPECT_THAT(outcomes_, ElementsAre(kHeldElsewhere));
  EXPECT_EQ(fenced_, 1);
  EXPECT_TRUE(Stream(0).destroyed);
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedPlaceTest, ALostFenceIsNotTheUserFunctionsFault) {
  HoldShard();
  Deliver("Get");
  LoseShard();
  AnswerReply(0, 1, "stale");
  EXPECT_THAT(reports_, IsEmpty());
  EXPECT_EQ(metrics_.failed_entities, 0U);
  EXPECT_EQ(metrics_.failed_commands, 1U);
}

TEST_F(EventSourcedPlaceTest, AFailureOfAStateThatIsOverIsNotPassedOn) {
  HoldShard();
  Deliver("Get");
  LoseShard();
  AnswerClientFailure(0, 1, "no", false);
  EXPECT_THAT(outcomes_, ElementsAre(HasSubstr("is held by another node now")));
  EXPECT_EQ(fenced_, 1);
}

TEST_F(EventSourcedPlaceTest, UnderItsFenceItReadsAndWrites) {
  HoldShard();
  Deliver("Add");
  AnswerReply(0, 1, "one", {"e1"});
  Deliver("Get");
  AnswerReply(0, 2, "read");
  EXPECT_THAT(outcomes_, ElementsAre("reply: one", "reply: read"));
}

TEST_F(EventSourcedPlaceTest, AWriteAheadOfTheClaimIsAnsweredAfterIt) {
  HoldShard();
  Deliver("Add");
  journal_.hold_writes = true;
  AnswerReply(0, 1, "one", {"e1"});
  LoseShard();
  journal_.Release();
  strand_.Run();
  EXPECT_THAT(outcomes_, ElementsAre("reply: one"));
}

TEST_F(EventSourcedPlaceTest, AnotherWritersSequenceNumberResetsTheStreamAsAnyFailedWriteDoes) {
  HoldShard();
  Deliver("Add", "1");
  Store(1);
  AnswerReply(0, 1, "one", {"e1"});
  EXPECT_THAT(outcomes_, ElementsAre("ABORTED: another writer was there"));
  EXPECT_EQ(fenced_, 0);
  EXPECT_EQ(reports_.size(), 1U);
  Deliver("Add", "2");
  EXPECT_THAT(Sent(1), ElementsAre("init test.Counter a", "event 1 e1", "command 1 a Add 2"));
}

TEST_F(EventSourcedPlaceTest, ACommandThatComesAfterTheFenceWasLostWaitsToBeRetired) {
  HoldShard();
  Deliver("Get");
  LoseShard();
  AnswerReply(0, 1, "stale");
  Deliver("Add", "2");
  EXPECT_EQ(outcomes_[1], "pending");
  EXPECT_FALSE(entity_->stopped());
  EXPECT_EQ(connection_->streams.size(), 1U);
  EXPECT_THAT(Retire(), ElementsAre("2"));
}

TEST_F(EventSourcedPlaceTest, AbortFailsWhatWaitsAfterTheFenceWasLost) {
  HoldShard();
  Deliver("Get", "1");
  Deliver("Get", "2");
  LoseShard();
  AnswerReply(0, 1, "stale");
  entity_->Abort(absl::UnavailableError("no user function"));
  EXPECT_EQ(outcomes_[1], "UNAVAILABLE: no user function");
  EXPECT_TRUE(entity_->stopped());
  EXPECT_EQ(stopped_, 1);
}

// ---- giving up its place

TEST_F(EventSourcedPlaceTest, RetiredWhenStoppedItSaysSoAgain) {
  Deliver("Get");
  AnswerReply(0, 1, "one");
  strand_.Advance(absl::Seconds(30));
  EndStream(0);
  ASSERT_EQ(stopped_, 1);
  EXPECT_THAT(Retire(), IsEmpty());
  EXPECT_EQ(stopped_, 2);
  EXPECT_THAT(Retire(), IsEmpty());
  EXPECT_EQ(stopped_, 2) << "once";
}

TEST_F(EventSourcedPlaceTest, RetiredWhileItsFirstPageIsReadItOpensNoStream) {
  Hand("Add", "1");
  Hand("Add", "2");
  EXPECT_THAT(Retire(), ElementsAre("1", "2"));
  EXPECT_THAT(connection_->streams, IsEmpty());
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedPlaceTest, RetiredDuringAReplayItSendsNoMoreOfIt) {
  limits_.replay_page_bytes = 1;
  Create();
  Store(3);
  connection_->unsent_at_open = 1000;
  Deliver("Add", "1");
  Stream(0).unsent = 0;
  Stream(0).handler.on_writable();  // the next page is on its way
  EXPECT_THAT(Retire(), ElementsAre("1"));
  EXPECT_THAT(Sent(0), ElementsAre("init test.Counter a", "event 1 e1"));
  EXPECT_TRUE(Stream(0).half_closed);
  EndStream(0);
  EXPECT_EQ(stopped_, 1);
  EXPECT_EQ(connection_->streams.size(), 1U);
}

TEST_F(EventSourcedPlaceTest, RetiredWhenIdleItStopsWhenItsStreamHasEnded) {
  Deliver("Get");
  AnswerReply(0, 1, "one");
  EXPECT_THAT(Retire(), IsEmpty());
  EXPECT_TRUE(Stream(0).half_closed);
  EXPECT_FALSE(idle_);
  EXPECT_EQ(stopped_, 0);
  EndStream(0);
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedPlaceTest, RetiredItWaitsNoLongerThanTheGraceForTheEndOfItsStream) {
  Deliver("Get");
  AnswerReply(0, 1, "one");
  Retire();
  strand_.Advance(absl::Seconds(2));
  EXPECT_TRUE(Stream(0).destroyed);
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedPlaceTest, RetiredWhileACommandIsOutstandingItFinishesThat) {
  Deliver("Add", "1");
  Deliver("Add", "2");
  Deliver("Add", "3");
  EXPECT_THAT(Retire(), ElementsAre("2", "3"));
  EXPECT_FALSE(Stream(0).half_closed);
  AnswerReply(0, 1, "one", {"e1"});
  EXPECT_EQ(outcomes_[0], "reply: one");
  EXPECT_THAT(StoredEvents(), ElementsAre("e1"));
  EXPECT_TRUE(Stream(0).half_closed);
  EXPECT_FALSE(idle_);
  EndStream(0);
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedPlaceTest, RetiredWhileItsAnswerIsBeingStoredItDeliversThat) {
  journal_.hold_writes = true;
  Deliver("Add", "1");
  Deliver("Add", "2");
  AnswerReply(0, 1, "one", {"e1"});
  EXPECT_THAT(Retire(), ElementsAre("2"));
  EXPECT_FALSE(Stream(0).half_closed);
  journal_.Release();
  strand_.Run();
  EXPECT_EQ(outcomes_[0], "reply: one");
  EXPECT_TRUE(Stream(0).half_closed);
  EndStream(0);
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedPlaceTest, RetiredWhileStoringItStopsAtOnceIfItsStreamHasEndedMeanwhile) {
  journal_.hold_writes = true;
  Deliver("Add", "1");
  AnswerReply(0, 1, "one", {"e1"});
  Retire();
  EndStream(0, absl::UnavailableError("gone"));
  EXPECT_EQ(stopped_, 0);
  journal_.Release();
  strand_.Run();
  EXPECT_EQ(outcomes_[0], "reply: one");
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedPlaceTest, RetiredWhilePassivatingItDoesNotStartAgainForWhatWaits) {
  Deliver("Add", "1");
  AnswerReply(0, 1, "one");
  strand_.Advance(absl::Seconds(30));
  Deliver("Add", "2");
  EXPECT_THAT(Retire(), ElementsAre("2"));
  EXPECT_EQ(stopped_, 0);
  EndStream(0);
  EXPECT_EQ(stopped_, 1);
  EXPECT_EQ(connection_->streams.size(), 1U);
}

TEST_F(EventSourcedPlaceTest, ARetiredEntityWhoseStreamBreaksFailsItsCommandAndStops) {
  Deliver("Add", "1");
  Retire();
  EndStream(0, absl::UnavailableError("gone"));
  EXPECT_THAT(outcomes_, ElementsAre("UNKNOWN: Unexpected entity termination"));
  EXPECT_EQ(stopped_, 1);
  EXPECT_EQ(connection_->streams.size(), 1U);
}

TEST_F(EventSourcedPlaceTest, ARetiredEntityThatGetsNoReplyStopsAtTheRelayTimeout) {
  Deliver("Hang");
  Retire();
  strand_.Advance(absl::Seconds(60));
  EXPECT_THAT(outcomes_[0], HasSubstr("DEADLINE_EXCEEDED"));
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedPlaceTest, ARetiredEntityIsNotRestartedWhenTheUserFunctionAsksForIt) {
  Deliver("Add", "1");
  Retire();
  AnswerClientFailure(0, 1, "wrong", true);
  EXPECT_THAT(outcomes_, ElementsAre("failure: wrong"));
  EndStream(0);
  EXPECT_EQ(stopped_, 1);
  EXPECT_EQ(connection_->streams.size(), 1U);
}

TEST_F(EventSourcedPlaceTest, ARestartThatIsUnderWayIsNotGoneOnWithAfterRetirement) {
  Deliver("Add", "1");
  AnswerClientFailure(0, 1, "wrong", true);
  Retire();
  EndStream(0);
  EXPECT_EQ(stopped_, 1);
  EXPECT_EQ(connection_->streams.size(), 1U);
}

TEST_F(EventSourcedPlaceTest, ARetiredEntityThatLosesItsFenceSaysNothingOfIt) {
  HoldShard();
  Deliver("Add", "1");
  Retire();
  LoseShard();
  AnswerReply(0, 1, "one", {"e1"});
  EXPECT_THAT(outcomes_, ElementsAre(kHeldElsewhere));
  EXPECT_EQ(fenced_, 0);
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedPlaceTest, ARetiredEntityRefusesCommands) {
  Deliver("Add", "1");
  Retire();
  Deliver("Add", "2");
  EXPECT_THAT(outcomes_[1],
              HasSubstr("UNAVAILABLE: entity counter|a of test.Counter is about to live on another node"));
}

TEST_F(EventSourcedPlaceTest, AbortEndsARetirement) {
  Deliver("Add", "1");
  Retire();
  entity_->Abort(absl::UnavailableError("no user function"));
  EXPECT_THAT(outcomes_, ElementsAre("UNAVAILABLE: no user function"));
  EXPECT_EQ(stopped_, 1);
}

}  // namespace
}  // namespace cloudstate::entities
