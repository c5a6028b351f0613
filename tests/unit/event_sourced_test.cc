#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cloudstate/event_sourced.pb.h"
#include "emulator/entities/stored_entity.h"
#include "tests/support/fake_connection.h"
#include "tests/support/memory_journal.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::entities {
namespace {

using cloudstate::testing::FakeConnection;
using cloudstate::testing::MemoryJournal;
using cloudstate::testing::VirtualStrand;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kService[] = "test.Counter";

journal::Payload Text(const std::string& text) { return {"type.googleapis.com/test.Text", text}; }

// One line for what the user function was sent.
std::string Describe(const std::string& bytes) {
  eventsourced::EventSourcedStreamIn in;
  EXPECT_TRUE(in.ParseFromString(bytes));
  if (in.has_init()) {
    const auto& init = in.init();
    std::string text = absl::StrCat("init ", init.service_name(), " ", init.entity_id());
    if (init.has_snapshot()) {
      absl::StrAppend(&text, " snapshot ", init.snapshot().snapshot_sequence(), " ",
                      init.snapshot().snapshot().value());
    }
    return text;
  }
  if (in.has_event()) return absl::StrCat("event ", in.event().sequence(), " ", in.event().payload().value());
  const auto& command = in.command();
  return absl::StrCat("command ", command.id(), " ", command.entity_id(), " ", command.name(), " ",
                      command.payload().value());
}

class EventSourcedEntityTest : public ::testing::Test, public Host {
 protected:
  EventSourcedEntityTest() {
    limits_.passivation_timeout = absl::Seconds(30);
    Create();
  }

  void Create() {
    entity_ = std::make_unique<StoredEntity>(
        EventSourced(), base::EntityKey{"counter", "a"}, kService,
        Environment{strand_, journal_, metrics_, load_, limits_, ReplayFrom::kNewestSnapshot, fence_}, *this);
  }

  void OnStopped() override { ++stopped_; }
  void OnIdle(bool idle) override { idle_ = idle; }
  std::shared_ptr<userfunction::Connection> CurrentConnection() override { return connected_ ? connection_ : nullptr; }
  void ReportError(const std::string& text) override { reports_.push_back(text); }

  void OnFenced() override { ++fenced_; }

  // What came of the n-th command is in outcomes_[n].
  void Deliver(const std::string& method, const std::string& payload = "") {
    Hand(method, payload);
    strand_.Run();
  }

  // Without what it leads to later.
  void Hand(const std::string& method, const std::string& payload) {
    const std::size_t index = outcomes_.size();
    outcomes_.push_back("pending");
    Command command;
    command.service = kService;
    command.method = method;
    command.payload = Text(payload);
    command.trace = std::make_shared<trace::Trace>();
    command.trace->id = absl::StrCat("trace-", index);
    command.abandoned = abandoned_;
    command.done = [this, index](absl::StatusOr<Reply> reply) {
      if (!reply.ok()) {
        outcomes_[index] =
            absl::StrCat(absl::StatusCodeToString(reply.status().code()), ": ", reply.status().message());
      } else if (reply->action.has_failure()) {
        outcomes_[index] = absl::StrCat("failure: ", reply->action.failure().description());
      } else {
        outcomes_[index] = absl::StrCat("reply: ", reply->action.reply().payload().value());
      }
      if (on_outcome_) on_outcome_(index);
    };
    entity_->Deliver(std::move(command));
  }

  // Gives the payloads of what comes back.
  std::vector<std::string> Retire() {
    std::vector<std::string> payloads;
    for (const Command& command : entity_->Retire()) payloads.push_back(command.payload.value);
    strand_.Run();
    return payloads;
  }

  void Claim(std::uint64_t expected) {
    journal_.Claim({{fence_.shard, expected, 1, 1}}, [](const auto&) {});
  }

  // From now on the entity belongs to a shard.
  void HoldShard() {
    fence_ = {journal::ShardId{3}, 1};
    Claim(0);
    Create();
  }
  void LoseShard() { Claim(1); }

  FakeConnection::OpenedStream& Stream(std::size_t index) { return *connection_->streams.at(index); }

  std::vector<std::string> Sent(std::size_t stream) {
    std::vector<std::string> lines;
    for (const std::string& message : Stream(stream).written) lines.push_back(Describe(message));
    return lines;
  }

  void Answer(std::size_t stream, const eventsourced::EventSourcedStreamOut& out) {
    Stream(stream).handler.on_message(out.SerializeAsString());
    strand_.Run();
  }

