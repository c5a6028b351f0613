// An entity as it was, in the hands of a user function that is the test's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cloudstate/event_sourced.pb.h"
#include "cloudstate/value_entity.pb.h"
#include "emulator/entities/replay_run.h"
#include "emulator/entities/stored_entity.h"
#include "tests/support/fake_connection.h"
#include "tests/support/memory_journal.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::entities {
namespace {

using cloudstate::testing::FakeConnection;
using cloudstate::testing::MemoryJournal;
using cloudstate::testing::VirtualStrand;
using eventsourced::EventSourcedStreamOut;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const base::EntityKey kReplayed{"counter", "a"};

journal::Payload Bytes(const std::string& value) { return {"type.googleapis.com/test.Text", value}; }

// What the emulator asks the journal for, by page, as the admin services do.
class ReplayTest : public ::testing::Test {
 protected:
  ReplayTest() {
    plan_.protocol = &EventSourced();
    plan_.service = "test.Counter";
    plan_.key = kReplayed;
    plan_.time = absl::Seconds(10);
    plan_.next = [this](base::SequenceNumber after, ReplayPlan::TakePage take) {
      asked_.push_back(after);
      take_ = std::move(take);
    };
  }

  static journal::Replay Page(base::SequenceNumber from, base::SequenceNumber to, bool complete = true) {
    journal::Replay page;
    for (base::SequenceNumber i = from; i <= to; ++i) page.events.push_back({i, Bytes(absl::StrCat("e", i))});
    page.complete = complete;
    page.last_sequence = 1'000'000;
    return page;
  }

  void Start() {
    plan_.until = plan_.until == 0 ? 5 : plan_.until;
    run_ = std::make_unique<ReplayRun>(
        std::move(plan_), strand_,
        [this](absl::StatusOr<ReplayResult> result) {
          EXPECT_FALSE(result_.has_value()) << "twice";
          result_ = std::move(result);
        },
        [this] { ++ended_; });
    run_->Start(connection_);
    strand_.Run();
  }
  void Add(const std::string& method) { plan_.commands.push_back({"test.Counter", method, Bytes("in")}); }
  void Take(absl::StatusOr<journal::Replay> page) {
    std::exchange(take_, nullptr)(std::move(page));
    strand_.Run();
  }

  FakeConnection::OpenedStream& stream() { return *connection_.streams.at(0); }
  std::vector<std::string> Written() {
    std::vector<std::string> lines;
    for (const std::string& bytes : stream().written) {
      eventsourced::EventSourcedStreamIn in;
      EXPECT_TRUE(in.ParseFromString(bytes));
      if (in.has_init()) lines.push_back(absl::StrCat("init ", in.init().snapshot().snapshot_sequence()));
      if (in.has_event()) lines.push_back(absl::StrCat("event ", in.event().sequence(), in.event().payload().value()));
      if (in.has_command()) lines.push_back(absl::StrCat("command ", in.command().id(), " ", in.command().name()));
    }
    return lines;
  }
  void Say(const EventSourcedStreamOut& out) {
    stream().handler.on_message(out.SerializeAsString());
    strand_.Run();
  }
  void Close(const absl::Status& status) {
    stream().handler.on_closed(status);
    strand_.Run();
  }
  static EventSourcedStreamOut ReplyOf(std::int64_t command, const std::vector<std::string>& events = {}) {
    EventSourcedStreamOut out;
    out.mutable_reply()->set_command_id(command);
    out.mutable_reply()->mutable_client_action()->mutable_reply()->mutable_payload()->set_value("out");
    for (const std::string& event : events) out.mutable_reply()->add_events()->set_value(event);
    return out;
  }
  // The user function ends the stream when it is told that nothing follows.
  const ReplayResult& Result() {
    if (stream().half_closed && !stream().destroyed) Close(absl::OkStatus());
    EXPECT_TRUE(result_.has_value() && result_->ok()) << (result_ ? result_->status() : absl::UnknownError("none"));
    static const ReplayResult kNone;
    return result_.has_value() && result_->ok() ? **result_ : kNone;
  }
  absl::Status Failure() { return result_.has_value() ? result_->status() : absl::UnknownError("no end"); }

