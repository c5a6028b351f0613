#include "tests/unit/crdt_entity_fixture.h"

namespace cloudstate::entities {
namespace {

class CrdtEntityStreamsTest : public CrdtEntityFixture {
 protected:
  static constexpr char kStreamed[] = " streamed: true";

  // A call of that method whose reply was streamed.
  std::shared_ptr<CrdtCommand> Open(int id, const std::string& more = "") {
    auto command = DeliverStreamed("Watch");
    SayReply(id, "first", kStreamed + more);
    return command;
  }
};

TEST_F(CrdtEntityStreamsTest, ACallStaysOpenUntilAMessageEndsIt) {
  Open(1);
  EXPECT_THAT(Sent(0), ElementsAre("init ", "command 1 Watch streamed"));
  SayStreamed(1, "second", "side_effects { command_name: 'E' }");
  EXPECT_THAT(log_[0], ElementsAre("reply first", "reply second, effect E"));
  SayStreamed(1, "third", "end_stream: true");
  EXPECT_THAT(log_[0], ElementsAre("reply first", "reply second, effect E", "reply third", "end"));
}

TEST_F(CrdtEntityStreamsTest, AReplyThatIsNotStreamedEndsTheCall) {
  DeliverStreamed("Watch");
  SayReply(1, "only");
  EXPECT_THAT(log_[0], ElementsAre("reply only", "end"));
}

TEST_F(CrdtEntityStreamsTest, AReplyWithoutAnActionIsNoMessage) {
  DeliverStreamed("Watch");
  Say("reply { command_id: 1 streamed: true }");
  Say("streamed_message { command_id: 1 end_stream: true }");
  EXPECT_THAT(log_[0], ElementsAre("end"));
}

TEST_F(CrdtEntityStreamsTest, MessagesAheadOfTheReplyFollowIt) {
  DeliverStreamed("Watch");
  SayStreamed(1, "second");
  SayStreamed(1, "third", "end_stream: true");
  EXPECT_THAT(log_[0], IsEmpty());
  SayReply(1, "first", kStreamed);
  EXPECT_THAT(log_[0], ElementsAre("reply first", "reply second", "reply third", "end"));
}

TEST_F(CrdtEntityStreamsTest, MessagesAheadOfAReplyThatIsNotStreamedAreLeftOut) {
  DeliverStreamed("Watch");
  SayStreamed(1, "early");
  SayReply(1, "only");
  EXPECT_THAT(log_[0], ElementsAre("reply only", "end"));
  EXPECT_THAT(reports_, ElementsAre(HasSubstr("command 1 has no stream")));
}

TEST_F(CrdtEntityStreamsTest, MessagesWaitForTheWriteThatIsAheadOfThem) {
  replica_.hold_writes = true;
  Open(1, " state_action { update { vote { self_vote: true } } write_consistency: ALL }");
  SayStreamed(1, "second", "end_stream: true");
  EXPECT_THAT(log_[0], IsEmpty());
  replica_.ReleaseWrites();
  EXPECT_THAT(log_[0], ElementsAre("reply first", "reply second", "end"));
}

TEST_F(CrdtEntityStreamsTest, OpenCallsHoldNoChangesBack) {
  Open(1);
  Remote("gcounter { increment: 1 }");
  EXPECT_THAT(SentAfter(2), ElementsAre("delta gcounter { increment: 1 }"));
}

TEST_F(CrdtEntityStreamsTest, MessagesForUnknownCommandsAreReportedOnly) {
  Open(1);
  Deliver("Get");
  SayStreamed(7, "lost");
  SayStreamed(2, "not streamed");
  EXPECT_THAT(reports_, ElementsAre(HasSubstr("command 7 has no stream"), HasSubstr("command 2 has no stream")));
  SayStreamed(1, "second");
  EXPECT_THAT(log_[0], ElementsAre("reply first", "reply second"));
}

// ---- cancellation

TEST_F(CrdtEntityStreamsTest, TheUserFunctionIsToldOnceThatTheClientHasGone) {
  const auto command = Open(1, " state_action { update { vote { self_vote: true } } }");
  entity_->Cancel(command);
  entity_->Cancel(command);
  EXPECT_THAT(SentAfter(2), ElementsAre("cancelled 1"));
  Remote("vote { self_vote: true }");  // of a node that may not vote here
  replica_.members = {{1, 1}, {2, 1}};
  entity_->OnReplicaChanged();
  EXPECT_THAT(SentAfter(3), IsEmpty()) << "held back";
  Say("stream_cancelled_response { command_id: 1 side_effects { command_name: 'E' } "
      "state_action { update { vote { self_vote: false } } write_consistency: MAJORITY } }");
  EXPECT_THAT(log_[0], ElementsAre("reply first", "nothing, effect E", "end"));
  EXPECT_EQ(replica_.consistencies.back(), crdt::MAJORITY);
  EXPECT_THAT(SentAfter(3), ElementsAre("delta vote { votes_for: 1 total_voters: 2 }"));
}

TEST_F(CrdtEntityStreamsTest, CallsThatAreOpenEndWellWhenTheyMust) {
  Open(1);
  DeliverStreamed("Watch");
  entity_->EndOpenCalls();
  entity_->EndOpenCalls();
  EXPECT_THAT(SentAfter(3), ElementsAre("cancelled 1"));
  Say("stream_cancelled_response { command_id: 1 }");
  EXPECT_THAT(log_[0], ElementsAre("reply first", "end"));
  SayReply(2, "only");
  EXPECT_THAT(log_[1], ElementsAre("reply only", "end")) << "one that has no reply yet goes on";
}

TEST_F(CrdtEntityStreamsTest, ACancellationAheadOfTheReplyFollowsIt) {
  entity_->Cancel(DeliverStreamed("Watch"));
  EXPECT_THAT(SentAfter(2), IsEmpty());
  SayReply(1, "first", kStreamed);
  EXPECT_THAT(SentAfter(2), ElementsAre("cancelled 1"));
  Say("stream_cancelled_response { command_id: 1 }");
  EXPECT_THAT(log_[0], ElementsAre("end"));
}

TEST_F(CrdtEntityStreamsTest, ACallThatItsReplyEndsIsNotCancelled) {
  entity_->Cancel(DeliverStreamed("Watch"));
  SayReply(1, "only");
  EXPECT_THAT(SentAfter(2), IsEmpty());
  EXPECT_THAT(log_[0], ElementsAre("end"));
}

TEST_F(CrdtEntityStreamsTest, ACallWhoseLastMessageIsOnItsWayIsNotCancelled) {
  replica_.hold_writes = true;
  const auto command = Open(1, " state_action { update { vote { self_vote: true } } }");
  SayStreamed(1, "last", "side_effects { command_name: 'E' } end_stream: true");
  entity_->Cancel(command);
  EXPECT_THAT(SentAfter(2), IsEmpty());
  replica_.ReleaseWrites();
  EXPECT_THAT(log_[0], ElementsAre("nothing, effect E", "end"));
}

TEST_F(CrdtEntityStreamsTest, OfMessagesToAClientThatHasGoneTheEffectsAreLeft) {
  entity_->Cancel(Open(1));
  SayStreamed(1, "unheard");
  SayStreamed(1, "unheard", "side_effects { command_name: 'E' } end_stream: true");
  Say("stream_cancelled_response { command_id: 1 }");
  EXPECT_THAT(log_[0], ElementsAre("reply first", "nothing, effect E", "end"));
}

TEST_F(CrdtEntityStreamsTest, ASecondResponseToACancellationResetsIt) {
  entity_->Cancel(Open(1));
  Say("stream_cancelled_response { command_id: 1 }");
  Say("stream_cancelled_response { command_id: 1 }");
  EXPECT_TRUE(Stream(0).destroyed);
}

TEST_F(CrdtEntityStreamsTest, NobodyWaitsForEverForWhatFollowsACancellation) {
  entity_->Cancel(Open(1));
  Remote("gcounter { increment: 1 }");
  strand_.Advance(absl::Seconds(2));
  EXPECT_THAT(SentAfter(2), ElementsAre("cancelled 1", "delta gcounter { increment: 1 }"));
  EXPECT_THAT(log_[0], ElementsAre("reply first", "end"));
  EXPECT_TRUE(idle_);
}

TEST_F(CrdtEntityStreamsTest, WhatFollowsACancellationTooLateStillChangesTheValue) {
  entity_->Cancel(Open(1));
  strand_.Advance(absl::Seconds(2));
  Say("stream_cancelled_response { command_id: 1 side_effects { command_name: 'E' } "
      "state_action { update { gcounter { increment: 1 } } } }");
  EXPECT_EQ(replica_.Value(), "gcounter { increment: 1 }");
  EXPECT_THAT(log_[0], ElementsAre("reply first", "end"));
  EXPECT_THAT(reports_, ElementsAre(HasSubstr("side effects were left out")));
  EXPECT_THAT(SentAfter(3), IsEmpty());
  EXPECT_FALSE(Stream(0).destroyed);
}

TEST_F(CrdtEntityStreamsTest, AFailureInAMessageCancelsTheCall) {
  Open(1);
  Say("streamed_message { command_id: 1 client_action { failure { description: 'no' } } }");
  EXPECT_THAT(SentAfter(2), ElementsAre("cancelled 1"));
  Say("stream_cancelled_response { command_id: 1 }");
  EXPECT_THAT(log_[0], ElementsAre("reply first", "failure no", "end"));
}

TEST_F(CrdtEntityStreamsTest, AFailureOfTheCommandEndsAnOpenCall) {
  Open(1);
  Say("failure { command_id: 1 description: 'no' }");
  EXPECT_THAT(log_[0], ElementsAre("reply first", "failure no", "end"));
  EXPECT_THAT(SentAfter(2), IsEmpty());
}

// ---- ends

TEST_F(CrdtEntityStreamsTest, AnOpenCallKeepsItAwake) {
  Open(1);
  strand_.Advance(absl::Minutes(10));
  EXPECT_FALSE(Stream(0).half_closed);
  SayStreamed(1, "last", "end_stream: true");
  strand_.Advance(absl::Seconds(30));
  EXPECT_TRUE(Stream(0).half_closed);
}

TEST_F(CrdtEntityStreamsTest, OpenCallsEndWellWhenItIsDeleted) {
  Open(1);
  Deliver("Delete");
  SayReply(2, "gone", "state_action { delete {} }");
  EXPECT_THAT(log_, ElementsAre(Lines{"reply first", "end"}, Lines{"reply gone", "end"}));
  EXPECT_THAT(SentAfter(3), IsEmpty());
}

TEST_F(CrdtEntityStreamsTest, OpenCallsEndWellWhenItIsDeletedElsewhere) {
  Open(1);
  RemoteDelete();
  EXPECT_THAT(SentAfter(2), ElementsAre("delete"));
  EXPECT_THAT(log_[0], ElementsAre("reply first", "end"));
}

TEST_F(CrdtEntityStreamsTest, OpenCallsFailWhenItIsReset) {
  Open(1);
  Say("reply { command_id: 9 }");
  EXPECT_THAT(log_[0], ElementsAre("reply first", kTerminating));
}

TEST_F(CrdtEntityStreamsTest, WhatWasAnsweredBeforeAResetIsDeliveredBeforeTheError) {
  replica_.hold_writes = true;
  Open(1, " state_action { update { vote { self_vote: true } } }");
  EndStream();
  EXPECT_THAT(log_[0], IsEmpty());
  replica_.ReleaseWrites();
  EXPECT_THAT(log_[0], ElementsAre("reply first", "end UNKNOWN: Unexpected CRDT entity termination"));
}

}  // namespace
}  // namespace cloudstate::entities
