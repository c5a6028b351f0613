#include "tests/unit/crdt_entity_fixture.h"

namespace cloudstate::entities {
namespace {

class CrdtEntityFailuresTest : public CrdtEntityFixture {};

constexpr char kNotWritten[] = "end UNKNOWN: Failed to update CRDT at requested write consistency";

TEST_F(CrdtEntityFailuresTest, AFailureOfACommandIsItsAnswerInTheUserFunctionsWords) {
  Deliver("Add");
  Deliver("Get");
  Say("failure { command_id: 1 description: 'not today' }");
  EXPECT_THAT(log_, ElementsAre(Lines{"failure not today", "end"}, Lines{}));
  SayReply(2, "two");
  EXPECT_THAT(log_[1], ElementsAre("reply two", "end"));
  EXPECT_FALSE(Stream(0).destroyed);
  EXPECT_THAT(reports_, IsEmpty());
}

TEST_F(CrdtEntityFailuresTest, AFailureInAReplyIsAnAnswerAsAnyOther) {
  Deliver("Add");
  Say("reply { command_id: 1 client_action { failure { description: 'no' } } }");
  EXPECT_THAT(log_[0], ElementsAre("failure no", "end"));
  EXPECT_FALSE(Stream(0).destroyed);
}

TEST_F(CrdtEntityFailuresTest, WhatIsWrongResetsItAndSaysWhy) {
  struct Case {
    std::string message;
    std::string report;
  };
  const std::vector<Case> cases = {
      {"reply { command_id: 3 }", "a reply for command 3, which is not outstanding"},
      {"reply { command_id: 1 streamed: true }", "its reply to command 1 was streamed, and Add is not"},
      {"reply { command_id: 1 state_action { update {} } }", "cannot be done: Empty delta"},
      {"reply { command_id: 1 state_action { update { gcounter { increment: 1 } } } }",
       "GCounterDelta is incompatible with CRDT GSet"},
      {"stream_cancelled_response { command_id: 1 }", "the cancellation of command 1, which is not outstanding"},
      {"stream_cancelled_response { command_id: 9 }", "the cancellation of command 9, which is not outstanding"},
      {"failure { description: 'all wrong' }", "it failed: all wrong"},
      {"failure { command_id: 5 description: 'all wrong' }", "it failed command 5: all wrong"},
      {"", "a message on its stream was empty"},
  };
  replica_.Remote("gset { added { value: 'x' } }");
  for (const Case& each : cases) {
    SCOPED_TRACE(each.message);
    log_.clear();
    reports_.clear();
    stopped_ = 0;
    Deliver("Add");
    Deliver("Get");
    Say(each.message);
    EXPECT_THAT(log_, ElementsAre(Lines{kTerminating}, Lines{kTerminating}));
    EXPECT_THAT(reports_, ElementsAre(HasSubstr(each.report)));
    EXPECT_TRUE(connection_->streams.back()->destroyed);
    EXPECT_EQ(stopped_, 1);
  }
  EXPECT_EQ(replica_.Value(), "gset { added { value: \"x\" } }");
}

TEST_F(CrdtEntityFailuresTest, BytesThatAreNoMessageResetIt) {
  Deliver("Add");
  SayBytes("\xff\xff");
  EXPECT_THAT(log_[0], ElementsAre(kTerminating));
  EXPECT_THAT(reports_, ElementsAre(HasSubstr("was no cloudstate.crdt.CrdtStreamOut")));
}

TEST_F(CrdtEntityFailuresTest, ASecondReplyResetsIt) {
  Deliver("Add");
  Deliver("Get");
  SayReply(1, "one");
  SayReply(1, "one more");
  EXPECT_THAT(log_, ElementsAre(Lines{"reply one", "end"}, Lines{kTerminating}));
}

TEST_F(CrdtEntityFailuresTest, AChangeThatCannotBeMadeIsAnErrorOfItsCommandAndResetsTheOthers) {
  replica_.Remote("flag { value: true }");
  Deliver("Off");
  Deliver("Get");
  SayUpdate(1, "off", "flag { value: false }");
  EXPECT_THAT(
      log_, ElementsAre(Lines{"end FAILED_PRECONDITION: Cannot switch off already enabled flag"}, Lines{kTerminating}));
}

TEST_F(CrdtEntityFailuresTest, AnOverflowIsAnErrorOfItsCommand) {
  replica_.Remote("gcounter { increment: 18446744073709551615 }");
  Deliver("Add");
  SayUpdate(1, "one", "gcounter { increment: 1 }");
  EXPECT_THAT(log_[0], ElementsAre(HasSubstr("end OUT_OF_RANGE")));
  EXPECT_EQ(replica_.Value(), "gcounter { increment: 18446744073709551615 }");
}

TEST_F(CrdtEntityFailuresTest, AFailedWriteFailsItsCommandKeepsTheChangeAndStartsTheInstanceAnew) {
  replica_.hold_writes = true;
  Deliver("Add");
  Deliver("Get");
  SayUpdate(1, "one", "gcounter { increment: 1 }", "ALL");
  replica_.ReleaseWrites(absl::DeadlineExceededError("too few nodes"));
  EXPECT_THAT(log_, ElementsAre(Lines{kNotWritten}, Lines{kTerminating}));
  EXPECT_TRUE(Stream(0).destroyed);
  EXPECT_THAT(reports_, ElementsAre(HasSubstr("could not be written: too few nodes")));
  Deliver("Get");
  EXPECT_THAT(Sent(1), ElementsAre("init gcounter { increment: 1 }", "command 1 Get"));
}

// Knows at once that it cannot reach enough nodes.
class LonelyReplica final : public CrdtReplica {
 public:
  explicit LonelyReplica(FakeReplica& replica) : replica_(replica) {}
  const crdt::State& state() const override { return replica_.state(); }
  crdt::ReplicaId self() const override { return replica_.self(); }
  const crdt::Voters& voters() const override { return replica_.voters(); }
  void Read(absl::AnyInvocable<void()> read) override { replica_.Read(std::move(read)); }
  absl::Status Update(const crdt::CrdtDelta& update, crdt::CrdtWriteConsistency consistency,
                      absl::AnyInvocable<void(absl::Status)> written) override {
    return replica_.Update(update, consistency, Failing(std::move(written)));
  }
  void Delete(crdt::CrdtWriteConsistency consistency, absl::AnyInvocable<void(absl::Status)> written) override {
    replica_.Delete(consistency, Failing(std::move(written)));
  }

