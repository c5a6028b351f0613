// What a conformance kit checks of a proxy for event-sourced entities, with the real program between a client and the
// model, and an interceptor before the model that compares whole messages.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cloudstate/event_sourced.pb.h"
#include "google/protobuf/util/json_util.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "samples/cpp/tck_model.h"
#include "tests/conformance/model_client.h"
#include "tests/support/emulator_process.h"
#include "tests/support/http_client.h"
#include "tests/support/interceptor.h"

namespace cloudstate {
namespace {

using eventsourced::EventSourcedStreamIn;
using eventsourced::EventSourcedStreamOut;
using support::Cancelled;
using support::HalfClosed;
using support::Seen;
using support::StreamFinished;
using tck::model::Persisted;
using tck::model::Response;
using testing::Ask;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kConfigured;
using testing::kModel;
using testing::kTwo;
using testing::ModelClient;
using testing::Outcome;
using ::testing::UnorderedElementsAre;

// ---- the messages of the protocol, as they must look on the stream

Persisted PersistedOf(const std::string& value) {
  Persisted persisted;
  persisted.set_value(value);
  return persisted;
}

EventSourcedStreamIn InitMessage(const std::string& service, const std::string& id) {
  EventSourcedStreamIn in;
  in.mutable_init()->set_service_name(service);
  in.mutable_init()->set_entity_id(id);
  return in;
}

Seen Init(std::size_t stream, const std::string& service, const std::string& id) {
  return support::ToUserFunction(stream, InitMessage(service, id));
}

Seen InitWithSnapshot(std::size_t stream, const std::string& id, std::int64_t sequence, const std::string& value) {
  EventSourcedStreamIn in = InitMessage(kModel, id);
  in.mutable_init()->mutable_snapshot()->set_snapshot_sequence(sequence);
  in.mutable_init()->mutable_snapshot()->mutable_snapshot()->PackFrom(PersistedOf(value));
  return support::ToUserFunction(stream, in);
}

Seen Event(std::size_t stream, std::int64_t sequence, const std::string& value) {
  EventSourcedStreamIn in;
  in.mutable_event()->set_sequence(sequence);
  in.mutable_event()->mutable_payload()->PackFrom(PersistedOf(value));
  return support::ToUserFunction(stream, in);
}

Seen Command(std::size_t stream, std::int64_t id, const std::string& name, const tck::model::Request& request) {
  EventSourcedStreamIn in;
  in.mutable_command()->set_entity_id(request.id());
  in.mutable_command()->set_id(id);
  in.mutable_command()->set_name(name);
  in.mutable_command()->mutable_payload()->PackFrom(request);
  return support::ToUserFunction(stream, in);
}

tck::model::Request RequestFor(const std::string& id) { return Ask(id); }

// What the model answers, to be completed: Answer(1).Events({"a"}).Reply("a").On(stream).
class Answer {
 public:
  explicit Answer(std::int64_t command_id) { reply().set_command_id(command_id); }

  Answer& Reply(const std::string& text) {
    Response response;
    response.set_message(text);
    reply().mutable_client_action()->mutable_reply()->mutable_payload()->PackFrom(response);
    return *this;
  }
  Answer& Forward(const std::string& id) {
    cloudstate::Forward& forward = *reply().mutable_client_action()->mutable_forward();
    forward.set_service_name(kTwo);
    forward.set_command_name("Call");
    forward.mutable_payload()->PackFrom(RequestFor(id));
    return *this;
  }
  Answer& Fail(const std::string& description, bool restart) {
    Failure& failure = *reply().mutable_client_action()->mutable_failure();
    failure.set_command_id(reply().command_id());
    failure.set_description(description);
    failure.set_restart(restart);
    return *this;
  }
  Answer& Effect(const std::string& id, bool synchronous) {
    SideEffect& effect = *reply().add_side_effects();
    effect.set_service_name(kTwo);
    effect.set_command_name("Call");
    effect.mutable_payload()->PackFrom(RequestFor(id));
    effect.set_synchronous(synchronous);
    return *this;
  }
  Answer& Events(const std::vector<std::string>& values) {
    for (const std::string& value : values) reply().add_events()->PackFrom(PersistedOf(value));
    return *this;
  }
  Answer& Snapshot(const std::string& value) {
    reply().mutable_snapshot()->PackFrom(PersistedOf(value));
    return *this;
  }
  Seen On(std::size_t stream) const { return support::FromUserFunction(stream, out_); }

 private:
  eventsourced::EventSourcedReply& reply() { return *out_.mutable_reply(); }

