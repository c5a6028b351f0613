// Whatever way commands, reads and writes end, the load of their node ends with them.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "cloudstate/action.pb.h"
#include "tests/unit/cluster_fixture.h"
#include "tests/unit/crdt_entity_fixture.h"
#include "tests/unit/router_fixture.h"

namespace cloudstate {
namespace {

template <typename Test>
struct Way {
  const char* name;
  void (Test::*end)();
};
template <typename Test>
std::string NameOf(const ::testing::TestParamInfo<Way<Test>>& info) {
  return info.param.name;
}

// One, that took two seconds.
void ExpectTwoSeconds(const trace::LoadMeter& meter, absl::Time now) {
  const trace::LoadMeter::Reading reading = meter.Read(now);
  EXPECT_EQ(meter.open(), 0);
  EXPECT_EQ(reading.integral, absl::Seconds(2));
  EXPECT_EQ(reading.time, absl::Seconds(2));
  EXPECT_EQ(reading.ended, 1);
}

// ---- event-sourced entities; value entities are the same state machine

// The user function has a command of the second of two nodes in hand.
class EntityLoadTest : public cluster::ClusterFixture, public ::testing::WithParamInterface<Way<EntityLoadTest>> {
 public:
  EntityLoadTest() : ClusterFixture(2) {
    answers_ = false;
    while (Home().owner != cluster::NodeId{2}) id_ += "x";
    Send(2, id_);
    strand_.Run();
  }

  void Reply() { SayReply(1, 0); }
  void ReplyToStore() { SayReply(1, 2); }
  void ReplyThatCannotBeStored() {
    journal_.write_status = absl::UnavailableError("full");
    SayReply(1, 1);
  }
  void ReplyToAnother() { SayReply(7, 0); }
  void Fail() {
    eventsourced::EventSourcedStreamOut out;
    out.mutable_failure()->set_command_id(1);
    Say(out.SerializeAsString());
  }
  void SayNoMessage() { Say("\xff"); }
  void BreakStream() {
    connection_->streams.at(0)->handler.on_closed(absl::UnavailableError("broken"));
    strand_.Run();
  }
  void Disconnect() {
    cluster_.Disconnect(absl::UnavailableError("gone"));
    strand_.Run();
  }
  void Forget() { node(2).Forget({"persisted-One", id_}); }
  void ReplyAfterTheShardIsLost() {
    journal_.Claim({{cluster::ShardOf(id_), Home().epoch, 1, 1}}, [](const auto&) {});
    Reply();
  }
  void ReplyWhileItsShardMoves() {
    ASSERT_TRUE(cluster_.MoveShard(static_cast<std::uint32_t>(cluster::ShardOf(id_)), cluster::NodeId{1}).ok());
    strand_.Run();
    Reply();
  }
  void Kill() { node(2).Kill(); }

  void Store() {
    journal_.Release();
    strand_.Run();
  }
  void FailToStore() {
    journal_.write_status = absl::UnavailableError("full");
    Store();
  }
  void StoreBehindABrokenStream() {
    BreakStream();
    Store();
  }
  void StoreWithoutAUserFunction() {
    Disconnect();
    Store();
  }
  void KillAndStore() {
    Kill();
    Store();
  }

 protected:
  const cluster::ShardHome& Home() { return node(1).shards()->at(cluster::ShardOf(id_)); }
  const trace::NodeLoad& load() { return node(2).load(); }
  void Say(const std::string& message) {
    connection_->streams.at(0)->handler.on_message(message);
    strand_.Run();
  }
  void SayReply(std::int64_t command, int events) {
    eventsourced::EventSourcedStreamOut out;
    out.mutable_reply()->set_command_id(command);
    for (int i = 0; i < events; ++i) out.mutable_reply()->add_events()->set_type_url("type.googleapis.com/test.Added");
    Say(out.SerializeAsString());
  }