 private:
  static absl::AnyInvocable<void(absl::Status)> Failing(absl::AnyInvocable<void(absl::Status)> written) {
    return [written = std::move(written)](const absl::Status&) mutable {
      written(absl::DeadlineExceededError("too few nodes"));
    };
  }

  FakeReplica& replica_;
};

TEST_F(CrdtEntityFailuresTest, AWriteThatFailsAtOnceDoesTheSame) {
  LonelyReplica lonely(replica_);
  entity_ = std::make_unique<CrdtEntity>(base::EntityKey{"things", "a"}, "test.Things",
                                         CrdtEnvironment{strand_, lonely, metrics_, load_, limits_, dialect_}, *this);
  Deliver("Add");
  Deliver("Get");
  SayUpdate(1, "one", "gcounter { increment: 1 }", "ALL");
  EXPECT_THAT(log_, ElementsAre(Lines{kNotWritten}, Lines{kTerminating}));
  Deliver("Delete");
  EXPECT_THAT(Sent(1), ElementsAre("init gcounter { increment: 1 }", "command 1 Delete"));
  SayReply(1, "gone", "state_action { delete {} write_consistency: ALL }");
  EXPECT_THAT(log_[2], ElementsAre(kNotWritten));
  EXPECT_EQ(stopped_, 2);
  entity_ = nullptr;  // before what it refers to
}

TEST_F(CrdtEntityFailuresTest, AWriteOfAnEarlierStreamThatFailsLeavesTheNextOneAlone) {
  replica_.hold_writes = true;
  Deliver("Add");
  SayUpdate(1, "one", "gcounter { increment: 1 }", "ALL");
  EndStream();
  Deliver("Get");
  replica_.ReleaseWrites(absl::DeadlineExceededError("too few nodes"));
  EXPECT_THAT(log_[0], ElementsAre(kNotWritten));
  EXPECT_FALSE(Stream(1).destroyed);
  SayReply(1, "one");
  EXPECT_THAT(log_[1], ElementsAre("reply one", "end"));
}

TEST_F(CrdtEntityFailuresTest, AnAnswerThatIsBeingWrittenIsDeliveredAfterAReset) {
  replica_.hold_writes = true;
  Deliver("Add");
  SayUpdate(1, "one", "gcounter { increment: 1 }", "ALL");
  Say("reply { command_id: 8 }");
  EXPECT_TRUE(Stream(0).destroyed);
  EXPECT_EQ(stopped_, 0);
  replica_.ReleaseWrites();
  EXPECT_THAT(log_[0], ElementsAre("reply one", "end"));
  EXPECT_EQ(stopped_, 1);
}

TEST_F(CrdtEntityFailuresTest, WithoutAReplyForTheRelayTimeoutItIsReset) {
  Deliver("Hang");
  strand_.Advance(absl::Seconds(30));
  Deliver("Get");
  strand_.Advance(absl::Seconds(30));
  EXPECT_THAT(log_, ElementsAre(Lines{"end DEADLINE_EXCEEDED: no reply from the user function to test.Things.Hang "
                                      "within 1m"},
                                Lines{kTerminating}));
  EXPECT_THAT(reports_, ElementsAre(HasSubstr("did not reply in time")));
}

TEST_F(CrdtEntityFailuresTest, AUserFunctionThatEndsTheStreamFailsItsCommands) {
  Deliver("Add");
  EndStream(absl::UnavailableError("gone"));
  EXPECT_THAT(log_[0], ElementsAre("end UNKNOWN: Unexpected CRDT entity termination"));
  EXPECT_THAT(reports_, ElementsAre(HasSubstr("its stream was ended by the user function: UNAVAILABLE: gone")));
  EXPECT_EQ(metrics_.failed_entities, 1U);
  Deliver("Get");
  EXPECT_THAT(Sent(1), ElementsAre("init ", "command 1 Get"));
}

}  // namespace
}  // namespace cloudstate::entities
