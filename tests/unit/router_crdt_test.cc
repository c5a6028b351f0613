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
#include "emulator/routing/crdt_run.h"
#include "tests/unit/router_fixture.h"

namespace cloudstate::routing {
namespace {

using cloudstate::testing::Request;
using crdt::CrdtStreamIn;
using crdt::CrdtStreamOut;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Besides test.One, test.Two and test.Act a CRDT service test.Shared: Call is unary, Watch streams its answers.
EntitySpec ServicesWithACrdt() {
  EntitySpec spec = testing::ServicesWithAnAction();
  testing::ChangeFile(spec, [](google::protobuf::FileDescriptorProto& file) {
    google::protobuf::ServiceDescriptorProto& service = *file.add_service();
    service.set_name("Shared");
    for (const char* name : {"Call", "Watch"}) {
      google::protobuf::MethodDescriptorProto& method = *service.add_method();
      method.set_name(name);
      method.set_input_type(".test.Request");
      method.set_output_type(".test.Response");
      method.set_server_streaming(std::string(name) == "Watch");
    }
  });
  Entity& entity = *spec.add_entities();
  entity.set_entity_type("cloudstate.crdt.Crdt");
  entity.set_service_name("test.Shared");
  entity.set_persistence_id("shared");
  return spec;
}

ClientAction Message(const std::string& text) {
  ClientAction action;
  auto& payload = *action.mutable_reply()->mutable_payload();
  payload.set_type_url("type.googleapis.com/test.Response");
  payload.set_value(text);
  return action;
}

ClientAction Failure(const std::string& text) {
  ClientAction action;
  action.mutable_failure()->set_description(text);
  return action;
}

ClientAction ForwardTo(const std::string& service, const std::string& method) {
  ClientAction action;
  action.mutable_forward()->set_service_name(service);
  action.mutable_forward()->set_command_name(method);
  action.mutable_forward()->mutable_payload()->set_value(Request("a"));
  return action;
}

SideEffect EffectOn(const std::string& service, const std::string& method, bool synchronous = true) {
  SideEffect effect;
  effect.set_service_name(service);
  effect.set_command_name(method);
  effect.set_synchronous(synchronous);
  effect.mutable_payload()->set_value(Request("a"));
  return effect;
}

class RouterCrdtTest : public RouterFixture {
 protected:
  RouterCrdtTest() : RouterFixture(ServicesWithACrdt()) {}

  std::shared_ptr<FakeClient> Call(const std::string& service, const std::string& method,
                                   std::optional<absl::Time> deadline = std::nullopt) {
    return Start(service, method, Request("a"), deadline);
  }

  // What the entity has been sent on this stream.
  std::vector<CrdtStreamIn> Sent(std::size_t stream) {
    std::vector<CrdtStreamIn> all;
    for (const std::string& written : Stream(stream).written) {
      EXPECT_TRUE(all.emplace_back().ParseFromString(written));
    }
    return all;
  }
  std::vector<std::int64_t> Cancelled(std::size_t stream) {
    std::vector<std::int64_t> ids;
    for (const CrdtStreamIn& in : Sent(stream)) {
      if (in.has_stream_cancelled()) ids.push_back(in.stream_cancelled().id());
    }
    return ids;
  }

  // The CRDT entity on this stream replies to a command, which opens the call where `streamed`.
  void Reply(std::size_t stream, std::int64_t id, const ClientAction& action, bool streamed,
             const std::vector<SideEffect>& effects = {}) {
    CrdtStreamOut out;
    out.mutable_reply()->set_command_id(id);
    out.mutable_reply()->set_streamed(streamed);
    *out.mutable_reply()->mutable_client_action() = action;
    for (const SideEffect& effect : effects) *out.mutable_reply()->add_side_effects() = effect;
    Say(stream, out);
  }
  void Answer(std::size_t stream, std::int64_t id, const ClientAction& action,
              const std::vector<SideEffect>& effects = {}, bool last = false) {
    CrdtStreamOut out;
    out.mutable_streamed_message()->set_command_id(id);
    out.mutable_streamed_message()->set_end_stream(last);
    *out.mutable_streamed_message()->mutable_client_action() = action;
    for (const SideEffect& effect : effects) *out.mutable_streamed_message()->add_side_effects() = effect;
    Say(stream, out);
  }
  void AnswerCancellation(std::size_t stream, std::int64_t id, const std::vector<SideEffect>& effects) {
    CrdtStreamOut out;
    out.mutable_stream_cancelled_response()->set_command_id(id);
    for (const SideEffect& effect : effects) *out.mutable_stream_cancelled_response()->add_side_effects() = effect;
    Say(stream, out);
  }
  // The event-sourced entity on this stream replies.
  void AnswerEntity(std::size_t stream, const ClientAction& action, const std::vector<SideEffect>& effects = {},
                    std::int64_t id = 1) {
    eventsourced::EventSourcedStreamOut out;
    out.mutable_reply()->set_command_id(id);
    *out.mutable_reply()->mutable_client_action() = action;
    for (const SideEffect& effect : effects) *out.mutable_reply()->add_side_effects() = effect;
    Say(stream, out);
  }