  std::string id_ = "a";
};

TEST_P(EntityLoadTest, TheUserFunctionsEndsWithTheCommand) {
  EXPECT_EQ(load().user_function.open(), 1);
  strand_.Advance(absl::Seconds(2));
  (this->*GetParam().end)();
  ExpectTwoSeconds(load().user_function, strand_.Now());
  EXPECT_EQ(load().journal.open(), 0);
}

INSTANTIATE_TEST_SUITE_P(Ways, EntityLoadTest,
                         ::testing::Values(Way<EntityLoadTest>{"Reply", &EntityLoadTest::Reply},
                                           Way<EntityLoadTest>{"ReplyToStore", &EntityLoadTest::ReplyToStore},
                                           Way<EntityLoadTest>{"ReplyThatCannotBeStored",
                                                               &EntityLoadTest::ReplyThatCannotBeStored},
                                           Way<EntityLoadTest>{"ReplyToAnother", &EntityLoadTest::ReplyToAnother},
                                           Way<EntityLoadTest>{"Failure", &EntityLoadTest::Fail},
                                           Way<EntityLoadTest>{"NoMessage", &EntityLoadTest::SayNoMessage},
                                           Way<EntityLoadTest>{"BrokenStream", &EntityLoadTest::BreakStream},
                                           Way<EntityLoadTest>{"UserFunctionGone", &EntityLoadTest::Disconnect},
                                           Way<EntityLoadTest>{"Deleted", &EntityLoadTest::Forget},
                                           Way<EntityLoadTest>{"ShardLost", &EntityLoadTest::ReplyAfterTheShardIsLost},
                                           Way<EntityLoadTest>{"Retired", &EntityLoadTest::ReplyWhileItsShardMoves},
                                           Way<EntityLoadTest>{"NodeKilled", &EntityLoadTest::Kill}),
                         NameOf<EntityLoadTest>);

// What it was answered is on its way to the disk.
class WriteLoadTest : public EntityLoadTest {
 protected:
  WriteLoadTest() {
    before_ = load().journal.Read(strand_.Now());
    journal_.hold_writes = true;
    SayReply(1, 1);
  }

  trace::LoadMeter::Reading before_;
};

TEST_P(WriteLoadTest, TheJournalsEndsWithTheWrite) {
  EXPECT_EQ(load().journal.open(), 1);
  EXPECT_EQ(load().user_function.open(), 0);
  strand_.Advance(absl::Seconds(2));
  (this->*GetParam().end)();
  const trace::LoadMeter::Reading since = load().journal.Read(strand_.Now()) - before_;
  EXPECT_EQ(load().journal.open(), 0);
  EXPECT_EQ(since.integral, absl::Seconds(2));
  EXPECT_GE(since.time, absl::Seconds(2));
}

INSTANTIATE_TEST_SUITE_P(
    Ways, WriteLoadTest,
    ::testing::Values(Way<EntityLoadTest>{"Stored", &EntityLoadTest::Store},
                      Way<EntityLoadTest>{"NotStored", &EntityLoadTest::FailToStore},
                      Way<EntityLoadTest>{"StoredBehindABrokenStream", &EntityLoadTest::StoreBehindABrokenStream},
                      Way<EntityLoadTest>{"StoredWithoutAUserFunction", &EntityLoadTest::StoreWithoutAUserFunction},
                      Way<EntityLoadTest>{"NodeKilled", &EntityLoadTest::KillAndStore}),
    NameOf<EntityLoadTest>);

class EntityTimesTest : public EntityLoadTest {};

TEST_P(EntityTimesTest, ACommandWithoutAReplyEndsWithTheRelayTimeout) {
  strand_.Advance(absl::Minutes(5));
  EXPECT_EQ(load().user_function.open(), 0);
  EXPECT_EQ(load().user_function.Read(strand_.Now()).integral, absl::Minutes(1));
}

TEST_P(EntityTimesTest, EachReadCountsForTheJournalWhetherItFailsOrNot) {
  EXPECT_EQ(load().journal.Read(strand_.Now()).ended, 1);
  (this->*GetParam().end)();
  journal_.load_status = absl::UnavailableError("unreadable");
  Send(2, id_);
  strand_.Run();
  EXPECT_EQ(load().journal.open(), 0);
  EXPECT_EQ(load().journal.Read(strand_.Now()).ended, 2);
}

INSTANTIATE_TEST_SUITE_P(Ways, EntityTimesTest,
                         ::testing::Values(Way<EntityLoadTest>{"Failure", &EntityLoadTest::Fail}),
                         NameOf<EntityLoadTest>);

// ---- CRDT entities

// The user function has a command of a streamed method in hand.
class CrdtLoadTest : public entities::CrdtEntityFixture, public ::testing::WithParamInterface<Way<CrdtLoadTest>> {
 public:
  CrdtLoadTest() { command_ = DeliverStreamed("Watch"); }

