// What goes wrong because a test wants it to: the book of faults, and what they do to a journal and to streams.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cloudstate/action.pb.h"
#include "cloudstate/crdt.pb.h"
#include "cloudstate/event_sourced.pb.h"
#include "cloudstate/v0_1/crdt.pb.h"
#include "cloudstate/value_entity.pb.h"
#include "emulator/base/proto_time.h"
#include "emulator/runtime/fault_book.h"
#include "emulator/runtime/faulty_connection.h"
#include "emulator/runtime/faulty_journal.h"
#include "emulator/runtime/stream_place.h"
#include "tests/support/fake_connection.h"
#include "tests/support/memory_journal.h"
#include "tests/support/test_services.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::runtime {
namespace {

using dev::v1::Fault;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FaultsTest : public ::testing::Test {
 protected:
  static Fault Of(Fault::Kind kind) {
    Fault fault;
    fault.set_kind(kind);
    if (kind == Fault::SLOW) *fault.mutable_delay() = base::ToDuration(absl::Seconds(2));
    return fault;
  }
  void LearnServices(const EntitySpec& spec = testing::TwoServices()) {
    const auto specification = userfunction::ParseSpecification(spec, std::nullopt, userfunction::VersionCheck::kOn);
    ASSERT_TRUE(specification.ok()) << specification.status();
    book_.SetServices(*specification);
  }
  Fault Inject(const Fault& fault) {
    const auto added = book_.Add(fault);
    EXPECT_TRUE(added.ok()) << added.status();
    return added.value_or(Fault());
  }
  std::string WhyNot(const Fault& fault) {
    const auto added = book_.Add(fault);
    EXPECT_EQ(added.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(added.status().message());
  }
  bool Strikes(const std::string& service, const std::string& method, const std::string& entity) {
    return book_.Strike(Fault::SLOW, {.service = service, .persistence_id = {}, .method = method, .entity_id = entity})
        .has_value();
  }

  FaultBook book_;
};

// ---- the book

TEST_F(FaultsTest, AreRefusedWithWhatIsWrongWithThem) {
  LearnServices();
  EXPECT_THAT(WhyNot(Fault()), HasSubstr("has a kind"));
  Fault late = Of(Fault::LOST_STREAM);
  *late.mutable_delay() = base::ToDuration(absl::Seconds(1));
  EXPECT_THAT(WhyNot(late), HasSubstr("SLOW"));
  Fault not_late = Of(Fault::SLOW);
  not_late.clear_delay();
  EXPECT_THAT(WhyNot(not_late), HasSubstr("needs a delay"));
  *not_late.mutable_delay() = base::ToDuration(-absl::Seconds(1));
  EXPECT_THAT(WhyNot(not_late), HasSubstr("needs a delay"));
  Fault negative = Of(Fault::NO_ANSWER);
  negative.set_times(-1);
  EXPECT_THAT(WhyNot(negative), HasSubstr("0 or more"));
  Fault read = Of(Fault::FAILED_READ);
  read.set_method("Call");
  EXPECT_THAT(WhyNot(read), HasSubstr("leave out `method`"));
  Fault unknown = Of(Fault::NO_ANSWER);
  unknown.set_service("Three");
  EXPECT_THAT(WhyNot(unknown), HasSubstr("no service 'Three'; there is test.One, test.Two"));
  EXPECT_THAT(book_.List(), IsEmpty());
  EXPECT_TRUE(book_.empty());
}

TEST_F(FaultsTest, AreRefusedWhereTheyCanNeverStrike) {
  EntitySpec spec = testing::ServicesWithAnAction();
  spec.mutable_entities(1)->set_entity_type("cloudstate.crdt.Crdt");
  LearnServices(spec);
  Fault misspelt = Of(Fault::NO_ANSWER);
  misspelt.set_method("Cal");
  EXPECT_THAT(WhyNot(misspelt), HasSubstr("no method 'Cal' of the user function"));
  misspelt.set_service("One");
  EXPECT_THAT(WhyNot(misspelt), HasSubstr("of 'test.One' that this fault could strike; did you mean 'Call'?"));
  for (const Fault::Kind kind : {Fault::FAILED_WRITE, Fault::FAILED_READ}) {
    for (const char* service : {"Two", "Act"}) {
      Fault unstored = Of(kind);
      unstored.set_service(service);
      EXPECT_THAT(WhyNot(unstored), HasSubstr("is in the journal"));
    }
  }
  Fault unstored = Of(Fault::FAILED_WRITE);
  unstored.set_method("Unary");  // the action's
  EXPECT_THAT(WhyNot(unstored), HasSubstr("no method 'Unary'"));
  Fault entity = Of(Fault::LOST_STREAM);
  entity.set_service("Act");
  entity.set_entity_id("a");
  EXPECT_THAT(WhyNot(entity), HasSubstr("leave out `entity_id`"));

  entity.clear_entity_id();
  entity.set_method("Unary");
  Inject(entity);
  Inject(Of(Fault::FAILED_WRITE));
  Fault everywhere = Of(Fault::NO_ANSWER);
  everywhere.set_entity_id("a");
  everywhere.set_method("Other");
  Inject(everywhere);
}

TEST_F(FaultsTest, NameServicesInFullOrByTheLastPart) {
  LearnServices();
  Fault fault = Of(Fault::SLOW);
  fault.set_service("Two");
  EXPECT_EQ(Inject(fault).service(), "test.Two");
  EXPECT_FALSE(Strikes("test.One", "Call", "a"));
  EXPECT_TRUE(Strikes("test.Two", "Call", "a"));
}

TEST_F(FaultsTest, MayNameAnyServiceBeforeThereIsAUserFunction) {
  Fault fault = Of(Fault::SLOW);
  fault.set_service("One");
  EXPECT_EQ(Inject(fault).service(), "One");
  EXPECT_FALSE(Strikes("test.NoOne", "Call", "a"));
  EXPECT_TRUE(Strikes("test.One", "Call", "a"));
}

TEST_F(FaultsTest, StrikeWhereTheyShould) {
  Fault fault = Of(Fault::SLOW);
  fault.set_service("test.One");
  fault.set_method("Call");
  fault.set_entity_id("a");
  Inject(fault);
  EXPECT_FALSE(Strikes("test.Two", "Call", "a"));
  EXPECT_FALSE(Strikes("test.One", "Other", "a"));
  EXPECT_FALSE(Strikes("test.One", "Call", "b"));
  EXPECT_FALSE(book_.Strike(Fault::NO_ANSWER,
                            {.service = "test.One", .persistence_id = {}, .method = "Call", .entity_id = "a"}));
  EXPECT_TRUE(Strikes("test.One", "Call", "a"));
}

TEST_F(FaultsTest, LetSomeThroughStrikeAsOftenAsTheyShouldAndAreGone) {
  Fault fault = Of(Fault::SLOW);
  fault.set_entity_id("a");
  fault.set_after(1);
  fault.set_times(2);
  Inject(fault);
  EXPECT_FALSE(Strikes("s", "m", "b"));
  EXPECT_FALSE(Strikes("s", "m", "a"));
  EXPECT_TRUE(Strikes("s", "m", "a"));
  ASSERT_THAT(book_.List(), SizeIs(1));
  EXPECT_EQ(book_.List()[0].struck(), 1);
  EXPECT_TRUE(Strikes("s", "m", "a"));
  EXPECT_THAT(book_.List(), IsEmpty());
  EXPECT_FALSE(Strikes("s", "m", "a"));
}

TEST_F(FaultsTest, AreClearedOneByOneOrTogether) {
  const Fault first = Inject(Of(Fault::SLOW));
  const Fault second = Inject(Of(Fault::SLOW));
  EXPECT_TRUE(book_.Clear(first.id()).ok());
  EXPECT_TRUE(absl::IsNotFound(book_.Clear(first.id())));
  ASSERT_THAT(book_.List(), SizeIs(1));
  EXPECT_EQ(book_.List()[0].id(), second.id());
  book_.ClearAll();
  EXPECT_FALSE(Strikes("s", "m", "e"));
  EXPECT_TRUE(book_.empty());
}

// ---- the journal

class FaultyJournalTest : public FaultsTest {
 protected:
  absl::Status Write(const std::string& id, std::vector<journal::Payload> events) {
    journal::Append append;
    append.key = {"persisted-One", id};
    append.service = "test.One";
    append.expected = written_;
    append.events = std::move(events);
    append.cause.method = "Call";
    absl::Status outcome = absl::UnknownError("not answered");
    journal_.Write(std::move(append), [&](absl::Status status) { outcome = std::move(status); });
    if (outcome.ok()) ++written_;
    return outcome;
  }
  absl::Status Load(const std::string& persistence_id, std::optional<journal::SequenceNumber> after) {
    absl::Status outcome = absl::UnknownError("not answered");
    journal_.Load({persistence_id, "a"}, after, 1'000,
                  [&](const absl::StatusOr<journal::Replay>& replay) { outcome = replay.status(); });
    return outcome;
  }

  testing::MemoryJournal memory_;
  FaultyJournal journal_{memory_, book_};
  journal::SequenceNumber written_ = 0;
};

TEST_F(FaultyJournalTest, RefusesToStoreAsOftenAsItShould) {
  Fault fault = Of(Fault::FAILED_WRITE);
  fault.set_service("test.One");
  fault.set_method("Call");
  fault.set_times(1);
  Inject(fault);
  EXPECT_TRUE(Write("a", {}).ok());  // stores nothing
  written_ = 0;
  const absl::Status refused = Write("a", {{"type", "value"}});
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("full: a fault that a test injected (number 1)"));
  EXPECT_THAT(memory_.entities[(journal::EntityKey{"persisted-One", "a"})].events, IsEmpty());
  EXPECT_TRUE(Write("a", {{"type", "value"}}).ok());
}

TEST_F(FaultyJournalTest, CannotReadWhatBelongsToTheService) {
  LearnServices();
  Fault fault = Of(Fault::FAILED_READ);
  fault.set_service("One");
  Inject(fault);
  EXPECT_TRUE(Load("persisted-Two", std::nullopt).ok());
  const absl::Status failed = Load("persisted-One", std::nullopt);
  EXPECT_EQ(failed.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(failed.message()), HasSubstr("cannot be read: a fault that a test injected"));
  EXPECT_FALSE(Load("persisted-One", 0).ok());
  EXPECT_TRUE(Load("persisted-One", 5).ok());  // a page behind the first
  book_.ClearAll();
  EXPECT_TRUE(Load("persisted-One", std::nullopt).ok());
}

// ---- what messages tell

TEST(StreamPlaceTest, KnowsTheEntityAndItsCommandsInBothDialects) {
  const auto check = [](const std::string& path, userfunction::Dialect dialect, auto init, auto command) {
    StreamPlace place(path, dialect);
    EXPECT_TRUE(place.wants_first());
    init.mutable_init()->set_service_name("test.One");
    init.mutable_init()->set_entity_id("a");
    EXPECT_FALSE(place.Look(init.SerializeAsString()).has_value()) << path;
    EXPECT_FALSE(place.wants_first());
    EXPECT_EQ(place.service(), "test.One");
    EXPECT_EQ(place.entity_id(), "a");
    command.mutable_command()->set_name("Call");
    command.mutable_command()->set_id(7);
    command.mutable_command()->set_entity_id("a");
    const auto seen = place.Look(command.SerializeAsString());
    ASSERT_TRUE(seen.has_value()) << path;
    EXPECT_EQ(seen->method, "Call");
    EXPECT_EQ(seen->id, 7);
  };
  using userfunction::Dialect;
  for (const Dialect dialect : {Dialect::k0_1, Dialect::k0_2}) {
    check("/cloudstate.eventsourced.EventSourced/handle", dialect, eventsourced::EventSourcedStreamIn(),
          eventsourced::EventSourcedStreamIn());
  }
  check("/cloudstate.valueentity.ValueEntity/handle", Dialect::k0_2, valueentity::ValueEntityStreamIn(),
        valueentity::ValueEntityStreamIn());
  check("/cloudstate.crdt.Crdt/handle", Dialect::k0_2, crdt::CrdtStreamIn(), crdt::CrdtStreamIn());
  check("/cloudstate.crdt.Crdt/handle", Dialect::k0_1, v0_1::crdt::CrdtStreamIn(), v0_1::crdt::CrdtStreamIn());
}

TEST(StreamPlaceTest, TakesTheFirstMessageOfAnActionForItsCommand) {
  action::ActionCommand command;
  command.set_service_name("test.Act");
  command.set_name("Both");
  StreamPlace place("/cloudstate.action.ActionProtocol/handleStreamed", userfunction::Dialect::k0_2);
  EXPECT_TRUE(place.wants_first());
  const auto seen = place.Look(command.SerializeAsString());
  EXPECT_FALSE(place.wants_first());
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->method, "Both");
  EXPECT_EQ(place.service(), "test.Act");
  EXPECT_FALSE(place.Look(action::ActionCommand().SerializeAsString()).has_value());
}