  static void Take(FakeClient& client, testing::VirtualStrand& strand) {
    client.unsent = 0;
    client.takes = true;
    client.writable();
    strand.Run();
  }
};

TEST_F(RouterCrdtTest, AUnaryCallIsOneCommandAndOneAnswer) {
  auto client = Call("test.Shared", "Call");
  EXPECT_EQ(Stream(0).method, "/cloudstate.crdt.Crdt/handle");
  const auto sent = Sent(0);
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(sent[0].init().entity_id(), "a");
  const cloudstate::Command& command = sent[1].command();
  EXPECT_EQ(command.entity_id(), "a");
  EXPECT_EQ(command.name(), "Call");
  EXPECT_EQ(command.payload().type_url(), "type.googleapis.com/test.Request");
  EXPECT_EQ(command.payload().value(), Request("a"));
  EXPECT_FALSE(command.streamed());
  EXPECT_FALSE(command.has_metadata());
  Reply(0, 1, Message("hello"), false);
  EXPECT_THAT(client->messages, ElementsAre("hello"));
  EXPECT_EQ(client->status, absl::OkStatus());
  EXPECT_THAT(Cancelled(0), IsEmpty());
  EXPECT_THAT(reports_, IsEmpty());
  ASSERT_THAT(recorder_.traces(), SizeIs(1));
  EXPECT_EQ(recorder_.traces().front()->entity_id, "a");
}

TEST_F(RouterCrdtTest, EntitiesSeeMetadataOnlyWhenAskedFor) {
  Router passing{{.entity_metadata = EntityMetadata::kPass}, strand_, node(), recorder_, [](const std::string&) {}};
  passing.Serve(*userfunction::ParseSpecification(ServicesWithACrdt(), std::nullopt, userfunction::VersionCheck::kOn));
  serving::Call call;
  call.service = "test.Shared";
  call.method = "Call";
  call.payload = Request("a");
  call.metadata.add_entries()->set_key("x-from");
  passing.Start(std::move(call), std::make_shared<FakeClient>());
  strand_.Run();
  ASSERT_THAT(Sent(0), SizeIs(2));
  EXPECT_EQ(Sent(0)[1].command().metadata().entries(0).key(), "x-from");
  Reply(0, 1, Message("hello"), false);
}

TEST_F(RouterCrdtTest, AStreamedCallHasManyAnswersUntilItsEnd) {
  auto client = Call("test.Shared", "Watch");
  EXPECT_TRUE(Sent(0).back().command().streamed());
  Reply(0, 1, Message("one"), true);
  EXPECT_THAT(client->messages, ElementsAre("one"));
  Answer(0, 1, ClientAction());  // says nothing to the client
  Answer(0, 1, Message("two"));
  EXPECT_FALSE(client->status.has_value());
  Answer(0, 1, Message("three"), {}, true);
  EXPECT_THAT(client->messages, ElementsAre("one", "two", "three"));
  EXPECT_EQ(client->status, absl::OkStatus());
  EXPECT_THAT(Cancelled(0), IsEmpty());
  EXPECT_THAT(recorder_.traces(), SizeIs(1));
}

TEST_F(RouterCrdtTest, AReplyThatOpensNoStreamIsTheOnlyOne) {
  auto client = Call("test.Shared", "Watch");
  Reply(0, 1, Message("all there is"), false);
  EXPECT_THAT(client->messages, ElementsAre("all there is"));
  EXPECT_EQ(client->status, absl::OkStatus());
}

TEST_F(RouterCrdtTest, AFailureEndsTheCallWithItsDescription) {
  auto unary = Call("test.Shared", "Call");
  Reply(0, 1, Failure("not today"), false);
  EXPECT_EQ(unary->status, absl::UnknownError("not today"));
  auto streamed = Call("test.Shared", "Watch");
  Reply(0, 2, Message("one"), true);
  Answer(0, 2, Failure("no more"));
  EXPECT_EQ(streamed->status, absl::UnknownError("no more"));
  EXPECT_THAT(streamed->messages, ElementsAre("one"));
  Answer(0, 2, Message("for nobody"));
  EXPECT_THAT(streamed->messages, ElementsAre("one"));
}

TEST_F(RouterCrdtTest, AnAnswerWithoutAReplyToAUnaryCallIsAnErrorThatNamesIt) {
  auto client = Call("test.Shared", "Call");
  Reply(0, 1, ClientAction(), false);
  EXPECT_EQ(client->status->code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(client->status->message()), HasSubstr("test.Shared.Call"));
}

TEST_F(RouterCrdtTest, AnswersAreCarriedOutOneAfterTheOther) {
  auto client = Call("test.Shared", "Watch");
  Reply(0, 1, ForwardTo("test.One", "Call"), true, {EffectOn("test.Two", "Call")});
  Answer(0, 1, Message("second"), {}, true);
  ASSERT_THAT(connection_->streams, SizeIs(2)) << "the effect is awaited";
  AnswerEntity(1, Message("dropped"));
  ASSERT_THAT(connection_->streams, SizeIs(3));
  EXPECT_THAT(client->messages, IsEmpty());
  AnswerEntity(2, Message("from the entity"));
  EXPECT_THAT(client->messages, ElementsAre("from the entity", "second"));
  EXPECT_EQ(client->status, absl::OkStatus());
}

TEST_F(RouterCrdtTest, AnswersWaitForASlowClient) {
  auto client = Call("test.Shared", "Watch");
  client->takes = false;
  Reply(0, 1, Message("0"), true);
  std::vector<std::string> all{"0"};
  for (int i = 1; i < 200; ++i) {
    all.push_back(std::to_string(i));
    Answer(0, 1, Message(all.back()), {}, i == 199);
  }
  EXPECT_LT(client->messages.size(), 20U);
  EXPECT_FALSE(client->status.has_value());
  Take(*client, strand_);
  EXPECT_EQ(client->messages, all);
  EXPECT_EQ(client->status, absl::OkStatus());
  EXPECT_THAT(Cancelled(0), IsEmpty());
}

TEST_F(RouterCrdtTest, TooManyAnswersForASlowClientEndItsCall) {
  auto client = Call("test.Shared", "Watch");
  client->takes = false;
  Reply(0, 1, Message(""), true);
  const std::string large(kMostWaitingBytes / 8, 'x');
  for (int i = 0; i < 30 && !client->status.has_value(); ++i) Answer(0, 1, Message(large));
  ASSERT_TRUE(client->status.has_value());
  EXPECT_EQ(client->status->code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(client->status->message()), HasSubstr("test.Shared.Watch"));
  EXPECT_THAT(Cancelled(0), ElementsAre(1));
  AnswerCancellation(0, 1, {EffectOn("test.One", "Call")});
  ASSERT_THAT(connection_->streams, SizeIs(2)) << "what comes after is still done";
  AnswerEntity(1, Message("dropped"));
  EXPECT_THAT(recorder_.traces(), SizeIs(1));
}

TEST_F(RouterCrdtTest, TheEntityIsToldThatTheClientHasGoneAndWhatItAnswersIsDone) {
  auto client = Call("test.Shared", "Watch");
  Reply(0, 1, Message("one"), true);
  client->cancelled();
  strand_.Run();
  EXPECT_THAT(Cancelled(0), ElementsAre(1));
  EXPECT_THAT(recorder_.traces(), IsEmpty()) << "the call is not over yet";
  AnswerCancellation(0, 1, {EffectOn("test.One", "Call"), EffectOn("test.Two", "Call")});
  ASSERT_THAT(connection_->streams, SizeIs(2));
  AnswerEntity(1, Message("dropped"));
  ASSERT_THAT(connection_->streams, SizeIs(3));
  AnswerEntity(2, Message("dropped"));
  EXPECT_THAT(Cancelled(0), ElementsAre(1));
  EXPECT_THAT(client->messages, ElementsAre("one"));
  ASSERT_THAT(recorder_.traces(), SizeIs(1));
  EXPECT_EQ(recorder_.traces().front()->outcome.code(), absl::StatusCode::kCancelled);
}

TEST_F(RouterCrdtTest, AClientThatGoesBeforeTheFirstAnswerIsCancelledAfterIt) {
  auto client = Call("test.Shared", "Watch");
  client->cancelled();
  strand_.Run();
  EXPECT_THAT(Cancelled(0), IsEmpty());
  Reply(0, 1, Message("too late"), true, {EffectOn("test.One", "Call")});
  EXPECT_THAT(Cancelled(0), ElementsAre(1));
  ASSERT_THAT(connection_->streams, SizeIs(2));
  AnswerEntity(1, Message("dropped"));
  AnswerCancellation(0, 1, {});
  EXPECT_THAT(client->messages, IsEmpty());
  EXPECT_THAT(recorder_.traces(), SizeIs(1));
}

TEST_F(RouterCrdtTest, EffectsOfAnswersThatASlowClientNeverTookAreDone) {
  auto client = Call("test.Shared", "Watch");
  client->takes = false;
  Reply(0, 1, Message("0"), true);
  for (int i = 1; i < 20; ++i) Answer(0, 1, Message(std::to_string(i)));
  Answer(0, 1, Message("with an effect"), {EffectOn("test.One", "Call")});
  EXPECT_THAT(connection_->streams, SizeIs(1));
  client->cancelled();
  strand_.Run();
  ASSERT_THAT(connection_->streams, SizeIs(2));
  AnswerEntity(1, Message("dropped"));
  AnswerCancellation(0, 1, {});
  EXPECT_THAT(recorder_.traces(), SizeIs(1));
}

TEST_F(RouterCrdtTest, EffectsWithoutEndAreDroppedAtTheBound) {
  auto client = Call("test.Shared", "Watch");
  Reply(0, 1, Message("one"), true);
  client->cancelled();
  strand_.Run();
  SideEffect large = EffectOn("test.One", "Call");
  large.mutable_metadata()->add_entries()->set_string_value(std::string(kMostWaitingBytes / 8, 'x'));
  for (int i = 0; i < 20; ++i) Answer(0, 1, ClientAction(), {large});
  AnswerCancellation(0, 1, {EffectOn("test.Two", "Call")});
  for (int i = 1; i < 20 && recorder_.traces().empty(); ++i) AnswerEntity(1, Message("dropped"), {}, i);
  ASSERT_THAT(recorder_.traces(), SizeIs(1));
  EXPECT_THAT(connection_->streams, SizeIs(2));
  int effects = 0;
  int dropped = 0;
  for (const trace::Step& step : recorder_.traces().front()->steps) {
    if (step.kind == trace::StepKind::kEffect) ++effects;
    if (step.kind == trace::StepKind::kFailed) ++dropped;
  }
  EXPECT_THAT(effects, ::testing::AllOf(::testing::Ge(8), ::testing::Le(10)));
  EXPECT_EQ(effects + dropped, 21);
}

TEST_F(RouterCrdtTest, TheClientsDeadlineCancelsAStream) {
  auto client = Call("test.Shared", "Watch", strand_.WallTime() + absl::Seconds(5));
  Reply(0, 1, Message("one"), true);
  strand_.Advance(absl::Seconds(6));
  EXPECT_EQ(client->status->code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(Cancelled(0), ElementsAre(1));
  AnswerCancellation(0, 1, {});
}

TEST_F(RouterCrdtTest, AUnaryCallEndsAfterTheRelayTimeoutAStreamDoesNot) {
  auto streamed = Call("test.Shared", "Watch");
  Reply(0, 1, Message("one"), true);
  auto unary = Call("test.Shared", "Call");
  strand_.Advance(absl::Seconds(59));
  EXPECT_FALSE(unary->status.has_value());
  Reply(0, 2, Message("just in time"), false);
  EXPECT_THAT(unary->messages, ElementsAre("just in time"));
  auto late = Call("test.Shared", "Call");
  strand_.Advance(absl::Seconds(59));
  EXPECT_FALSE(streamed->status.has_value());
  strand_.Advance(absl::Seconds(1));
  EXPECT_EQ(late->status->code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(late->messages, IsEmpty());
}

TEST_F(RouterCrdtTest, AForwardsOutcomeIsTheClientsReply) {
  auto client = Call("test.One", "Call");
  AnswerEntity(0, ForwardTo("test.Shared", "Call"));
  Reply(1, 1, ForwardTo("test.Two", "Call"), false);
  AnswerEntity(2, Message("from two"));
  EXPECT_THAT(client->messages, ElementsAre("from two"));
  EXPECT_EQ(client->status, absl::OkStatus());
}

TEST_F(RouterCrdtTest, TheFirstReplyOfAStreamAnswersAUnaryCallThatWasForwarded) {
  auto client = Call("test.One", "Call");
  AnswerEntity(0, ForwardTo("test.Shared", "Watch"));
  EXPECT_TRUE(Sent(1).back().command().streamed());
  Reply(1, 1, Message("first"), true);
  EXPECT_THAT(client->messages, ElementsAre("first"));
  EXPECT_EQ(client->status, absl::OkStatus());
  EXPECT_THAT(Cancelled(1), ElementsAre(1));
  AnswerCancellation(1, 1, {EffectOn("test.Two", "Call")});
  EXPECT_THAT(connection_->streams, SizeIs(3));
}

TEST_F(RouterCrdtTest, AStreamMayForwardIntoTheStreamOfAnAction) {
  auto client = Call("test.Shared", "Watch");
  Reply(0, 1, ForwardTo("test.Act", "Out"), true);
  action::ActionResponse response;
  *response.mutable_reply() = Message("from the action").reply();
  Say(1, response);
  Say(1, response);
  Answer(0, 1, Message("from the entity"));
  EXPECT_THAT(client->messages, ElementsAre("from the action", "from the action"));
  End(1);
  EXPECT_THAT(client->messages, ElementsAre("from the action", "from the action", "from the entity"));
  client->cancelled();
  strand_.Run();
  AnswerCancellation(0, 1, {});
}

TEST_F(RouterCrdtTest, AUnaryForwardFromAStreamHasTheRelayTimeout) {
  auto client = Call("test.Act", "Out");
  action::ActionResponse response;
  *response.mutable_forward() = ForwardTo("test.Shared", "Call").forward();
  Say(0, response);
  ASSERT_THAT(Sent(1), SizeIs(2));
  strand_.Advance(absl::Seconds(59));
  EXPECT_FALSE(client->status.has_value());
  strand_.Advance(absl::Seconds(1));
  ASSERT_TRUE(client->status.has_value());
  EXPECT_FALSE(client->status->ok());
  EXPECT_THAT(client->messages, IsEmpty());
}

TEST_F(RouterCrdtTest, ASynchronousEffectIsAwaitedBeforeTheReply) {
  auto client = Call("test.One", "Call");
  AnswerEntity(0, Message("hello"), {EffectOn("test.Shared", "Call")});
  EXPECT_FALSE(client->status.has_value());
  Reply(1, 1, Message("dropped"), false);
  EXPECT_THAT(client->messages, ElementsAre("hello"));
}

TEST_F(RouterCrdtTest, AnEffectThatStreamsGoesOnWithoutTheClientUntilTheRelayTimeout) {
  auto client = Call("test.One", "Call");
  AnswerEntity(0, Message("hello"), {EffectOn("test.Shared", "Watch", false)});
  EXPECT_EQ(client->status, absl::OkStatus());
  Reply(1, 1, Message("dropped"), true);
  Answer(1, 1, Message("dropped as well"));
  strand_.Advance(absl::Seconds(59));
  EXPECT_THAT(Cancelled(1), IsEmpty());
  strand_.Advance(absl::Seconds(1));
  EXPECT_THAT(Cancelled(1), ElementsAre(1));
  EXPECT_THAT(recorder_.traces(), IsEmpty());
  AnswerCancellation(1, 1, {});
  EXPECT_THAT(recorder_.traces(), SizeIs(1));
}

TEST_F(RouterCrdtTest, TheEndOfANodesLifeEndsItsCallsAndLeavesNothingBehind) {
  auto open = Call("test.Shared", "Watch");
  Reply(0, 1, Message("one"), true);
  auto unanswered = Call("test.Shared", "Call");
  auto caused = Call("test.Act", "Unary");
  action::ActionResponse response;
  *response.mutable_reply() = Message("hello").reply();
  *response.add_side_effects() = EffectOn("test.Shared", "Watch", false);
  Say(1, response);
  End(1);
  EXPECT_THAT(recorder_.traces(), IsEmpty());
  node().Kill();
  strand_.Run();
  EXPECT_EQ(open->status->code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(unanswered->status->code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(caused->status, absl::OkStatus());
  EXPECT_THAT(recorder_.traces(), SizeIs(3)) << "something still keeps a call";
}

TEST_F(RouterCrdtTest, CallsEndWhenTheUserFunctionGoes) {
  auto open = Call("test.Shared", "Watch");
  Reply(0, 1, Message("one"), true);
  auto unanswered = Call("test.Shared", "Call");
  router_.Suspend(absl::UnavailableError("lost"));
  cluster_.Disconnect(absl::UnavailableError("lost"));
  strand_.Run();
  EXPECT_EQ(open->status, absl::UnavailableError("lost"));
  EXPECT_EQ(unanswered->status, absl::UnavailableError("lost"));
  EXPECT_THAT(recorder_.traces(), SizeIs(2));
}

}  // namespace
}  // namespace cloudstate::routing