  void Reply() { SayReply(1, "only"); }
  void StreamedReply() { SayReply(1, "first", " streamed: true"); }
  void ReplyToAnother() { SayReply(7, "what"); }
  void ReplyWithAChange() { SayUpdate(1, "only", "gcounter { increment: 1 }"); }
  void ReplyWithAChangeThatIsNotWritten() {
    replica_.hold_writes = true;
    ReplyWithAChange();
    replica_.ReleaseWrites(absl::DeadlineExceededError("late"));
  }
  void ReplyToAClientThatHasGone() {
    entity_->Cancel(command_);
    StreamedReply();
  }
  void Fail() { Say("failure { command_id: 1 description: 'no' }"); }
  void SayNoMessage() { SayBytes("\xff"); }
  void BreakStream() { EndStream(absl::UnavailableError("broken")); }
  void Disconnect() { entity_->Abort(absl::UnavailableError("gone")); }
  void ReplyAfterADeletion() {
    RemoteDelete();
    Reply();
  }
  void Destroy() { entity_ = nullptr; }

 protected:
  std::shared_ptr<entities::CrdtCommand> command_;
};

TEST_P(CrdtLoadTest, TheUserFunctionsEndsWithTheReply) {
  EXPECT_EQ(load_.user_function.open(), 1);
  strand_.Advance(absl::Seconds(2));
  (this->*GetParam().end)();
  ExpectTwoSeconds(load_.user_function, strand_.Now());
  EXPECT_EQ(load_.journal.open(), 0);
}

INSTANTIATE_TEST_SUITE_P(Ways, CrdtLoadTest,
                         ::testing::Values(Way<CrdtLoadTest>{"Reply", &CrdtLoadTest::Reply},
                                           Way<CrdtLoadTest>{"StreamedReply", &CrdtLoadTest::StreamedReply},
                                           Way<CrdtLoadTest>{"ReplyToAnother", &CrdtLoadTest::ReplyToAnother},
                                           Way<CrdtLoadTest>{"Change", &CrdtLoadTest::ReplyWithAChange},
                                           Way<CrdtLoadTest>{"ChangeThatIsNotWritten",
                                                             &CrdtLoadTest::ReplyWithAChangeThatIsNotWritten},
                                           Way<CrdtLoadTest>{"ClientGone", &CrdtLoadTest::ReplyToAClientThatHasGone},
                                           Way<CrdtLoadTest>{"Failure", &CrdtLoadTest::Fail},
                                           Way<CrdtLoadTest>{"NoMessage", &CrdtLoadTest::SayNoMessage},
                                           Way<CrdtLoadTest>{"BrokenStream", &CrdtLoadTest::BreakStream},
                                           Way<CrdtLoadTest>{"UserFunctionGone", &CrdtLoadTest::Disconnect},
                                           Way<CrdtLoadTest>{"Deleted", &CrdtLoadTest::ReplyAfterADeletion},
                                           Way<CrdtLoadTest>{"Destroyed", &CrdtLoadTest::Destroy}),
                         NameOf<CrdtLoadTest>);

class CrdtTimesTest : public entities::CrdtEntityFixture {};

TEST_F(CrdtTimesTest, ACommandWithoutAReplyEndsWithTheRelayTimeout) {
  Deliver("Call");
  strand_.Advance(absl::Minutes(5));
  EXPECT_EQ(load_.user_function.open(), 0);
  EXPECT_EQ(load_.user_function.Read(strand_.Now()).integral, absl::Minutes(1));
}

TEST_F(CrdtTimesTest, AReadOfWhatNodesKnowCountsForTheJournal) {
  replica_.hold_reads = true;
  Deliver("Call");
  EXPECT_EQ(load_.journal.open(), 1);
  strand_.Advance(absl::Seconds(2));
  replica_.ReleaseReads();
  ExpectTwoSeconds(load_.journal, strand_.Now());
}

TEST_F(CrdtTimesTest, AReadThatNobodyWaitsForAnyMoreEnds) {
  replica_.hold_reads = true;
  Deliver("Call");
  strand_.Advance(absl::Seconds(2));
  entity_->Abort(absl::UnavailableError("gone"));
  ExpectTwoSeconds(load_.journal, strand_.Now());
}

TEST_F(CrdtTimesTest, AReadEndsWithItsEntity) {
  replica_.hold_reads = true;
  Deliver("Call");
  strand_.Advance(absl::Seconds(2));
  entity_ = nullptr;
  ExpectTwoSeconds(load_.journal, strand_.Now());
}

// ---- actions

// A call that streams both ways.
class ActionLoadTest : public routing::RouterFixture, public ::testing::WithParamInterface<Way<ActionLoadTest>> {
 public:
  ActionLoadTest() : RouterFixture(testing::ServicesWithAnAction()) {
    client_ = Start("test.Act", "Both", std::nullopt, strand_.Now() + absl::Minutes(1));
  }