TEST(StreamPlaceTest, MakesNothingOfWhatIsNoMessage) {
  StreamPlace place("/cloudstate.eventsourced.EventSourced/handle", userfunction::Dialect::k0_2);
  EXPECT_FALSE(place.Look("\xff\xff").has_value());
  EXPECT_FALSE(place.Answers("\xff\xff", 1));
}

// ---- streams

class FaultyStreams : public FaultsTest {
 protected:
  userfunction::StreamHandler Listen() {
    return {.on_message = [this](std::string message) { heard_.push_back(Text(message)); },
            .on_closed =
                [this](const absl::Status& status) {
                  heard_.push_back("closed: " + std::string(absl::StatusCodeToString(status.code())));
                  last_ = status;
                },
            .on_writable = [this] { heard_.emplace_back("writable"); }};
  }
  static std::string Text(const std::string& message) {
    eventsourced::EventSourcedStreamOut out;
    if (!out.ParseFromString(message) || !out.has_reply()) return message;
    return "reply " + std::to_string(out.reply().command_id());
  }
  void Open(const std::string& path = "/cloudstate.eventsourced.EventSourced/handle") {
    stream_ = connection_.Open(path, absl::Seconds(3), Listen());
  }
  void OpenEntity() {
    Open();
    eventsourced::EventSourcedStreamIn in;
    in.mutable_init()->set_service_name("test.One");
    in.mutable_init()->set_entity_id("a");
    stream_->Write(in.SerializeAsString());
  }
  void Command(std::int64_t id) {
    eventsourced::EventSourcedStreamIn in;
    in.mutable_command()->set_id(id);
    in.mutable_command()->set_name("Call");
    stream_->Write(in.SerializeAsString());
  }
  void CallAction() {
    Open("/cloudstate.action.ActionProtocol/handleUnary");
    action::ActionCommand command;
    command.set_service_name("test.Act");
    command.set_name("Unary");
    stream_->Write(command.SerializeAsString());
  }
  void Reply(std::int64_t id) {
    eventsourced::EventSourcedStreamOut out;
    out.mutable_reply()->set_command_id(id);
    inner().handler.on_message(out.SerializeAsString());
  }
  testing::FakeConnection::OpenedStream& inner() { return *real_->streams.back(); }

