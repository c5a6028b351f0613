#include "tests/unit/crdt_entity_fixture.h"

namespace cloudstate::entities {
namespace {

class CrdtEntityTest : public CrdtEntityFixture {};

TEST_F(CrdtEntityTest, OpensAStreamWithInitAndThenTheCommand) {
  Deliver("Add");
  EXPECT_EQ(Stream(0).method, "/cloudstate.crdt.Crdt/handle");
  EXPECT_THAT(Sent(0), ElementsAre("init ", "command 1 Add"));
  SayReply(1, "one");
  EXPECT_THAT(log_[0], ElementsAre("reply one", "end"));
}

TEST_F(CrdtEntityTest, InitHasTheWholeValueIfTheEntityExists) {
  replica_.Remote("gcounter { increment: 7 }");
  Deliver("Get");
  EXPECT_THAT(Sent(0), ElementsAre("init gcounter { increment: 7 }", "command 1 Get"));
}

TEST_F(CrdtEntityTest, CommandsWaitUntilTheStateIsRead) {
  replica_.hold_reads = true;
  Deliver("Add");
  Deliver("Get");
  EXPECT_EQ(entity_->waiting(), 2U);
  EXPECT_THAT(connection_->streams, IsEmpty());
  replica_.Remote("gcounter { increment: 7 }");
  replica_.ReleaseReads();
  EXPECT_THAT(Sent(0), ElementsAre("init gcounter { increment: 7 }", "command 1 Add", "command 2 Get"));
}

TEST_F(CrdtEntityTest, SeveralCommandsAreOutstandingAndAnsweredInAnyOrder) {
  Deliver("Add");
  Deliver("Get");
  SayReply(2, "two");
  EXPECT_THAT(log_[0], IsEmpty());
  SayReply(1, "one");
  EXPECT_THAT(log_, ElementsAre(Lines{"reply one", "end"}, Lines{"reply two", "end"}));
}

TEST_F(CrdtEntityTest, EffectsAndForwardsAreHandedOn) {
  Deliver("Add");
  Say("reply { command_id: 1 client_action { forward { command_name: 'F' } } side_effects { command_name: 'E' } }");
  EXPECT_THAT(log_[0], ElementsAre("forward F, effect E", "end"));
}

TEST_F(CrdtEntityTest, AnswersOnceItsChangeIsWrittenAsWidelyAsWasAsked) {
  replica_.hold_writes = true;
  Deliver("Add");
  SayUpdate(1, "one", "gcounter { increment: 1 }", "MAJORITY");
  EXPECT_EQ(replica_.Value(), "gcounter { increment: 1 }");
  EXPECT_THAT(replica_.consistencies, ElementsAre(crdt::MAJORITY));
  EXPECT_THAT(log_[0], IsEmpty());
  replica_.ReleaseWrites();
  EXPECT_THAT(log_[0], ElementsAre("reply one", "end"));
}

// ---- the two copies

TEST_F(CrdtEntityTest, ItsOwnChangesDoNotComeBack) {
  for (const char* update :
       {"gcounter { increment: 1 }", "pncounter { change: -1 }", "gset { added { value: 'x' } }",
        "orset { added { value: 'x' } }", "lwwregister { value { value: 'x' } }", "flag { value: true }",
        "vote { self_vote: true }", "ormap { added { key { value: 'k' } delta { vote { self_vote: true } } } }"}) {
    SCOPED_TRACE(update);
    replica_ = FakeReplica();
    Create();
    Deliver("Add");
    const std::size_t stream = connection_->streams.size() - 1;
    SayUpdate(1, "one", update);
    entity_->OnReplicaChanged();
    EXPECT_THAT(SentAfter(2, stream), IsEmpty());
  }
}

TEST_F(CrdtEntityTest, AChangeOfOthersIsToldAtOnceWhileNothingIsOutstanding) {
  replica_.Remote("gcounter { increment: 1 }");
  Deliver("Get");
  SayReply(1, "one");
  Remote("gcounter { increment: 2 }");
  EXPECT_THAT(SentAfter(2), ElementsAre("delta gcounter { increment: 2 }"));
}

TEST_F(CrdtEntityTest, ChangesOfOthersAreHeldBackWhileCommandsAreOutstandingAndThenAreOne) {
  replica_.Remote("gcounter { increment: 1 }");
  Deliver("Add");
  Deliver("Get");
  Remote("gcounter { increment: 2 }");
  SayUpdate(1, "one", "gcounter { increment: 10 }");
  Remote("gcounter { increment: 4 }");
  EXPECT_THAT(SentAfter(3), IsEmpty());
  SayReply(2, "two");
  EXPECT_THAT(SentAfter(3), ElementsAre("delta gcounter { increment: 6 }"));
  EXPECT_EQ(replica_.Value(), "gcounter { increment: 17 }");
}

TEST_F(CrdtEntityTest, AnEntityThatOthersMakeAfterInitIsToldAsItIs) {
  Deliver("Get");
  SayReply(1, "nothing");
  Remote("gset { added { value: 'x' } }");
  EXPECT_THAT(SentAfter(2), ElementsAre("delta gset { added { value: \"x\" } }"));
}

TEST_F(CrdtEntityTest, AWriteThatLosesIsFollowedByTheOneThatWins) {
  replica_.Remote("lwwregister { value { value: 'first' } clock: CUSTOM custom_clock_value: 9 }");
  Deliver("Set");
  SayUpdate(1, "set", "lwwregister { value { value: 'mine' } clock: CUSTOM custom_clock_value: 3 }");
  EXPECT_THAT(SentAfter(2), ElementsAre("delta lwwregister { value { value: \"first\" } }"));
}

TEST_F(CrdtEntityTest, ThoseWhoMayVoteAreToldOf) {
  Deliver("Vote");
  SayUpdate(1, "voted", "vote { self_vote: true }");
  replica_.members = {{1, 1}, {2, 1}};
  entity_->OnReplicaChanged();
  EXPECT_THAT(SentAfter(2), ElementsAre("delta vote { self_vote: true votes_for: 1 total_voters: 2 }"));
}

TEST_F(CrdtEntityTest, AnotherTypeStartsItAnew) {
  Deliver("Add");
  SayUpdate(1, "one", "pncounter { change: 1 }");
  replica_.RemoteAlone("gcounter { increment: 2 }");
  entity_->OnReplicaChanged();
  EXPECT_TRUE(Stream(0).destroyed);
  EXPECT_THAT(reports_, ElementsAre(HasSubstr("its PNCounter is a GCounter now")));
  EXPECT_EQ(stopped_, 1);
  Deliver("Get");
  EXPECT_EQ(Sent(1)[0], "init gcounter { increment: 2 }");
}

TEST_F(CrdtEntityTest, AUserFunctionThatDoesNotReadIsSentNoMore) {
  connection_->unsent_at_open = 1000;
  Deliver("Get");
  Remote("gcounter { increment: 2 }");
  EXPECT_THAT(Sent(0), ElementsAre("init "));
  EXPECT_EQ(entity_->waiting(), 1U);
  Stream(0).unsent = 0;
  Stream(0).handler.on_writable();
  EXPECT_THAT(SentAfter(1), ElementsAre("delta gcounter { increment: 2 }", "command 1 Get"));
}

TEST_F(CrdtEntityTest, TooManyCommandsAreRefused) {
  limits_.max_waiting_commands = 1;
  Create();
  replica_.hold_reads = true;
  Deliver("Get");
  Deliver("Get");
  EXPECT_THAT(log_[1],
              ElementsAre("end RESOURCE_EXHAUSTED: 1 commands already wait for entity things|a of test.Things"));
}

// ---- deletion

TEST_F(CrdtEntityTest, DeletedByItsUserFunctionItClosesTheStreamAndAnswersOnceThatIsWritten) {
  replica_.hold_writes = true;
  Deliver("Delete");
  Deliver("Get");
  SayReply(1, "gone", "state_action { delete {} write_consistency: ALL }");
  EXPECT_THAT(replica_.consistencies, ElementsAre(crdt::ALL));
  EXPECT_TRUE(replica_.state().deleted());
  EXPECT_TRUE(Stream(0).half_closed);
  EXPECT_THAT(SentAfter(3), IsEmpty());
  EXPECT_THAT(log_, ElementsAre(Lines{}, Lines{kDeleted}));
  EndStream();
  EXPECT_EQ(stopped_, 0);
  replica_.ReleaseWrites();
  EXPECT_THAT(log_[0], ElementsAre("reply gone", "end"));
  EXPECT_EQ(stopped_, 1);
}

TEST_F(CrdtEntityTest, CommandsAfterTheDeletionFail) {
  replica_.RemoteDelete();
  Deliver("Get");
  EXPECT_THAT(log_[0], ElementsAre(kDeleted));
  EXPECT_THAT(connection_->streams, IsEmpty());
  EXPECT_EQ(stopped_, 1);
}

TEST_F(CrdtEntityTest, CommandsThatWaitedForTheStateFailIfItTurnsOutToBeDeleted) {
  replica_.hold_reads = true;
  Deliver("Get");
  replica_.RemoteDelete();
  replica_.ReleaseReads();
  EXPECT_THAT(log_[0], ElementsAre(kDeleted));
  EXPECT_THAT(connection_->streams, IsEmpty());
  EXPECT_TRUE(entity_->stopped());
  EXPECT_EQ(stopped_, 1);
}

TEST_F(CrdtEntityTest, DeletedElsewhereItTellsTheUserFunctionOnceNothingIsOutstanding) {
  replica_.Remote("gcounter { increment: 1 }");
  Deliver("Get");
  RemoteDelete();
  EXPECT_THAT(SentAfter(2), IsEmpty());
  SayReply(1, "one");
  EXPECT_THAT(log_[0], ElementsAre("reply one", "end"));
  EXPECT_THAT(SentAfter(2), ElementsAre("delete"));
  EXPECT_TRUE(Stream(0).half_closed);
  strand_.Advance(absl::Seconds(2));
  EXPECT_TRUE(Stream(0).destroyed);
  EXPECT_EQ(stopped_, 1);
}

TEST_F(CrdtEntityTest, AChangeOfWhatWasDeletedElsewhereFailsWithoutBlame) {
  Deliver("Add");
  RemoteDelete();
  SayUpdate(1, "one", "gcounter { increment: 1 }");
  EXPECT_THAT(log_[0], ElementsAre(kDeleted));
  EXPECT_THAT(SentAfter(2), ElementsAre("delete"));
  EXPECT_THAT(reports_, IsEmpty());
}

// ---- passivation and other ends

TEST_F(CrdtEntityTest, PassivatesOnceNothingWasAskedForSomeTime) {
  Deliver("Get");
  strand_.Advance(absl::Seconds(40));
  EXPECT_FALSE(Stream(0).half_closed) << "a command is outstanding";
  SayReply(1, "one");
  EXPECT_TRUE(idle_);
  strand_.Advance(absl::Seconds(20));
  Remote("gcounter { increment: 1 }");  // does not keep it awake
  strand_.Advance(absl::Seconds(10));
  EXPECT_TRUE(Stream(0).half_closed);
  EXPECT_FALSE(idle_);
  EXPECT_EQ(metrics_.passivated_entities, 1U);
  EndStream();
  EXPECT_EQ(stopped_, 1);
}

TEST_F(CrdtEntityTest, DoesNotPassivateWhileAChangeIsBeingWritten) {
  replica_.hold_writes = true;
  Deliver("Add");
  SayUpdate(1, "one", "gcounter { increment: 1 }", "ALL");
  EXPECT_FALSE(idle_);
  replica_.ReleaseWrites();
  EXPECT_TRUE(idle_);
}

TEST_F(CrdtEntityTest, ACommandThatComesWhileItClosesStartsItAgain) {
  Deliver("Add");
  SayUpdate(1, "one", "gcounter { increment: 1 }");
  entity_->Passivate();
  Deliver("Get");
  EXPECT_THAT(SentAfter(2), IsEmpty());
  strand_.Advance(absl::Seconds(2));  // the library leaves the stream open
  EXPECT_TRUE(Stream(0).destroyed);
  EXPECT_THAT(Sent(1), ElementsAre("init gcounter { increment: 1 }", "command 1 Get"));
  EXPECT_EQ(stopped_, 0);
}

TEST_F(CrdtEntityTest, AClientThatGoesBeforeItsCommandIsSentEndsIt) {
  replica_.hold_reads = true;
  entity_->Cancel(Deliver("Add"));
  EXPECT_THAT(log_[0], ElementsAre("end CANCELLED: nobody waits for it any more"));
  replica_.ReleaseReads();
  EXPECT_THAT(Sent(0), ElementsAre("init "));
  EXPECT_TRUE(idle_);
}

TEST_F(CrdtEntityTest, ACommandThatWasSentIsCarriedOutForAClientThatHasGone) {
  entity_->Cancel(Deliver("Add"));
  SayReply(1, "one", "side_effects { command_name: 'E' } state_action { update { gcounter { increment: 1 } } }");
  EXPECT_THAT(SentAfter(2), IsEmpty());
  EXPECT_THAT(log_[0], ElementsAre("nothing, effect E", "end"));
  EXPECT_EQ(replica_.Value(), "gcounter { increment: 1 }");
}

TEST_F(CrdtEntityTest, AbortFailsEverythingButWhatIsBeingWritten) {
  replica_.hold_writes = true;
  Deliver("Add");
  Deliver("Get");
  SayUpdate(1, "one", "gcounter { increment: 1 }", "ALL");
  entity_->Abort(absl::UnavailableError("no user function"));
  EXPECT_THAT(log_, ElementsAre(Lines{}, Lines{"end UNAVAILABLE: no user function"}));
  EXPECT_FALSE(entity_->stopped());
  replica_.ReleaseWrites();
  EXPECT_THAT(log_[0], ElementsAre("reply one", "end"));
  EXPECT_EQ(stopped_, 1);
}

TEST_F(CrdtEntityTest, AbortFailsWhatWaitsForTheState) {
  replica_.hold_reads = true;
  Deliver("Get");
  entity_->Abort(absl::UnavailableError("no user function"));
  replica_.ReleaseReads();
  EXPECT_THAT(log_[0], ElementsAre("end UNAVAILABLE: no user function"));
  EXPECT_THAT(connection_->streams, IsEmpty());
  EXPECT_EQ(stopped_, 1);
}

TEST_F(CrdtEntityTest, WithoutAUserFunctionCommandsFail) {
  connected_ = false;
  Deliver("Get");
  EXPECT_THAT(log_[0], ElementsAre("end UNAVAILABLE: the user function has gone"));
  EXPECT_EQ(stopped_, 1);
}

TEST_F(CrdtEntityTest, CountsWhatItDoes) {
  Deliver("Add");
  SayUpdate(1, "one", "gcounter { increment: 1 }");
  Deliver("Fail");
  Say("failure { command_id: 2 description: 'no' }");
  EXPECT_EQ(metrics_.activated_entities, 1U);
  EXPECT_EQ(metrics_.received_commands, 2U);
  EXPECT_EQ(metrics_.completed_commands, 2U);
  EXPECT_EQ(metrics_.failed_commands, 1U);
  EXPECT_EQ(metrics_.persisted_events, 1U);
}

TEST_F(CrdtEntityTest, TracesTheWayOfACommand) {
  const auto command = Deliver("Add");
  SayUpdate(1, "one", "gcounter { increment: 1 }");
  std::vector<trace::StepKind> kinds;
  for (const trace::Step& step : command->trace->steps) kinds.push_back(step.kind);
  EXPECT_THAT(kinds, ElementsAre(trace::StepKind::kReplayed, trace::StepKind::kSent, trace::StepKind::kReplied,
                                 trace::StepKind::kStored));
}

}  // namespace
}  // namespace cloudstate::entities