  void AnswerReply(std::size_t stream, std::int64_t id, const std::string& text,
                   const std::vector<std::string>& events = {}, const std::string& snapshot = "") {
    eventsourced::EventSourcedStreamOut out;
    auto& reply = *out.mutable_reply();
    reply.set_command_id(id);
    reply.mutable_client_action()->mutable_reply()->mutable_payload()->set_value(text);
    for (const std::string& event : events) {
      auto& any = *reply.add_events();
      any.set_type_url("type.googleapis.com/test.Text");
      any.set_value(event);
    }
    if (!snapshot.empty()) reply.mutable_snapshot()->set_value(snapshot);
    Answer(stream, out);
  }

  void AnswerClientFailure(std::size_t stream, std::int64_t id, const std::string& text, bool restart,
                           const std::vector<std::string>& events = {}) {
    eventsourced::EventSourcedStreamOut out;
    out.mutable_reply()->set_command_id(id);
    out.mutable_reply()->mutable_client_action()->mutable_failure()->set_description(text);
    out.mutable_reply()->mutable_client_action()->mutable_failure()->set_restart(restart);
    for (const std::string& event : events) out.mutable_reply()->add_events()->set_value(event);
    Answer(stream, out);
  }

  void AnswerFailure(std::size_t stream, std::int64_t id, const std::string& text) {
    eventsourced::EventSourcedStreamOut out;
    out.mutable_failure()->set_command_id(id);
    out.mutable_failure()->set_description(text);
    Answer(stream, out);
  }

  void EndStream(std::size_t stream, const absl::Status& status = absl::OkStatus()) {
    Stream(stream).handler.on_closed(status);
    strand_.Run();
  }

  std::vector<std::string> StoredEvents() {
    std::vector<std::string> values;
    for (const auto& event : journal_.entities[{"counter", "a"}].events) values.push_back(event.payload.value);
    return values;
  }

  void Store(int count) {
    auto& stored = journal_.entities[{"counter", "a"}];
    for (int i = 1; i <= count; ++i) stored.events.push_back({i, Text(absl::StrCat("e", i))});
  }