  testing::VirtualStrand strand_;
  std::shared_ptr<testing::FakeConnection> real_ = std::make_shared<testing::FakeConnection>();
  FaultyConnection connection_{real_, strand_, book_, userfunction::Dialect::k0_2};
  std::unique_ptr<userfunction::Stream> stream_;
  std::vector<std::string> heard_;
  absl::Status last_;
};

TEST_F(FaultyStreams, PassWhatIsSaidEitherWayWhereNoFaultStrikes) {
  Fault elsewhere = Of(Fault::NO_ANSWER);
  elsewhere.set_entity_id("b");
  Inject(elsewhere);
  OpenEntity();
  EXPECT_EQ(inner().timeout, absl::Seconds(3));
  Command(1);
  EXPECT_THAT(inner().written, SizeIs(2));
  Reply(1);
  inner().handler.on_writable();
  stream_->Pause();
  EXPECT_TRUE(inner().paused);
  stream_->Resume();
  EXPECT_FALSE(inner().paused);
  inner().unsent = 3;
  EXPECT_EQ(stream_->Unsent(), 3U);
  stream_->HalfClose();
  EXPECT_TRUE(inner().half_closed);
  inner().handler.on_closed(absl::OkStatus());
  EXPECT_THAT(heard_, ElementsAre("reply 1", "writable", "closed: OK"));
  stream_ = nullptr;
  EXPECT_TRUE(inner().destroyed);
}