  void EndWell() { End(0); }
  void AnswerAndEndWell() {
    action::ActionResponse response;
    response.mutable_reply()->mutable_payload()->set_type_url("type.googleapis.com/test.Response");
    RouterFixture::Say(0, response);
    End(0);
  }
  void BreakStream() { End(0, absl::UnavailableError("broken")); }
  void SayNoMessage() {
    Stream(0).handler.on_message("\xff");
    strand_.Run();
  }
  void CancelByClient() {
    client_->cancelled();
    strand_.Run();
  }
  void Kill() { node().Kill(); }

 protected:
  std::shared_ptr<routing::FakeClient> client_;
};

TEST_P(ActionLoadTest, TheUserFunctionsEndsWithTheCall) {
  EXPECT_EQ(node().load().user_function.open(), 1);
  strand_.Advance(absl::Seconds(2));
  (this->*GetParam().end)();
  ExpectTwoSeconds(node().load().user_function, strand_.Now());
}

INSTANTIATE_TEST_SUITE_P(Ways, ActionLoadTest,
                         ::testing::Values(Way<ActionLoadTest>{"End", &ActionLoadTest::EndWell},
                                           Way<ActionLoadTest>{"Answer", &ActionLoadTest::AnswerAndEndWell},
                                           Way<ActionLoadTest>{"BrokenStream", &ActionLoadTest::BreakStream},
                                           Way<ActionLoadTest>{"NoMessage", &ActionLoadTest::SayNoMessage},
                                           Way<ActionLoadTest>{"ClientGone", &ActionLoadTest::CancelByClient},
                                           Way<ActionLoadTest>{"NodeKilled", &ActionLoadTest::Kill}),
                         NameOf<ActionLoadTest>);

class ActionTimesTest : public routing::RouterFixture {
 protected:
  ActionTimesTest() : RouterFixture(testing::ServicesWithAnAction()) {}

  trace::LoadMeter& meter() { return node().load().user_function; }
};

TEST_F(ActionTimesTest, ACallEndsWithItsDeadline) {
  Start("test.Act", "Unary", testing::Request("a"), strand_.Now() + absl::Seconds(2));
  strand_.Advance(absl::Minutes(1));
  ExpectTwoSeconds(meter(), strand_.Now());
}

// Nobody waits for it, and nobody is told of its end.
TEST_F(ActionTimesTest, AnEffectEndsWithTheNodesLife) {
  Start("test.Act", "Unary", testing::Request("a"), std::nullopt);
  action::ActionResponse response;
  auto& effect = *response.add_side_effects();
  effect.set_service_name("test.Act");
  effect.set_command_name("Unary");
  effect.mutable_payload()->set_value(testing::Request("a"));
  Say(0, response);
  End(0);
  ASSERT_EQ(meter().open(), 1);
  strand_.Advance(absl::Seconds(2));
  node().Kill();
  EXPECT_EQ(meter().open(), 0);
  EXPECT_EQ(meter().Read(strand_.Now()).integral, absl::Seconds(2));
}

}  // namespace
}  // namespace cloudstate