  EventSourcedStreamOut out_;
};

// ---- the set-up

class EventSourcedConformance : public ::testing::Test {
 protected:
  void SetUp() override {
    auto model = samples::StartTckModel("127.0.0.1:0");
    ASSERT_TRUE(model.ok()) << model.status();
    model_ = *std::move(model);
    interceptor_ = support::Interceptor::Start(absl::StrCat("127.0.0.1:", model_->port()));
    emulator_.emplace(support::EmulatorProcess::Options{{"--user-function", interceptor_->address()}, {}});
    ASSERT_TRUE(emulator_->WaitUntilReady()) << emulator_->process().errors();
    client_.emplace(emulator_->client_address());
  }

  // Whatever a case does, nothing but what it expected may pass.
  void TearDown() override {
    if (interceptor_ == nullptr) return;
    EXPECT_THAT(interceptor_->TakeLeftOver(), IsEmpty());
    EXPECT_THAT(interceptor_->errors(), IsEmpty());
  }

  void ExpectMessages(const std::vector<Seen>& expected) { EXPECT_EQ(interceptor_->Take(expected.size()), expected); }

  void ExpectReply(const Outcome& outcome, const std::string& message) {
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.error_message();
    EXPECT_EQ(outcome.message, message);
  }

  void ExpectFailure(const Outcome& outcome, const std::string& text) {
    EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNKNOWN);
    EXPECT_EQ(outcome.status.error_message(), text);
  }

  std::unique_ptr<samples::UserFunctionServer> model_;
  std::unique_ptr<support::Interceptor> interceptor_;
  std::optional<support::EmulatorProcess> emulator_;
  std::optional<ModelClient> client_;
};

// ---- discovery and reflection

TEST_F(EventSourcedConformance, TheProxyIntroducesItself) {
  const std::vector<ProxyInfo> discoveries = interceptor_->discoveries();
  ASSERT_EQ(discoveries.size(), 1u);
  const ProxyInfo& info = discoveries.front();
  EXPECT_EQ(info.protocol_major_version(), 0);
  EXPECT_EQ(info.protocol_minor_version(), 2);
  EXPECT_EQ(info.proxy_name(), "cloudstate-dev");
  EXPECT_FALSE(info.proxy_version().empty());
  EXPECT_THAT(info.supported_entity_types(),
              UnorderedElementsAre("cloudstate.crdt.Crdt", "cloudstate.action.ActionProtocol",
                                   "cloudstate.eventsourced.EventSourced", "cloudstate.valueentity.ValueEntity"));
}

TEST_F(EventSourcedConformance, ServicesAreThoseThatWereDeclared) {
  const support::HttpAnswer answer = support::Http(emulator_->admin_address(), "GET", "/v1/services");
  dev::v1::ListServicesResponse services;
  google::protobuf::util::JsonParseOptions lenient;
  lenient.ignore_unknown_fields = true;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(answer.body, &services, lenient).ok()) << answer.body;
  std::vector<std::string> declared;
  for (const dev::v1::Service& service : services.services()) {
    if (service.entity_type() != "cloudstate.eventsourced.EventSourced") continue;
    declared.push_back(
        absl::StrCat(service.name(), " ", service.persistence_id(), " ",
                     service.passivation_timeout().seconds() * 1000 + service.passivation_timeout().nanos() / 1000000,
                     " ", service.methods_size(), " ", service.methods(0).name()));
  }
  EXPECT_THAT(declared, UnorderedElementsAre(absl::StrCat(kModel, " event-sourced-tck-model 30000 1 Process"),
                                             absl::StrCat(kTwo, " event-sourced-two 30000 1 Call"),
                                             absl::StrCat(kConfigured, " event-sourced-configured 100 1 Call")));
}

TEST_F(EventSourcedConformance, AProbeIsAnsweredOnTheClientPort) {
  const support::HttpAnswer ready =
      support::Http(emulator_->client_address(), "GET", "/", "", "K-Network-Probe: queue\r\n");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(ready.body, "queue");
  const support::HttpAnswer other =
      support::Http(emulator_->client_address(), "GET", "/", "", "K-Network-Probe: v\r\n");
  EXPECT_EQ(other.status, 400);
  EXPECT_EQ(other.body, "unexpected probe header value: v");
}