TEST_F(FaultyStreams, PassCallsThatAreNoStreams) {
  connection_.Call("/method", "request", absl::Seconds(1), [](const absl::StatusOr<std::string>&) {});
  EXPECT_EQ(real_->calls.front().request, "request");
}

TEST_F(FaultyStreams, AStreamIsLostWhenTheCommandHasGotThere) {
  OpenEntity();  // before the fault was injected
  Inject(Of(Fault::LOST_STREAM));
  Command(1);
  EXPECT_THAT(inner().written, SizeIs(2));
  EXPECT_FALSE(inner().destroyed);
  Reply(1);
  EXPECT_TRUE(inner().destroyed);
  EXPECT_THAT(heard_, ElementsAre("closed: UNAVAILABLE"));
  EXPECT_THAT(std::string(last_.message()), HasSubstr("a fault that a test injected"));
  Command(2);  // as if it had not noticed yet
  EXPECT_THAT(inner().written, SizeIs(2));
}

TEST_F(FaultyStreams, AnActionsCallIsLostInPlaceOfItsEnd) {
  Inject(Of(Fault::LOST_STREAM));
  CallAction();
  inner().handler.on_closed(absl::OkStatus());
  EXPECT_THAT(heard_, ElementsAre("closed: UNAVAILABLE"));
}

