#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cloudstate/action.pb.h"
#include "cloudstate/event_sourced.pb.h"
#include "tests/unit/router_fixture.h"

namespace cloudstate::routing {
namespace {

using action::ActionCommand;
using action::ActionResponse;
using cloudstate::testing::Request;
using cloudstate::testing::ServicesWithAnAction;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RouterActionTest : public RouterFixture {
 protected:
  RouterActionTest() : RouterFixture(ServicesWithAnAction()) {}

  std::shared_ptr<FakeClient> Call(const std::string& service, const std::string& method,
                                   std::optional<absl::Time> deadline = std::nullopt) {
    const bool streamed = method == "In" || method == "Both";
    return Start(service, method, streamed ? std::nullopt : std::optional(Request("a")), deadline);
  }

  void Send(FakeClient& client, std::optional<std::string> message) {
    client.Send(std::move(message));
    strand_.Run();
  }

  ActionCommand Sent(std::size_t stream, std::size_t index) {
    ActionCommand command;
    EXPECT_TRUE(command.ParseFromString(Stream(stream).written.at(index)));
    return command;
  }

  void Answer(std::size_t stream, const ActionResponse& response) { Say(stream, response); }

  // The entity on this stream replies to its first command.
  void AnswerEntity(std::size_t stream, const std::string& text) {
    eventsourced::EventSourcedStreamOut out;
    out.mutable_reply()->set_command_id(1);
    out.mutable_reply()->mutable_client_action()->mutable_reply()->mutable_payload()->set_value(text);
    Say(stream, out);
  }

  static EntitySpec ServicesWithAFunction() {
    EntitySpec spec = ServicesWithAnAction();
    spec.mutable_service_info()->set_protocol_minor_version(1);
    spec.mutable_entities(2)->set_entity_type("cloudstate.function.StatelessFunction");
    return spec;
  }

  static ActionResponse Reply(const std::string& text) {
    ActionResponse response;
    auto& payload = *response.mutable_reply()->mutable_payload();
    payload.set_type_url("type.googleapis.com/test.Response");
    payload.set_value(text);
    return response;
  }

  static ActionResponse ForwardTo(const std::string& service, const std::string& method) {
    ActionResponse response;
    response.mutable_forward()->set_service_name(service);
    response.mutable_forward()->set_command_name(method);
    response.mutable_forward()->mutable_payload()->set_value(Request("a"));
    return response;
  }

  static void AddEffect(ActionResponse& response, const std::string& service, const std::string& method,
                        bool synchronous) {
    auto& effect = *response.add_side_effects();
    effect.set_service_name(service);
    effect.set_command_name(method);
    effect.set_synchronous(synchronous);
    effect.mutable_payload()->set_value(Request("a"));
  }
};

TEST_F(RouterActionTest, AUnaryCallIsOneCommandWithMetadataAndOneResponse) {
  auto client = Call("test.Act", "Unary");
  EXPECT_EQ(Stream(0).method, "/cloudstate.action.ActionProtocol/handleUnary");
  EXPECT_TRUE(Stream(0).half_closed);
  ASSERT_THAT(Stream(0).written, SizeIs(1));
  const ActionCommand command = Sent(0, 0);
  EXPECT_EQ(command.service_name(), "test.Act");
  EXPECT_EQ(command.name(), "Unary");
  EXPECT_EQ(command.payload().type_url(), "type.googleapis.com/test.Request");
  EXPECT_EQ(command.payload().value(), Request("a"));
  EXPECT_EQ(command.metadata().entries(0).string_value(), "client");
  Answer(0, Reply("hello"));
  EXPECT_FALSE(client->status.has_value()) << "the call has not ended well yet";
  End(0);
  EXPECT_THAT(client->messages, ElementsAre("hello"));
  EXPECT_EQ(client->status, absl::OkStatus());
  EXPECT_THAT(reports_, IsEmpty());
}

TEST_F(RouterActionTest, AStreamInBeginsWithACommandWithoutPayloadAndEndsWithTheClients) {
  auto client = Call("test.Act", "In");
  EXPECT_EQ(Stream(0).method, "/cloudstate.action.ActionProtocol/handleStreamedIn");
  Send(*client, Request("a"));
  Send(*client, Request("b"));
  EXPECT_FALSE(Stream(0).half_closed);
  Send(*client, std::nullopt);
  EXPECT_TRUE(Stream(0).half_closed);
  ASSERT_THAT(Stream(0).written, SizeIs(3));
  EXPECT_EQ(Sent(0, 0).name(), "In");
  EXPECT_FALSE(Sent(0, 0).has_payload());
  EXPECT_EQ(Sent(0, 0).metadata().entries_size(), 1);
  EXPECT_EQ(Sent(0, 2).payload().value(), Request("b"));
  EXPECT_EQ(Sent(0, 2).name(), "");
  Answer(0, Reply("sum"));
  End(0);
  EXPECT_THAT(client->messages, ElementsAre("sum"));
}

TEST_F(RouterActionTest, AStreamOutIsPassedOnAsItComes) {
  auto client = Call("test.Act", "Out");
  EXPECT_EQ(Stream(0).method, "/cloudstate.action.ActionProtocol/handleStreamedOut");
  Answer(0, Reply("one"));
  EXPECT_THAT(client->messages, ElementsAre("one"));
  Answer(0, ActionResponse());  // says nothing to the client
  Answer(0, Reply("two"));
  EXPECT_FALSE(client->status.has_value());
  End(0);
  EXPECT_THAT(client->messages, ElementsAre("one", "two"));
  EXPECT_EQ(client->status, absl::OkStatus());
}

TEST_F(RouterActionTest, BothWaysAtOnce) {
  auto client = Call("test.Act", "Both");
  EXPECT_EQ(Stream(0).method, "/cloudstate.action.ActionProtocol/handleStreamed");
  Send(*client, Request("a"));
  Answer(0, Reply("one"));
  Send(*client, Request("b"));
  Answer(0, Reply("two"));
  Send(*client, std::nullopt);
  End(0);
  EXPECT_THAT(client->messages, ElementsAre("one", "two"));
}

TEST_F(RouterActionTest, TheOlderDialectCallsItAFunctionAndHasNoMetadata) {
  Serve(ServicesWithAFunction());
  Call("test.Act", "Unary");
  EXPECT_EQ(Stream(0).method, "/cloudstate.function.StatelessFunction/handleUnary");
  EXPECT_FALSE(Sent(0, 0).has_metadata());
}

TEST_F(RouterActionTest, EachMessageToAFunctionIsAWholeCommand) {
  Serve(ServicesWithAFunction());
  auto client = Call("test.Act", "Both");
  EXPECT_EQ(Stream(0).method, "/cloudstate.function.StatelessFunction/handleStreamed");
  EXPECT_THAT(Stream(0).written, IsEmpty()) << "nothing goes ahead of the client's messages";
  for (const char* text : {"a", "b"}) Send(*client, Request(text));
  Send(*client, std::nullopt);
  EXPECT_TRUE(Stream(0).half_closed);
  ASSERT_THAT(Stream(0).written, SizeIs(2));
  for (const std::size_t index : {0, 1}) {
    EXPECT_EQ(Sent(0, index).service_name(), "test.Act");
    EXPECT_EQ(Sent(0, index).name(), "Both");
    EXPECT_FALSE(Sent(0, index).has_metadata());
  }
  EXPECT_EQ(Sent(0, 0).payload().value(), Request("a"));
  EXPECT_EQ(Sent(0, 1).payload().value(), Request("b"));
}

TEST_F(RouterActionTest, AFailureEndsTheClientsStreamAndCancelsTheUserFunctions) {
  auto client = Call("test.Act", "Out");
  Answer(0, Reply("one"));
  ActionResponse failure;
  failure.mutable_failure()->set_description("no more");
  Answer(0, failure);
  EXPECT_EQ(client->status, absl::UnknownError("no more"));
  EXPECT_TRUE(Stream(0).destroyed);
}

TEST_F(RouterActionTest, AClientThatGoesAwayCancelsTheUserFunctionsCall) {
  auto client = Call("test.Act", "Both");
  client->cancelled();
  strand_.Run();
  EXPECT_TRUE(Stream(0).destroyed);
  EXPECT_FALSE(Stream(0).half_closed);
  ASSERT_THAT(recorder_.traces(), SizeIs(1));
  EXPECT_EQ(recorder_.traces().front()->outcome.code(), absl::StatusCode::kCancelled);
}

TEST_F(RouterActionTest, TheUserFunctionIsToldTheClientsDeadline) {
  auto client = Call("test.Act", "Out", strand_.WallTime() + absl::Seconds(5));
  EXPECT_EQ(Stream(0).timeout, absl::Seconds(5));
  strand_.Advance(absl::Seconds(6));
  EXPECT_EQ(client->status->code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(Stream(0).destroyed);
}

TEST_F(RouterActionTest, AUnaryCallEndsAfterTheRelayTimeoutAStreamDoesNot) {
  auto unary = Call("test.Act", "Unary");
  auto stream = Call("test.Act", "Out");
  strand_.Advance(absl::Seconds(61));
  EXPECT_EQ(unary->status->code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(Stream(0).destroyed);
  EXPECT_FALSE(stream->status.has_value());
}

TEST_F(RouterActionTest, TheRelayTimeoutOfAStreamInBeginsWithItsLastMessage) {
  auto client = Call("test.Act", "In");
  strand_.Advance(absl::Seconds(100));
  EXPECT_FALSE(client->status.has_value());
  Send(*client, std::nullopt);
  strand_.Advance(absl::Seconds(61));
  EXPECT_EQ(client->status->code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(RouterActionTest, ASlowClientHoldsUpTheUserFunction) {
  auto client = Call("test.Act", "Out");
  client->takes = false;
  int answered = 0;
  while (!Stream(0).paused && answered < 100) Answer(0, Reply(std::to_string(++answered)));
  EXPECT_LT(answered, 20);
  Answer(0, Reply("the one that may still come"));
  client->unsent = 0;
  client->takes = true;
  client->writable();
  strand_.Run();
  EXPECT_FALSE(Stream(0).paused);
  End(0);
  EXPECT_THAT(client->messages, SizeIs(answered + 1));
  EXPECT_EQ(client->messages.back(), "the one that may still come");
  EXPECT_EQ(client->status, absl::OkStatus());
}

TEST_F(RouterActionTest, ASlowUserFunctionHoldsUpTheClient) {
  auto client = Call("test.Act", "In");
  Stream(0).unsent = 1000;
  Send(*client, Request("a"));
  EXPECT_FALSE(client->read) << "the next message was asked for";
  Stream(0).unsent = 0;
  Stream(0).handler.on_writable();
  EXPECT_TRUE(client->read);
}

TEST_F(RouterActionTest, ResponsesOfAStreamAreCarriedOutOneAfterTheOther) {
  auto client = Call("test.Act", "Out");
  ActionResponse first = ForwardTo("test.One", "Call");
  AddEffect(first, "test.Two", "Call", true);
  Answer(0, first);
  EXPECT_TRUE(Stream(0).paused);
  Answer(0, Reply("second"));
  End(0);
  ASSERT_THAT(connection_->streams, SizeIs(2)) << "the effect is awaited";
  AnswerEntity(1, "dropped");
  ASSERT_THAT(connection_->streams, SizeIs(3));
  EXPECT_THAT(client->messages, IsEmpty());
  AnswerEntity(2, "from the entity");
  EXPECT_THAT(client->messages, ElementsAre("from the entity", "second"));
  EXPECT_EQ(client->status, absl::OkStatus());
}

TEST_F(RouterActionTest, AnEntityForwardsToAStreamAndItsFirstReplyIsTheAnswer) {
  auto client = Call("test.One", "Call");
  eventsourced::EventSourcedStreamOut out;
  out.mutable_reply()->set_command_id(1);
  *out.mutable_reply()->mutable_client_action()->mutable_forward() = ForwardTo("test.Act", "Out").forward();
  Say(0, out);
  Answer(1, Reply("first"));
  EXPECT_THAT(client->messages, ElementsAre("first"));
  EXPECT_EQ(client->status, absl::OkStatus());
  EXPECT_TRUE(Stream(1).destroyed);
}

TEST_F(RouterActionTest, AnEffectOnAStreamGetsItsOneMessageAndRunsToItsEnd) {
  auto client = Call("test.Act", "Unary");
  ActionResponse response = Reply("done");
  AddEffect(response, "test.Act", "Both", true);
  Answer(0, response);
  End(0);
  EXPECT_FALSE(client->status.has_value());
  ASSERT_THAT(Stream(1).written, SizeIs(2));
  EXPECT_EQ(Sent(1, 1).payload().value(), Request("a"));
  EXPECT_TRUE(Stream(1).half_closed);
  EXPECT_EQ(Stream(1).timeout, absl::Seconds(60));
  Answer(1, Reply("dropped"));
  End(1);
  EXPECT_THAT(client->messages, ElementsAre("done"));
}

TEST_F(RouterActionTest, WhatAClientNoLongerWaitsForStillHasItsEffects) {
  auto client = Call("test.Act", "Unary");
  ActionResponse response = Reply("done");
  AddEffect(response, "test.Act", "Out", true);
  Answer(0, response);
  End(0);
  client->cancelled();
  strand_.Run();
  EXPECT_FALSE(Stream(1).destroyed);
  End(1);
  ASSERT_THAT(recorder_.traces(), SizeIs(1));
}

TEST_F(RouterActionTest, AUnaryCallWithoutAReplyIsAnErrorThatNamesIt) {
  auto client = Call("test.Act", "Unary");
  Answer(0, ActionResponse());
  End(0);
  EXPECT_EQ(client->status->code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(client->status->message()), HasSubstr("test.Act.Unary"));
}

TEST_F(RouterActionTest, WhatBreaksTheProtocolEndsTheCall) {
  auto no_message = Call("test.Act", "Unary");
  Stream(0).handler.on_message("\xff");
  strand_.Run();
  EXPECT_EQ(no_message->status, absl::UnknownError("Unexpected action message"));
  auto no_response = Call("test.Act", "Unary");
  End(1);
  EXPECT_THAT(no_response->status->ToString(), HasSubstr("UNKNOWN: Unexpected action termination"));
  auto two_responses = Call("test.Act", "Unary");
  Answer(2, Reply("one"));
  Answer(2, Reply("two"));
  EXPECT_THAT(two_responses->status->ToString(), HasSubstr("a second response"));
  auto broken = Call("test.Act", "Out");
  End(3, absl::InternalError("it threw"));
  EXPECT_THAT(broken->status->ToString(), HasSubstr("UNKNOWN: Unexpected action termination: INTERNAL: it threw"));
  auto gone = Call("test.Act", "Out");
  End(4, absl::UnavailableError("the connection was lost"));
  EXPECT_EQ(gone->status, absl::UnavailableError("the connection was lost"));
}

TEST_F(RouterActionTest, CommandsOfActionsAreCounted) {
  Call("test.Act", "Unary");
  Answer(0, Reply("hello"));
  End(0);
  const trace::EntityMetrics& metrics = node().metrics().actions.at("test.Act");
  EXPECT_EQ(metrics.received_commands, 1u);
  EXPECT_EQ(metrics.completed_commands, 1u);
  EXPECT_EQ(metrics.failed_commands, 0u);
}

TEST_F(RouterActionTest, AForwardIntoAStreamAfterTheClientHasGoneIsNotCalled) {
  auto client = Call("test.Act", "Out");
  ActionResponse first = ForwardTo("test.Act", "Out");
  AddEffect(first, "test.One", "Call", true);
  Answer(0, first);
  client->cancelled();
  strand_.Run();
  EXPECT_TRUE(Stream(0).destroyed);
  AnswerEntity(1, "dropped");  // the effect is over
  EXPECT_THAT(connection_->streams, SizeIs(2));
  EXPECT_THAT(recorder_.traces(), SizeIs(1)) << "the call never ends";
}

TEST_F(RouterActionTest, WhatAClientLeavesBehindIsDestroyedOnTheStrand) {
  auto client = Call("test.Act", "Out");
  client->takes = false;
  while (!Stream(0).paused) Answer(0, Reply("x"));
  client->cancelled();
  strand_.Run();
  EXPECT_THAT(recorder_.traces(), SizeIs(1)) << "the call's last reference is not the strand's";
  client->writable = nullptr;  // HttpAnswer::Abandon lets go of it on the io thread
  EXPECT_THAT(recorder_.traces(), SizeIs(1));
}

TEST_F(RouterActionTest, ManySynchronousEffectsThatFailAtOnceTakeNoStack) {
  auto client = Call("test.Act", "Unary");
  ActionResponse response = Reply("done");
  for (int i = 0; i < 50'000; ++i) AddEffect(response, "no.Service", "Call", true);
  Answer(0, response);
  End(0);
  EXPECT_THAT(client->messages, ElementsAre("done"));
}

TEST_F(RouterActionTest, AForwardThatGaveTheOneReplyHasNotFailed) {
  auto client = Call("test.One", "Call");
  eventsourced::EventSourcedStreamOut out;
  out.mutable_reply()->set_command_id(1);
  *out.mutable_reply()->mutable_client_action()->mutable_forward() = ForwardTo("test.Act", "Out").forward();
  Say(0, out);
  Answer(1, ForwardTo("test.Act", "Unary"));
  Answer(2, Reply("first"));
  End(2);
  EXPECT_THAT(client->messages, ElementsAre("first"));
  EXPECT_EQ(node().metrics().actions.at("test.Act").failed_commands, 0u);
}

TEST_F(RouterActionTest, AUnaryForwardFromAStreamHasTheRelayTimeout) {
  auto client = Call("test.Act", "Out");
  Answer(0, ForwardTo("test.Act", "Unary"));
  EXPECT_EQ(Stream(1).timeout, absl::Seconds(60));
}

}  // namespace
}  // namespace cloudstate::routing