  VirtualStrand strand_;
  MemoryJournal journal_;
  std::shared_ptr<FakeConnection> connection_ = std::make_shared<FakeConnection>();
  bool connected_ = true;
  trace::EntityMetrics metrics_;
  trace::NodeLoad load_;
  Limits limits_;
  journal::Fence fence_;
  std::shared_ptr<bool> abandoned_ = std::make_shared<bool>(false);
  std::vector<std::string> outcomes_;
  std::function<void(std::size_t index)> on_outcome_;
  std::vector<std::string> reports_;
  int stopped_ = 0;
  int fenced_ = 0;
  bool idle_ = false;
  std::unique_ptr<StoredEntity> entity_;
};

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

// ---- a shard that another node holds

constexpr char kHeldElsewhere[] = "ABORTED: entity counter|a of test.Counter is held by another node now; try again";

TEST_F(EventSourcedEntityTest, AWriteUnderALostFenceEndsTheEntityAndWhatWaitsStaysUntilItIsRetired) {
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

TEST_F(EventSourcedEntityTest, AReadUnderALostFenceIsNotAnswered) {
  HoldShard();
  Deliver("Get");
  LoseShard();
  AnswerReply(0, 1, "stale");
  EXPECT_THAT(outcomes_, ElementsAre(kHeldElsewhere));
  EXPECT_EQ(fenced_, 1);
  EXPECT_TRUE(Stream(0).destroyed);
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedEntityTest, ALostFenceIsNotTheUserFunctionsFault) {
  HoldShard();
  Deliver("Get");
  LoseShard();
  AnswerReply(0, 1, "stale");
  EXPECT_THAT(reports_, IsEmpty());
  EXPECT_EQ(metrics_.failed_entities, 0U);
  EXPECT_EQ(metrics_.failed_commands, 1U);
}

TEST_F(EventSourcedEntityTest, AFailureOfAStateThatIsOverIsNotPassedOn) {
  HoldShard();
  Deliver("Get");
  LoseShard();
  AnswerClientFailure(0, 1, "no", false);
  EXPECT_THAT(outcomes_, ElementsAre(HasSubstr("is held by another node now")));
  EXPECT_EQ(fenced_, 1);
}

TEST_F(EventSourcedEntityTest, UnderItsFenceItReadsAndWrites) {
  HoldShard();
  Deliver("Add");
  AnswerReply(0, 1, "one", {"e1"});
  Deliver("Get");
  AnswerReply(0, 2, "read");
  EXPECT_THAT(outcomes_, ElementsAre("reply: one", "reply: read"));
}

TEST_F(EventSourcedEntityTest, AWriteAheadOfTheClaimIsAnsweredAfterIt) {
  HoldShard();
  Deliver("Add");
  journal_.hold_writes = true;
  AnswerReply(0, 1, "one", {"e1"});
  LoseShard();
  journal_.Release();
  strand_.Run();
  EXPECT_THAT(outcomes_, ElementsAre("reply: one"));
}

TEST_F(EventSourcedEntityTest, AnotherWritersSequenceNumberResetsTheStreamAsAnyFailedWriteDoes) {
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

TEST_F(EventSourcedEntityTest, ACommandThatComesAfterTheFenceWasLostWaitsToBeRetired) {
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

TEST_F(EventSourcedEntityTest, AbortFailsWhatWaitsAfterTheFenceWasLost) {
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

TEST_F(EventSourcedEntityTest, RetiredWhenStoppedItSaysSoAgain) {
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

TEST_F(EventSourcedEntityTest, RetiredWhileItsFirstPageIsReadItOpensNoStream) {
  Hand("Add", "1");
  Hand("Add", "2");
  EXPECT_THAT(Retire(), ElementsAre("1", "2"));
  EXPECT_THAT(connection_->streams, IsEmpty());
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedEntityTest, RetiredDuringAReplayItSendsNoMoreOfIt) {
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

TEST_F(EventSourcedEntityTest, RetiredWhenIdleItStopsWhenItsStreamHasEnded) {
  Deliver("Get");
  AnswerReply(0, 1, "one");
  EXPECT_THAT(Retire(), IsEmpty());
  EXPECT_TRUE(Stream(0).half_closed);
  EXPECT_FALSE(idle_);
  EXPECT_EQ(stopped_, 0);
  EndStream(0);
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedEntityTest, RetiredItWaitsNoLongerThanTheGraceForTheEndOfItsStream) {
  Deliver("Get");
  AnswerReply(0, 1, "one");
  Retire();
  strand_.Advance(absl::Seconds(2));
  EXPECT_TRUE(Stream(0).destroyed);
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedEntityTest, RetiredWhileACommandIsOutstandingItFinishesThat) {
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

TEST_F(EventSourcedEntityTest, RetiredWhileItsAnswerIsBeingStoredItDeliversThat) {
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

TEST_F(EventSourcedEntityTest, RetiredWhileStoringItStopsAtOnceIfItsStreamHasEndedMeanwhile) {
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

TEST_F(EventSourcedEntityTest, RetiredWhilePassivatingItDoesNotStartAgainForWhatWaits) {
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

TEST_F(EventSourcedEntityTest, ARetiredEntityWhoseStreamBreaksFailsItsCommandAndStops) {
  Deliver("Add", "1");
  Retire();
  EndStream(0, absl::UnavailableError("gone"));
  EXPECT_THAT(outcomes_, ElementsAre("UNKNOWN: Unexpected entity termination"));
  EXPECT_EQ(stopped_, 1);
  EXPECT_EQ(connection_->streams.size(), 1U);
}

TEST_F(EventSourcedEntityTest, ARetiredEntityThatGetsNoReplyStopsAtTheRelayTimeout) {
  Deliver("Hang");
  Retire();
  strand_.Advance(absl::Seconds(60));
  EXPECT_THAT(outcomes_[0], HasSubstr("DEADLINE_EXCEEDED"));
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedEntityTest, ARetiredEntityIsNotRestartedWhenTheUserFunctionAsksForIt) {
  Deliver("Add", "1");
  Retire();
  AnswerClientFailure(0, 1, "wrong", true);
  EXPECT_THAT(outcomes_, ElementsAre("failure: wrong"));
  EndStream(0);
  EXPECT_EQ(stopped_, 1);
  EXPECT_EQ(connection_->streams.size(), 1U);
}

TEST_F(EventSourcedEntityTest, ARestartThatIsUnderWayIsNotGoneOnWithAfterRetirement) {
  Deliver("Add", "1");
  AnswerClientFailure(0, 1, "wrong", true);
  Retire();
  EndStream(0);
  EXPECT_EQ(stopped_, 1);
  EXPECT_EQ(connection_->streams.size(), 1U);
}

TEST_F(EventSourcedEntityTest, ARetiredEntityThatLosesItsFenceSaysNothingOfIt) {
  HoldShard();
  Deliver("Add", "1");
  Retire();
  LoseShard();
  AnswerReply(0, 1, "one", {"e1"});
  EXPECT_THAT(outcomes_, ElementsAre(kHeldElsewhere));
  EXPECT_EQ(fenced_, 0);
  EXPECT_EQ(stopped_, 1);
}

TEST_F(EventSourcedEntityTest, ARetiredEntityRefusesCommands) {
  Deliver("Add", "1");
  Retire();
  Deliver("Add", "2");
  EXPECT_THAT(outcomes_[1],
              HasSubstr("UNAVAILABLE: entity counter|a of test.Counter is about to live on another node"));
}

TEST_F(EventSourcedEntityTest, AbortEndsARetirement) {
  Deliver("Add", "1");
  Retire();
  entity_->Abort(absl::UnavailableError("no user function"));
  EXPECT_THAT(outcomes_, ElementsAre("UNAVAILABLE: no user function"));
  EXPECT_EQ(stopped_, 1);
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