TEST_F(FaultyStreams, WhatFollowsInAnActionsStreamIsNoCommand) {
  CallAction();
  Inject(Of(Fault::LOST_STREAM));
  stream_->Write(action::ActionCommand().SerializeAsString());
  inner().handler.on_message("response");
  EXPECT_THAT(heard_, ElementsAre("response"));
  EXPECT_EQ(book_.List()[0].struck(), 0);
}

TEST_F(FaultyStreams, AreCountedFromTheirHalfCloseToTheirEnd) {
  OpenEntity();
  EXPECT_EQ(book_.closing(), 0U);
  stream_->HalfClose();
  EXPECT_EQ(book_.closing(), 1U);
  inner().handler.on_closed(absl::OkStatus());
  EXPECT_EQ(book_.closing(), 0U);
  OpenEntity();
  EXPECT_EQ(book_.closing(), 0U);
  stream_->HalfClose();
  stream_ = nullptr;
  EXPECT_EQ(book_.closing(), 0U);
  CallAction();  // half-closed as soon as it has its command
  stream_->HalfClose();
  EXPECT_EQ(book_.closing(), 0U);
}

TEST_F(FaultyStreams, OnlyWhatAnswersTheCommandIsMissing) {
  OpenEntity();
  Fault once = Of(Fault::NO_ANSWER);
  once.set_times(1);
  Inject(once);
  Command(1);
  Reply(1);
  Command(2);
  Reply(2);
  EXPECT_THAT(heard_, ElementsAre("reply 2"));
  EXPECT_FALSE(inner().destroyed);
}

TEST_F(FaultyStreams, AnActionThatNeverAnswersEndsByItsTimeLimitOnly) {
  Inject(Of(Fault::NO_ANSWER));
  CallAction();
  inner().handler.on_message("response");
  inner().handler.on_closed(absl::OkStatus());
  EXPECT_THAT(heard_, IsEmpty());
  CallAction();
  inner().handler.on_closed(absl::DeadlineExceededError("late"));
  EXPECT_THAT(heard_, ElementsAre("closed: DEADLINE_EXCEEDED"));
}