  VirtualStrand strand_;
  FakeConnection connection_;
  ReplayPlan plan_;
  std::vector<base::SequenceNumber> asked_;
  ReplayPlan::TakePage take_;
  std::unique_ptr<ReplayRun> run_;
  std::optional<absl::StatusOr<ReplayResult>> result_;
  int ended_ = 0;
};

TEST_F(ReplayTest, BringsSnapshotEventsAndTheForksOwnAndThenTheCommandsOneByOne) {
  plan_.first = Page(4, 5);
  plan_.first.snapshot = journal::Snapshot{3, Bytes("s3")};
  plan_.events = {Bytes("f1"), Bytes("f2")};
  Add("Get");
  Add("Set");
  Start();
  EXPECT_EQ(stream().method, "/cloudstate.eventsourced.EventSourced/handle");
  EXPECT_THAT(Written(), ElementsAre("init 3", "event 4e4", "event 5e5", "event 6f1", "event 7f2", "command 1 Get"));
  Say(ReplyOf(1));
  EXPECT_THAT(Written().back(), "command 2 Set");
  EXPECT_FALSE(result_.has_value());
  EventSourcedStreamOut stored = ReplyOf(2, {"n1", "n2"});
  stored.mutable_reply()->mutable_snapshot()->set_value("s9");
  stored.mutable_reply()->add_side_effects()->set_command_name("Tell");
  Say(stored);

  EXPECT_EQ(Result().snapshot_sequence, 3);
  EXPECT_EQ(Result().replayed_events, 4);
  ASSERT_EQ(Result().outcomes.size(), 2u);
  const StoredReply& second = Result().outcomes[1].answer;
  EXPECT_EQ(second.reply.action.reply().payload().value(), "out");
  ASSERT_EQ(second.events.size(), 2u);
  EXPECT_EQ(second.events[1].value, "n2");
  EXPECT_EQ(second.snapshot->value, "s9");
  EXPECT_EQ(second.reply.side_effects.at(0).command_name(), "Tell");
}

// The journal's reader and StoredEntity know nothing of each other's rules: both are compared on one history.
TEST_F(ReplayTest, SendsWhatAnEntitySendsWhoseJournalEndedThere) {
  struct NoHost : StoredEntityHost {
    void OnStopped() override {}
    void OnIdle(bool) override {}
    std::shared_ptr<userfunction::Connection> CurrentConnection() override { return connection; }
    void ReportError(const std::string&) override {}
    void OnFenced() override {}
    std::shared_ptr<FakeConnection> connection = std::make_shared<FakeConnection>();
  } host;
  MemoryJournal journal;
  trace::EntityMetrics metrics;
  trace::NodeLoad load;
  for (int i = 1; i <= 5; ++i) journal.entities[kReplayed].events.push_back({i, Bytes(absl::StrCat("e", i))});
  journal.entities[kReplayed].snapshots = {{2, Bytes("s2")}};
  StoredEntity entity(EventSourced(), kReplayed, "test.Counter", {strand_, journal, metrics, load, Limits()}, host);
  Command command;
  command.service = "test.Counter";
  command.method = "Get";
  command.payload = Bytes("in");
  command.trace = std::make_shared<trace::Trace>();
  command.abandoned = std::make_shared<bool>(false);
  command.done = [](const auto&) {};
  entity.Deliver(std::move(command));
  strand_.Run();

  plan_.first = Page(3, 5);
  plan_.first.snapshot = journal::Snapshot{2, Bytes("s2")};
  Add("Get");
  Start();
  EXPECT_THAT(stream().written, ElementsAreArray(host.connection->streams.at(0)->written));
}

TEST_F(ReplayTest, AsksForFurtherPagesNoFasterThanTheUserFunctionTakesThem) {
  plan_.until = 300;
  plan_.first = Page(1, 100, false);
  Add("Get");
  connection_.unsent_at_open = 100;
  Start();
  EXPECT_THAT(asked_, IsEmpty());
  stream().unsent = 0;
  stream().handler.on_writable();
  EXPECT_THAT(asked_, ElementsAre(100));
  stream().handler.on_writable();
  EXPECT_THAT(asked_, ElementsAre(100)) << "one page at a time";
  Take(Page(101, 200, false));
  EXPECT_THAT(asked_, ElementsAre(100, 200));
  Take(Page(201, 300));
  EXPECT_EQ(Written().size(), 302u);
  Say(ReplyOf(1));
  EXPECT_EQ(Result().replayed_events, 300);
}

TEST_F(ReplayTest, AValueEntityBeginsWithItsVersion) {
  plan_.protocol = &ValueEntity();
  plan_.first = Page(5, 5);
  Add("Get");
  Start();
  ASSERT_EQ(stream().written.size(), 2u);
  valueentity::ValueEntityStreamIn in;
  ASSERT_TRUE(in.ParseFromString(stream().written[0]));
  EXPECT_EQ(in.init().state().value().value(), "e5");
  valueentity::ValueEntityStreamOut out;
  out.mutable_reply()->set_command_id(1);
  out.mutable_reply()->mutable_client_action()->mutable_reply();
  out.mutable_reply()->mutable_state_action()->mutable_delete_();
  stream().handler.on_message(out.SerializeAsString());
  EXPECT_EQ(Result().replayed_events, 1);
  EXPECT_EQ(Result().outcomes.at(0).answer.events.at(0).type_url, kDeletedValue);
}

TEST_F(ReplayTest, EndsWithTheFirstCommandThatFailsAndCountsNoneOfItsEvents) {
  plan_.first = Page(1, 5);
  Add("Get");
  Add("Get");
  Start();
  EventSourcedStreamOut failed;
  failed.mutable_reply()->set_command_id(1);
  failed.mutable_reply()->mutable_client_action()->mutable_failure()->set_description("sold out");
  failed.mutable_reply()->add_events()->set_value("never");
  Say(failed);
  ASSERT_EQ(Result().outcomes.size(), 1u);
  EXPECT_EQ(Result().outcomes[0].status, absl::UnknownError("sold out"));
  EXPECT_THAT(Result().outcomes[0].answer.events, IsEmpty());
  EXPECT_TRUE(stream().half_closed);
}

TEST_F(ReplayTest, AnAnswerWithoutAReplyIsAFailure) {
  plan_.first = Page(1, 5);
  Add("Get");
  Start();
  EventSourcedStreamOut nothing;
  nothing.mutable_reply()->set_command_id(1);
  Say(nothing);
  EXPECT_TRUE(absl::IsInternal(Result().outcomes.at(0).status));
}

TEST_F(ReplayTest, AFailureOfTheCommandHasItsTextAndCancelsTheStream) {
  plan_.first = Page(1, 5);
  Add("Get");
  Start();
  EventSourcedStreamOut failed;
  failed.mutable_failure()->set_command_id(1);
  failed.mutable_failure()->set_description("broken code");
  Say(failed);
  EXPECT_EQ(Result().outcomes.at(0).status, absl::UnknownError("broken code"));
  EXPECT_TRUE(stream().destroyed);
  EXPECT_EQ(ended_, 1);
}

TEST_F(ReplayTest, KeepsWhatCameBeforeTheStreamBroke) {
  plan_.first = Page(1, 5);
  Add("Get");
  Add("Set");
  Start();
  Say(ReplyOf(1));
  Close(absl::UnavailableError("connection reset"));
  ASSERT_EQ(Result().outcomes.size(), 2u);
  EXPECT_TRUE(Result().outcomes[0].status.ok());
  EXPECT_TRUE(absl::IsAborted(Result().outcomes[1].status));
  EXPECT_THAT(std::string(Result().outcomes[1].status.message()), HasSubstr("connection reset"));
  EXPECT_EQ(ended_, 1);
}

TEST_F(ReplayTest, WithoutCommandsTellsWhetherTheUserFunctionTakesTheEvents) {
  plan_.first = Page(1, 5);
  Start();
  EXPECT_TRUE(stream().half_closed);
  EXPECT_FALSE(result_.has_value());
  Close(absl::OkStatus());
  EXPECT_EQ(Result().replayed_events, 5);
}

TEST_F(ReplayTest, WithoutCommandsSilenceIsNoSuccess) {
  plan_.first = Page(1, 5);
  Start();
  strand_.Advance(absl::Seconds(9));
  EXPECT_FALSE(result_.has_value());
  strand_.Advance(absl::Seconds(1));
  EXPECT_TRUE(absl::IsDeadlineExceeded(Failure())) << Failure();
  EXPECT_THAT(std::string(Failure().message()), HasSubstr("did not end the stream"));
  EXPECT_TRUE(stream().destroyed);
}

TEST_F(ReplayTest, IsAbortedWhereAnEventMayBeWhatBrokeTheStream) {
  plan_.first = Page(1, 5);
  Add("Get");
  Start();
  EventSourcedStreamOut failed;
  failed.mutable_failure()->set_description("no such event");
  Say(failed);
  EXPECT_TRUE(absl::IsAborted(Failure())) << Failure();
  EXPECT_THAT(
      std::string(Failure().message()),
      AllOf(HasSubstr("events of entity counter|a up to 5 and then test.Counter.Get"), HasSubstr("no such event")));
  EXPECT_TRUE(stream().destroyed);
}

TEST_F(ReplayTest, IsAbortedWhereTheStreamEndsBeforeTheFirstReply) {
  plan_.first = Page(1, 5);
  Add("Get");
  Start();
  Close(absl::UnavailableError("connection reset"));
  EXPECT_TRUE(absl::IsAborted(Failure())) << Failure();
}

TEST_F(ReplayTest, WithoutEventsItIsTheCommandThatBrokeTheStream) {
  plan_.first = Page(1, 0);
  Add("Get");
  Start();
  Close(absl::UnavailableError("connection reset"));
  EXPECT_TRUE(absl::IsAborted(Result().outcomes.at(0).status));
}

TEST_F(ReplayTest, IsAbortedWhereTheUserFunctionBreaksTheStreamWhileItTakesTheEvents) {
  plan_.first = Page(1, 5);
  Start();
  EventSourcedStreamOut failed;
  failed.mutable_failure()->set_description("no such event");
  Say(failed);
  EXPECT_TRUE(absl::IsAborted(Failure())) << Failure();
  EXPECT_THAT(std::string(Failure().message()), HasSubstr("no such event"));
  EXPECT_TRUE(stream().destroyed);
}

class ReplayNonsenseTest : public ReplayTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(ReplayNonsenseTest, IsNoAnswerToTheOutstandingCommand) {
  plan_.first = Page(1, 5);
  Add("Get");
  Start();
  stream().handler.on_message(GetParam());
  EXPECT_TRUE(absl::IsAborted(Result().outcomes.at(0).status)) << Result().outcomes.at(0).status;
  EXPECT_TRUE(stream().destroyed);
}

// A reply for command 7, no message, and one that says nothing.
INSTANTIATE_TEST_SUITE_P(Said, ReplayNonsenseTest, ::testing::Values("\x0a\x02\x08\x07", "\xff", ""));

TEST_F(ReplayTest, TimeEndsAReplayAndACommand) {
  plan_.until = 300;
  plan_.first = Page(1, 100, false);
  Start();
  strand_.Advance(absl::Seconds(10));
  EXPECT_TRUE(absl::IsDeadlineExceeded(Failure())) << Failure();
  EXPECT_TRUE(stream().destroyed);
  Take(Page(101, 300));  // comes too late
  EXPECT_EQ(stream().written.size(), 101u);
}

TEST_F(ReplayTest, ACommandThatTakesTooLongIsTold) {
  plan_.first = Page(1, 5);
  Add("Get");
  Start();
  strand_.Advance(absl::Seconds(10));
  EXPECT_TRUE(absl::IsDeadlineExceeded(Result().outcomes.at(0).status));
  EXPECT_TRUE(stream().destroyed);
}

TEST_F(ReplayTest, IsDoneWhenTheStreamHasGoneAndCancelsOneThatStaysOpen) {
  plan_.first = Page(1, 5);
  Add("Get");
  Start();
  strand_.Advance(absl::Seconds(1));
  Say(ReplyOf(1));
  Say(ReplyOf(9));  // matters to nobody now
  EXPECT_FALSE(stream().destroyed);
  EXPECT_FALSE(result_.has_value());
  strand_.Advance(ReplayRun::kCloseGrace);
  EXPECT_TRUE(stream().destroyed);
  EXPECT_EQ(ended_, 1);
  EXPECT_EQ(Result().outcomes.size(), 1u);
  EXPECT_EQ(Result().duration, absl::Seconds(1));
}

TEST_F(ReplayTest, CancellingLosesNoAnswerThatIsThere) {
  plan_.first = Page(1, 5);
  Add("Get");
  Start();
  Say(ReplyOf(1));
  run_->Cancel(absl::UnavailableError("the emulator is ending"));
  EXPECT_TRUE(stream().destroyed);
  EXPECT_EQ(Result().outcomes.size(), 1u);
}

TEST_F(ReplayTest, CancellingEndsItAtOnce) {
  plan_.first = Page(1, 5);
  Add("Get");
  Start();
  run_->Cancel(absl::UnavailableError("the emulator is ending"));
  EXPECT_EQ(Failure(), absl::UnavailableError("the emulator is ending"));
  EXPECT_TRUE(stream().destroyed);
  EXPECT_EQ(ended_, 1);
  run_->Cancel(absl::UnavailableError("again"));
  EXPECT_EQ(ended_, 1);
}

TEST_F(ReplayTest, NoticesThatTheEntityIsDeletedMeanwhileAndThatThePageFails) {
  plan_.until = 300;
  plan_.first = Page(1, 100, false);
  Start();
  Take(journal::Replay());
  EXPECT_TRUE(absl::IsAborted(Failure())) << Failure();
  EXPECT_THAT(std::string(Failure().message()), HasSubstr("deleted"));
}

TEST_F(ReplayTest, APageThatCannotBeReadEndsIt) {
  plan_.until = 300;
  plan_.first = Page(1, 100, false);
  Start();
  Take(absl::DataLossError("damaged"));
  EXPECT_EQ(Failure(), absl::DataLossError("damaged"));
}

}  // namespace
}  // namespace cloudstate::entities