TEST_F(EventSourcedConformance, ReflectionListsItselfThenTheServicesAndKnowsNothingElse) {
  using grpc::reflection::v1alpha::ServerReflection;
  using grpc::reflection::v1alpha::ServerReflectionRequest;
  using grpc::reflection::v1alpha::ServerReflectionResponse;
  const auto stub = ServerReflection::NewStub(client_->channel());
  grpc::ClientContext context;
  const auto stream = stub->ServerReflectionInfo(&context);
  for (const char* argument : {"", "*", "whatever"}) {
    ServerReflectionRequest request;
    request.set_list_services(argument);
    ServerReflectionResponse response;
    ASSERT_TRUE(stream->Write(request) && stream->Read(&response));
    std::vector<std::string> names;
    for (const auto& service : response.list_services_response().service()) names.push_back(service.name());
    ASSERT_THAT(names, ::testing::SizeIs(12));
    EXPECT_EQ(names.front(), "grpc.reflection.v1alpha.ServerReflection");
    EXPECT_THAT(names, ::testing::IsSupersetOf({kConfigured, kModel, kTwo}));
    EXPECT_TRUE(std::ranges::is_sorted(names.begin() + 1, names.end()));
  }
  ServerReflectionRequest unknown;
  unknown.set_file_containing_symbol("no.such.Symbol");
  ServerReflectionResponse response;
  ASSERT_TRUE(stream->Write(unknown) && stream->Read(&response));
  EXPECT_TRUE(response.has_file_descriptor_response());
  EXPECT_EQ(response.file_descriptor_response().file_descriptor_proto_size(), 0);
  EXPECT_EQ(response.original_request().file_containing_symbol(), "no.such.Symbol");
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

// ---- commands

TEST_F(EventSourcedConformance, StateChangesWithExactMessages) {
  const Ask nothing("state");
  const Ask one = Ask("state").Emit("a");
  const Ask two = Ask("state").Emit("b").Emit("c");
  ExpectReply(client_->Process(nothing), "");
  ExpectReply(client_->Process(one), "a");
  ExpectReply(client_->Process(two), "abc");
  ExpectReply(client_->Process(nothing), "abc");
  ExpectMessages({Init(0, kModel, "state"), Command(0, 1, "Process", nothing), Answer(1).Reply("").On(0),
                  Command(0, 2, "Process", one), Answer(2).Events({"a"}).Reply("a").On(0),
                  Command(0, 3, "Process", two), Answer(3).Events({"b", "c"}).Reply("abc").On(0),
                  Command(0, 4, "Process", nothing), Answer(4).Reply("abc").On(0)});
}

TEST_F(EventSourcedConformance, AClientsHeadersDoNotReachAnEntity) {
  const auto stub = tck::model::EventSourcedTckModel::NewStub(client_->channel());
  grpc::ClientContext context;
  context.AddMetadata("x-header", "value");
  Response response;
  ASSERT_TRUE(stub->Process(&context, Ask("headers"), &response).ok());
  ExpectMessages({Init(0, kModel, "headers"), Command(0, 1, "Process", Ask("headers")), Answer(1).Reply("").On(0)});
}

TEST_F(EventSourcedConformance, SnapshotsAreTakenAndUsedAtReplay) {
  const Ask four = Ask("snapshot").Emit("a").Emit("b").Emit("c").Emit("d");
  const Ask two = Ask("snapshot").Emit("e").Emit("f");
  const Ask nothing("snapshot");
  ExpectReply(client_->Process(four), "abcd");
  ExpectReply(client_->Process(two), "abcdef");
  ExpectMessages({Init(0, kModel, "snapshot"), Command(0, 1, "Process", four),
                  Answer(1).Events({"a", "b", "c", "d"}).Reply("abcd").On(0), Command(0, 2, "Process", two),
                  Answer(2).Events({"e", "f"}).Snapshot("abcdef").Reply("abcdef").On(0)});
  const Ask failing = Ask("snapshot").Emit("g").Fail("to start anew");
  ExpectReply(client_->Process(Ask("snapshot").Emit("h")), "abcdefh");
  ExpectFailure(client_->Process(failing), "to start anew");
  ExpectReply(client_->Process(nothing), "abcdefh");
  ExpectMessages({Command(0, 3, "Process", Ask("snapshot").Emit("h")), Answer(3).Events({"h"}).Reply("abcdefh").On(0),
                  Command(0, 4, "Process", failing), Answer(4).Fail("to start anew", true).On(0), HalfClosed(0),
                  StreamFinished(0), InitWithSnapshot(1, "snapshot", 6, "abcdef"), Event(1, 7, "h"),
                  Command(1, 1, "Process", nothing), Answer(1).Reply("abcdefh").On(1)});
}

TEST_F(EventSourcedConformance, AForwardsOutcomeIsTheReply) {
  const Ask forwarding = Ask("forward").Emit("a").Forward("other");
  ExpectReply(client_->Process(forwarding), "");
  ExpectMessages({Init(0, kModel, "forward"), Command(0, 1, "Process", forwarding),
                  Answer(1).Events({"a"}).Forward("other").On(0), Init(1, kTwo, "other"),
                  Command(1, 1, "Call", Ask("other")), Answer(1).Reply("").On(1)});
}

TEST_F(EventSourcedConformance, EffectsReachTheirEntityInOrder) {
  const Ask request = Ask("effects").Emit("a").Effect("other", false).Effect("other", false);
  ExpectReply(client_->Process(request), "a");
  ExpectMessages({Init(0, kModel, "effects"), Command(0, 1, "Process", request),
                  Answer(1).Events({"a"}).Reply("a").Effect("other", false).Effect("other", false).On(0),
                  Init(1, kTwo, "other"), Command(1, 1, "Call", Ask("other")), Answer(1).Reply("").On(1),
                  Command(1, 2, "Call", Ask("other")), Answer(2).Reply("").On(1)});
}

TEST_F(EventSourcedConformance, SynchronousEffectsEndBeforeTheReplyIsDelivered) {
  const Ask request = Ask("effects").Effect("first", true).Effect("second", true).Forward("third");
  ExpectReply(client_->Process(request), "");
  // In strict order, although each is on a stream of its own.
  ExpectMessages({Init(0, kModel, "effects"), Command(0, 1, "Process", request),
                  Answer(1).Forward("third").Effect("first", true).Effect("second", true).On(0), Init(1, kTwo, "first"),
                  Command(1, 1, "Call", Ask("first")), Answer(1).Reply("").On(1), Init(2, kTwo, "second"),
                  Command(2, 1, "Call", Ask("second")), Answer(1).Reply("").On(2), Init(3, kTwo, "third"),
                  Command(3, 1, "Call", Ask("third")), Answer(1).Reply("").On(3)});
}

TEST_F(EventSourcedConformance, AFailuresTextIsVerbatimAndTheStreamIsKept) {
  const std::string text = "100 % wrong: \"häßlich\"\tand\nmore";
  const Ask failing = Ask("failure").Effect("never", false).Fail(text);
  ExpectFailure(client_->Process(failing), text);
  ExpectReply(client_->Process(Ask("failure").Emit("a")), "a");
  ExpectMessages({Init(0, kModel, "failure"), Command(0, 1, "Process", failing), Answer(1).Fail(text, false).On(0),
                  Command(0, 2, "Process", Ask("failure").Emit("a")), Answer(2).Events({"a"}).Reply("a").On(0)});
}

TEST_F(EventSourcedConformance, AFailureWithRestartReplaysAtOnceOnANewStream) {
  const Ask failing = Ask("restart").Emit("c").Fail("c is not wanted");
  ExpectReply(client_->Process(Ask("restart").Emit("a").Emit("b")), "ab");
  ExpectFailure(client_->Process(failing), "c is not wanted");
  ExpectMessages({Init(0, kModel, "restart"), Command(0, 1, "Process", Ask("restart").Emit("a").Emit("b")),
                  Answer(1).Events({"a", "b"}).Reply("ab").On(0), Command(0, 2, "Process", failing),
                  Answer(2).Fail("c is not wanted", true).On(0), HalfClosed(0), StreamFinished(0),
                  Init(1, kModel, "restart"), Event(1, 1, "a"), Event(1, 2, "b")});
  ExpectReply(client_->Process(Ask("restart")), "ab");
  ExpectMessages({Command(1, 1, "Process", Ask("restart")), Answer(1).Reply("ab").On(1)});
}

// ---- HTTP

TEST_F(EventSourcedConformance, HttpRoutesAndBodiesAreExact) {
  const std::string address = emulator_->client_address();
  const support::HttpAnswer annotated = support::Http(address, "POST", "/tck/model/eventsourced/http",
                                                      R"({"actions":[{"emit":{"value":"x"}},{"emit":{"value":"y"}}]})");
  EXPECT_EQ(annotated.status, 200);
  EXPECT_EQ(annotated.body, R"({"message":"xy"})");
  EXPECT_EQ(annotated.headers.at("content-type"), "application/json");
  const support::HttpAnswer generated =
      support::Http(address, "POST", absl::StrCat("/", kModel, "/Process"), R"({"id":"http"})");
  EXPECT_EQ(generated.body, R"({"message":"xy"})");
  EXPECT_EQ(support::Http(address, "POST", absl::StrCat("/", kTwo, "/Call"), R"({"id":"two"})").body,
            R"({"message":""})");
  ExpectMessages({Init(0, kModel, "http"), Command(0, 1, "Process", Ask("http").Emit("x").Emit("y")),
                  Answer(1).Events({"x", "y"}).Reply("xy").On(0), Command(0, 2, "Process", Ask("http")),
                  Answer(2).Reply("xy").On(0), Init(1, kTwo, "two"), Command(1, 1, "Call", Ask("two")),
                  Answer(1).Reply("").On(1)});
}

TEST_F(EventSourcedConformance, AFailuresTextIsTheBodyOverHttp) {
  const support::HttpAnswer failed = support::Http(emulator_->client_address(), "POST", "/tck/model/eventsourced/http",
                                                   R"({"actions":[{"fail":{"message":"100 % wrong: häßlich"}}]})");
  EXPECT_EQ(failed.status, 500);
  EXPECT_EQ(failed.body, "100 % wrong: häßlich");
  EXPECT_EQ(failed.headers.at("content-type"), "text/plain; charset=utf-8");
  const Ask request = Ask("http").Fail("100 % wrong: häßlich");
  ExpectMessages({Init(0, kModel, "http"), Command(0, 1, "Process", request),
                  Answer(1).Fail("100 % wrong: häßlich", false).On(0)});
}

// ---- ends of streams and of processes

TEST_F(EventSourcedConformance, AnIdleEntitysStreamIsClosedAfterItsTimeout) {
  ExpectReply(client_->CallConfigured(Ask("idle")), "");
  const std::vector<Seen> expected = {Init(0, kConfigured, "idle"), Command(0, 1, "Call", Ask("idle")),
                                      Answer(1).Reply("").On(0), HalfClosed(0), StreamFinished(0)};
  EXPECT_EQ(interceptor_->Take(expected.size()), expected);
  ExpectReply(client_->CallConfigured(Ask("idle")), "");
  ExpectMessages({Init(1, kConfigured, "idle"), Command(1, 1, "Call", Ask("idle")), Answer(1).Reply("").On(1),
                  HalfClosed(1), StreamFinished(1)});
}

TEST_F(EventSourcedConformance, StateSurvivesTheEmulatorsEnd) {
  ExpectReply(client_->Process(Ask("kept").Emit("a").Emit("b").Emit("c").Emit("d").Emit("e")), "abcde");
  ExpectReply(client_->Process(Ask("kept").Emit("f")), "abcdef");
  interceptor_->Take(5);
  emulator_->Kill();
  ExpectMessages({Cancelled(0), StreamFinished(0)});
  emulator_->StartAgain();
  ASSERT_TRUE(emulator_->WaitUntilReady()) << emulator_->process().errors();
  client_.emplace(emulator_->client_address());
  ExpectReply(client_->Process(Ask("kept").Emit("g")), "abcdefg");
  ExpectMessages({InitWithSnapshot(1, "kept", 5, "abcde"), Event(1, 6, "f"),
                  Command(1, 1, "Process", Ask("kept").Emit("g")), Answer(1).Events({"g"}).Reply("abcdefg").On(1)});
}

TEST(EventSourcedRestart, StateSurvivesTheUserFunctionsEnd) {
  auto model = samples::StartTckModel("127.0.0.1:0");
  ASSERT_TRUE(model.ok()) << model.status();
  const std::string address = absl::StrCat("127.0.0.1:", (*model)->port());
  support::EmulatorProcess emulator({{"--user-function", address}, {}});
  ASSERT_TRUE(emulator.WaitUntilReady()) << emulator.process().errors();
  const ModelClient client(emulator.client_address());
  EXPECT_EQ(client.Process(Ask("kept").Emit("a")).message, "a");

  model->reset();
  ASSERT_TRUE(emulator.WaitForEvent("lost", [](const auto&) { return true; }));
  const Outcome meanwhile = client.Process(Ask("kept").Emit("lost"));
  EXPECT_EQ(meanwhile.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(meanwhile.status.error_message(), ::testing::HasSubstr(address + " was lost (since "));

  model = samples::StartTckModel(address);
  ASSERT_TRUE(model.ok()) << model.status();
  ASSERT_TRUE(emulator.WaitUntilReady(2));
  EXPECT_EQ(client.Process(Ask("kept").Emit("b")).message, "ab");
}

}  // namespace
}  // namespace cloudstate