TEST_F(FaultyStreams, SlowAnswersComeLaterInTheirOrder) {
  OpenEntity();
  Fault once = Of(Fault::SLOW);
  once.set_times(1);
  Inject(once);
  Command(1);
  Reply(1);
  strand_.Advance(absl::Seconds(1));
  Command(2);
  Reply(2);  // which is not slow, but does not overtake
  inner().handler.on_closed(absl::OkStatus());
  EXPECT_THAT(heard_, IsEmpty());
  strand_.Advance(absl::Seconds(1));
  EXPECT_THAT(heard_, ElementsAre("reply 1", "reply 2", "closed: OK"));
}

TEST_F(FaultyStreams, EachMessageOfASlowStreamIsLate) {
  Inject(Of(Fault::SLOW));
  CallAction();
  inner().handler.on_message("one");
  strand_.Advance(absl::Seconds(1));
  inner().handler.on_message("two");
  strand_.Advance(absl::Seconds(1));
  EXPECT_THAT(heard_, ElementsAre("one"));
  strand_.Advance(absl::Seconds(1));
  EXPECT_THAT(heard_, ElementsAre("one", "two"));
}

TEST_F(FaultyStreams, WhatIsLateGoesOnAtOnceWhenTheFaultIsCleared) {
  OpenEntity();
  const Fault slow = Inject(Of(Fault::SLOW));
  Command(1);
  Reply(1);
  ASSERT_TRUE(book_.Clear(slow.id()).ok());
  strand_.Advance(absl::ZeroDuration());
  EXPECT_THAT(heard_, ElementsAre("reply 1"));
  Command(2);
  Reply(2);
  EXPECT_THAT(heard_, ElementsAre("reply 1", "reply 2"));
}

TEST_F(FaultyStreams, AnOwnerThatPausesHearsWhatIsLateAfterwards) {
  OpenEntity();
  Inject(Of(Fault::SLOW));
  Command(1);
  Reply(1);
  stream_->Pause();
  strand_.Advance(absl::Seconds(5));
  EXPECT_THAT(heard_, IsEmpty());
  stream_->Resume();
  strand_.Advance(absl::Seconds(0));
  EXPECT_THAT(heard_, ElementsAre("reply 1"));
}

TEST_F(FaultyStreams, AUserFunctionThatSaysMuchIsHeldUp) {
  Inject(Of(Fault::SLOW));
  CallAction();
  int said = 0;
  while (!inner().paused && said < 10'000) inner().handler.on_message(std::to_string(++said));
  EXPECT_LT(said, 10'000);
  strand_.Advance(absl::Seconds(2));
  EXPECT_FALSE(inner().paused);
  EXPECT_THAT(heard_, SizeIs(static_cast<std::size_t>(said)));
}

TEST_F(FaultyStreams, NothingIsHeardOfAStreamThatHasBeenDestroyed) {
  OpenEntity();
  Inject(Of(Fault::SLOW));
  Command(1);
  Reply(1);
  stream_ = nullptr;
  EXPECT_TRUE(inner().destroyed);
  book_.ClearAll();
  strand_.Advance(absl::Seconds(5));
  EXPECT_THAT(heard_, IsEmpty());
}

TEST_F(FaultyStreams, AnOwnerMayDestroyItsStreamWhileItHears) {
  Inject(Of(Fault::SLOW));
  auto stream =
      connection_.Open("/cloudstate.action.ActionProtocol/handleUnary", absl::Seconds(3),
                       {.on_message =
                            [this, kept = std::string("kept for long enough to be on the heap")](const std::string&) {
                              stream_ = nullptr;
                              heard_.push_back(kept);
                            },
                        .on_closed = [](const absl::Status&) {},
                        .on_writable = {}});
  stream_ = std::move(stream);
  action::ActionCommand command;
  command.set_service_name("test.Act");
  stream_->Write(command.SerializeAsString());
  inner().handler.on_message("one");
  inner().handler.on_message("two");
  strand_.Advance(absl::Seconds(3));
  EXPECT_THAT(heard_, SizeIs(1));
}

}  // namespace
}  // namespace cloudstate::runtime
