#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cloudstate/entity_key.pb.h"
#include "cloudstate/event_sourced.pb.h"
#include "tests/unit/router_fixture.h"

namespace cloudstate::routing {
namespace {

using cloudstate::testing::Request;
using cloudstate::testing::TwoServices;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class RouterTest : public RouterFixture {
 protected:
  RouterTest() : RouterFixture(TwoServices()) {}

  std::shared_ptr<FakeClient> Call(const std::string& service, const std::string& method, const std::string& id,
                                   std::optional<absl::Time> deadline = std::nullopt) {
    return Start(service, method, Request(id), deadline);
  }

  // The last command on the n-th stream.
  cloudstate::Command Command(std::size_t stream) {
    eventsourced::EventSourcedStreamIn in;
    EXPECT_TRUE(in.ParseFromString(Stream(stream).written.back()));
    EXPECT_TRUE(in.has_command());
    return in.command();
  }

  void Answer(std::size_t stream, eventsourced::EventSourcedReply reply) {
    reply.set_command_id(Command(stream).id());
    eventsourced::EventSourcedStreamOut out;
    *out.mutable_reply() = std::move(reply);
    Say(stream, out);
  }

  static eventsourced::EventSourcedReply Reply(const std::string& text) {
    eventsourced::EventSourcedReply reply;
    auto& payload = *reply.mutable_client_action()->mutable_reply()->mutable_payload();
    payload.set_type_url("type.googleapis.com/test.Response");
    payload.set_value(text);
    return reply;
  }

  static eventsourced::EventSourcedReply ForwardTo(const std::string& service, const std::string& method,
                                                   const std::string& id) {
    eventsourced::EventSourcedReply reply;
    auto& forward = *reply.mutable_client_action()->mutable_forward();
    forward.set_service_name(service);
    forward.set_command_name(method);
    forward.mutable_payload()->set_type_url("type.googleapis.com/test.Request");
    forward.mutable_payload()->set_value(Request(id));
    return reply;
  }

  static void AddEffect(eventsourced::EventSourcedReply& reply, const std::string& service, const std::string& id,
                        bool synchronous) {
    auto& effect = *reply.add_side_effects();
    effect.set_service_name(service);
    effect.set_command_name("Call");
    effect.set_synchronous(synchronous);
    effect.mutable_payload()->set_value(Request(id));
  }

  std::vector<std::string> Steps() {
    std::vector<std::string> names;
    const trace::Trace& trace = *recorder_.traces().front();
    for (const trace::Step& step : trace.steps) {
      std::string name(trace::StepName(step.kind));
      if (step.command != trace::kClientsCommand) {
        const trace::CausedCommand& command = trace.caused.at(step.command - 1);
        absl::StrAppend(&name, " ", command.service, ".", command.method, " ", command.entity_id);
      }
      names.push_back(std::move(name));
    }
    return names;
  }
};

TEST_F(RouterTest, BringsACommandToItsEntityAndTheReplyBack) {
  auto call = Call("test.One", "Call", "a");
  const cloudstate::Command command = Command(0);
  EXPECT_EQ(command.entity_id(), "a");
  EXPECT_EQ(command.name(), "Call");
  EXPECT_EQ(command.payload().type_url(), "type.googleapis.com/test.Request");
  EXPECT_EQ(command.payload().value(), Request("a"));
  EXPECT_FALSE(command.has_metadata());
  Answer(0, Reply("hello"));
  EXPECT_THAT(call->messages, ElementsAre("hello"));
  EXPECT_EQ(call->status, absl::OkStatus());
  EXPECT_THAT(reports_, IsEmpty());
}

TEST_F(RouterTest, EntitiesSeeMetadataOnlyWhenAskedFor) {
  Router passing{{.entity_metadata = EntityMetadata::kPass}, strand_, node(), recorder_, [](const std::string&) {}};
  passing.Serve(*userfunction::ParseSpecification(TwoServices(), std::nullopt, userfunction::VersionCheck::kOn));
  serving::Call call;
  call.service = "test.One";
  call.method = "Call";
  call.payload = Request("a");
  call.metadata.add_entries()->set_key("x-from");
  passing.Start(std::move(call), std::make_shared<FakeClient>());
  strand_.Run();
  EXPECT_EQ(Command(0).metadata().entries(0).key(), "x-from");
}

TEST_F(RouterTest, ReplyMetadataBecomesHeaders) {
  auto call = Call("test.One", "Call", "a");
  auto reply = Reply("hello");
  reply.mutable_client_action()->mutable_reply()->mutable_metadata()->add_entries()->set_key("x-answer");
  Answer(0, std::move(reply));
  ASSERT_EQ(call->headers.entries_size(), 1);
  EXPECT_EQ(call->headers.entries(0).key(), "x-answer");
}

TEST_F(RouterTest, AClientFailureIsUnknownWithItsDescription) {
  auto call = Call("test.One", "Call", "a");
  eventsourced::EventSourcedReply reply;
  reply.mutable_client_action()->mutable_failure()->set_description("not today");
  Answer(0, std::move(reply));
  EXPECT_EQ(call->status, absl::UnknownError("not today"));
  EXPECT_THAT(call->messages, IsEmpty());
}

TEST_F(RouterTest, AnEmptyActionIsAnInternalErrorThatNamesTheMethod) {
  auto call = Call("test.One", "Call", "a");
  Answer(0, {});
  EXPECT_EQ(call->status->code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(call->status->message()), HasSubstr("test.One.Call"));
}

TEST_F(RouterTest, AReplyOfAnotherTypeIsDeliveredAndReported) {
  auto call = Call("test.One", "Call", "a");
  auto reply = Reply("hello");
  reply.mutable_client_action()->mutable_reply()->mutable_payload()->set_type_url("type.googleapis.com/test.Else");
  Answer(0, std::move(reply));
  EXPECT_THAT(call->messages, ElementsAre("hello"));
  EXPECT_THAT(reports_,
              ElementsAre("test.One.Call: Expected reply type_url to be [type.googleapis.com/test.Response] but "
                          "was [type.googleapis.com/test.Else]."));
}

TEST_F(RouterTest, AForwardsOutcomeIsTheClientsReply) {
  auto call = Call("test.One", "Call", "a");
  Answer(0, ForwardTo("test.Two", "Call", "b"));
  EXPECT_FALSE(call->status.has_value());
  EXPECT_EQ(Command(1).entity_id(), "b");
  Answer(1, Reply("from two"));
  EXPECT_THAT(call->messages, ElementsAre("from two"));
}

TEST_F(RouterTest, AnEntityMayForwardToItself) {
  auto call = Call("test.One", "Call", "a");
  Answer(0, ForwardTo("test.One", "Other", "a"));
  EXPECT_EQ(Command(0).name(), "Other");
  Answer(0, Reply("done"));
  EXPECT_THAT(call->messages, ElementsAre("done"));
}

TEST_F(RouterTest, AForwardToAnUnknownServiceIsReportedWithHowItCameAbout) {
  auto call = Call("test.One", "Call", "a");
  Answer(0, ForwardTo("test.Three", "Call", "b"));
  EXPECT_EQ(call->status->code(), absl::StatusCode::kInternal);
  EXPECT_THAT(reports_, ElementsAre("Service [test.Three] unknown\nforwarded from test.One.Call"));
}

TEST_F(RouterTest, AForwardToAnUnknownMethodIsReportedLikewise) {
  auto call = Call("test.One", "Call", "a");
  Answer(0, ForwardTo("test.Two", "Nothing", "b"));
  EXPECT_THAT(reports_, ElementsAre("Service [test.Two] does not have a command named: [Nothing]\n"
                                    "forwarded from test.One.Call"));
}

TEST_F(RouterTest, AnEndlessForwardIsCut) {
  auto call = Call("test.One", "Call", "a");
  for (int i = 0; i < 64; ++i) {
    ASSERT_FALSE(call->status.has_value()) << i;
    Answer(0, ForwardTo("test.One", "Call", "a"));
  }
  ASSERT_FALSE(call->status.has_value());
  Answer(0, ForwardTo("test.One", "Call", "a"));
  EXPECT_EQ(call->status->code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(call->status->message()),
              HasSubstr("more than 64 steps from the client's command\nforwarded from"));
}

TEST_F(RouterTest, ASynchronousEffectIsAwaitedBeforeTheReply) {
  auto call = Call("test.One", "Call", "a");
  auto reply = Reply("hello");
  AddEffect(reply, "test.Two", "b", true);
  Answer(0, std::move(reply));
  EXPECT_FALSE(call->status.has_value());
  EXPECT_EQ(Command(1).entity_id(), "b");
  Answer(1, Reply("dropped"));
  EXPECT_THAT(call->messages, ElementsAre("hello"));
}

TEST_F(RouterTest, OtherEffectsAreStartedAndNotAwaited) {
  auto call = Call("test.One", "Call", "a");
  auto reply = Reply("hello");
  AddEffect(reply, "test.Two", "b", false);
  Answer(0, std::move(reply));
  EXPECT_THAT(call->messages, ElementsAre("hello"));
  EXPECT_EQ(Command(1).entity_id(), "b");
}

TEST_F(RouterTest, EffectsKeepTheirOrder) {
  Call("test.One", "Call", "a");
  auto reply = Reply("hello");
  AddEffect(reply, "test.Two", "first", true);
  AddEffect(reply, "test.Two", "second", true);
  Answer(0, std::move(reply));
  EXPECT_THAT(connection_->streams, SizeIs(2));
  Answer(1, Reply(""));
  EXPECT_EQ(Command(2).entity_id(), "second");
}

TEST_F(RouterTest, AFailedEffectDoesNotFailTheCommand) {
  auto call = Call("test.One", "Call", "a");
  auto reply = Reply("hello");
  AddEffect(reply, "test.Three", "b", true);
  Answer(0, std::move(reply));
  EXPECT_THAT(call->messages, ElementsAre("hello"));
  EXPECT_THAT(reports_, ElementsAre("Service [test.Three] unknown\nside-effect of test.One.Call"));
}

TEST_F(RouterTest, EventsAreStoredBeforeEffectsRun) {
  Call("test.One", "Call", "a");
  auto reply = Reply("hello");
  reply.add_events()->set_value("event");
  AddEffect(reply, "test.Two", "b", true);
  journal_.hold_writes = true;
  Answer(0, std::move(reply));
  EXPECT_THAT(connection_->streams, SizeIs(1));
  journal_.Release();
  strand_.Run();
  EXPECT_THAT(connection_->streams, SizeIs(2));
}

TEST_F(RouterTest, ACallEndsAtItsDeadline) {
  auto call = Call("test.One", "Call", "a", strand_.WallTime() + absl::Seconds(5));
  strand_.Advance(absl::Seconds(5));
  EXPECT_EQ(call->status->code(), absl::StatusCode::kDeadlineExceeded);
  Answer(0, Reply("too late"));
  EXPECT_THAT(call->messages, IsEmpty());
}

TEST_F(RouterTest, ACallEndsAtTheRelayTimeout) {
  auto call = Call("test.One", "Call", "a");
  strand_.Advance(absl::Seconds(60));
  EXPECT_EQ(call->status->code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(call->status->message()), HasSubstr("test.One.Call"));
}

TEST_F(RouterTest, ACommandThatItsClientCancelledIsNotSent) {
  Call("test.One", "Call", "a");
  auto cancelled = Call("test.One", "Call", "a");
  cancelled->cancelled();
  strand_.Run();
  Answer(0, Reply("first"));
  EXPECT_THAT(Stream(0).written, SizeIs(2));
}

TEST_F(RouterTest, WithoutAUserFunctionCallsAreUnavailable) {
  router_.Suspend(absl::UnavailableError("gone since noon"));
  cluster_.Disconnect(absl::UnavailableError("gone since noon"));
  auto call = Call("test.One", "Call", "a");
  EXPECT_EQ(call->status, absl::UnavailableError("gone since noon"));
  EXPECT_EQ(router_.Availability(), absl::UnavailableError("gone since noon"));
  EXPECT_THAT(router_.CurrentServices()->services, SizeIs(2));
}

TEST_F(RouterTest, CallsInFlightFailWhenTheUserFunctionGoes) {
  auto call = Call("test.One", "Call", "a");
  router_.Suspend(absl::UnavailableError("lost"));
  cluster_.Disconnect(absl::UnavailableError("lost"));
  strand_.Run();
  EXPECT_EQ(call->status, absl::UnavailableError("lost"));
  EXPECT_EQ(node().active_entities(), 0U);
}

TEST_F(RouterTest, AnUnknownMethodIsUnimplemented) {
  EXPECT_EQ(Call("test.One", "Nothing", "a")->status->code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(Call("test.None", "Call", "a")->status->code(), absl::StatusCode::kUnimplemented);
}

TEST_F(RouterTest, ATraceHoldsEveryStepOfItsCall) {
  auto call = Call("test.One", "Call", "a");
  auto reply = Reply("hello");
  reply.add_events()->set_value("event");
  AddEffect(reply, "test.Two", "b", true);
  Answer(0, std::move(reply));
  Answer(1, Reply("dropped"));
  ASSERT_THAT(recorder_.traces(), SizeIs(1));
  const trace::Trace& trace = *recorder_.traces().front();
  EXPECT_EQ(trace.entity_id, "a");
  EXPECT_TRUE(trace.outcome.ok());
  EXPECT_THAT(Steps(),
              ElementsAre("received", "replayed", "sent", "replied", "stored", "effect test.Two.Call b",
                          "replayed test.Two.Call b", "sent test.Two.Call b", "replied test.Two.Call b", "answered"));
}

TEST_F(RouterTest, ATraceIsWholeOnlyWhenItsLastEffectHasEnded) {
  Call("test.One", "Call", "a");
  auto reply = Reply("hello");
  AddEffect(reply, "test.Two", "b", false);
  Answer(0, std::move(reply));
  EXPECT_THAT(recorder_.traces(), IsEmpty());
  Answer(1, Reply("dropped"));
  EXPECT_THAT(recorder_.traces(), SizeIs(1));
}

class RoomTest : public RouterTest, private cluster::ActiveEntities::Observer {
 protected:
  RoomTest() { tight_.Connect(connection_); }

  entities::Command MakeCommand(std::vector<std::string>& done, const std::string& name) {
    entities::Command command;
    command.method = name;
    command.trace = std::make_shared<trace::Trace>();
    command.abandoned = std::make_shared<bool>(false);
    command.done = [&done, name](const absl::StatusOr<entities::Reply>&) { done.push_back(name); };
    return command;
  }

  std::shared_ptr<const userfunction::Specification> specification_ =
      *userfunction::ParseSpecification(TwoServices(), std::nullopt, userfunction::VersionCheck::kOn);
  const userfunction::ServiceSpec& service_ = specification_->services.at("test.One");
  trace::Metrics metrics_;
  trace::NodeLoad load_;
  cluster::ActiveEntities tight_{{.max_active_entities = 2}, strand_, journal_, metrics_, load_, *this};

 private:
  void ReportError(const std::string&) override {}
  void OnFenced(journal::Fence) override {}
  void OnRetired(journal::ShardId) override {}
};

TEST_F(RoomTest, TheLongestIdleEntityMakesRoomForAnother) {
  std::vector<std::string> done;
  for (const char* id : {"a", "b"}) {
    tight_.Deliver({}, service_, id, MakeCommand(done, id));
    strand_.Run();
  }
  Answer(0, Reply(""));
  Answer(1, Reply(""));
  tight_.Deliver({}, service_, "c", MakeCommand(done, "c"));
  strand_.Run();
  EXPECT_TRUE(Stream(0).half_closed);
  EXPECT_FALSE(Stream(1).half_closed);
  EXPECT_THAT(connection_->streams, SizeIs(2));
  End(0);
  ASSERT_THAT(connection_->streams, SizeIs(3));
  EXPECT_EQ(Command(2).entity_id(), "c");
}

TEST_F(RoomTest, ACommandWaitsWhileAllEntitiesAreBusy) {
  std::vector<std::string> done;
  for (const char* id : {"a", "b", "c"}) {
    tight_.Deliver({}, service_, id, MakeCommand(done, id));
    strand_.Run();
  }
  EXPECT_THAT(connection_->streams, SizeIs(2));
  EXPECT_EQ(tight_.waiting_commands(), 1U);
  Answer(1, Reply(""));
  End(1);
  EXPECT_EQ(Command(2).entity_id(), "c");
  EXPECT_EQ(tight_.active_entities(), 2U);
}

TEST_F(RoomTest, WithoutAUserFunctionCommandsAreUnavailable) {
  tight_.Disconnect(absl::UnavailableError("lost"));
  entities::Command command;
  absl::Status outcome;
  command.abandoned = std::make_shared<bool>(false);
  command.done = [&](const absl::StatusOr<entities::Reply>& reply) { outcome = reply.status(); };
  tight_.Deliver({}, service_, "a", std::move(command));
  EXPECT_EQ(outcome.code(), absl::StatusCode::kUnavailable);
}

TEST_F(RoomTest, AnIdleEntityThatWasJustAbortedMakesNoRoom) {
  std::vector<std::string> done;
  for (const char* id : {"a", "b", "c"}) {
    tight_.Deliver({}, service_, id, MakeCommand(done, id));
    strand_.Run();
  }
  // b becomes idle while c waits, so room is about to be made when the user function goes.
  eventsourced::EventSourcedStreamOut out;
  *out.mutable_reply() = Reply("");
  out.mutable_reply()->set_command_id(1);
  Stream(1).handler.on_message(out.SerializeAsString());
  tight_.Disconnect(absl::UnavailableError("lost"));
  strand_.Run();
  EXPECT_EQ(tight_.active_entities(), 0U);
  EXPECT_THAT(done, ::testing::UnorderedElementsAre("a", "b", "c"));
}

}  // namespace
}  // namespace cloudstate::routing
