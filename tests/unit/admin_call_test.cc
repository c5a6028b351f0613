// Calls of the user function through the admin port, and what is told of its types.

#include "emulator/userfunction/descriptors.h"
#include "google/protobuf/descriptor.pb.h"
#include "tests/unit/admin_test_support.h"

namespace cloudstate::admin {
namespace {

class AdminCallTest : public AdminBackendTest {
 protected:
  AdminCallTest() { *live_.user_function.services = *backend_->CurrentServices(); }

  static dev::v1::CallRequest GetEntity(const std::string& json) {
    dev::v1::CallRequest request;
    request.set_service("cloudstate.dev.v1.Emulator");
    request.set_method("GetEntity");
    request.set_json(json);
    return request;
  }
};

TEST_F(AdminCallTest, JsonGoesInAndComesOut) {
  dev::v1::CallRequest request = GetEntity(R"({"entityId": "one"})");
  (*request.mutable_headers())["X-User"] = "me";
  (*request.mutable_headers())["x-raw-bin"] = "AAE=";
  auto responder = Start("Call", request);
  ASSERT_NE(live_.user_function.responder, nullptr);
  dev::v1::GetEntityRequest input;
  ASSERT_TRUE(input.ParseFromString(live_.user_function.call.payload));
  EXPECT_EQ(input.entity_id(), "one");
  const Metadata& metadata = live_.user_function.call.metadata;
  ASSERT_EQ(metadata.entries_size(), 2);
  for (const MetadataEntry& entry : metadata.entries()) {
    if (entry.key() == "x-user") {
      EXPECT_EQ(entry.string_value(), "me");
    } else {
      EXPECT_EQ(entry.bytes_value(), std::string("\0\1", 2));
    }
  }
  dev::v1::Entity reply;
  reply.set_service("shop.Cart");
  live_.user_function.responder->Message(reply.SerializeAsString());
  live_.user_function.responder->Finish(absl::OkStatus());
  EXPECT_TRUE(responder->WaitForEnd().ok());
  const auto response = responder->WaitForMessages<dev::v1::CallResponse>(1)[0];
  ASSERT_EQ(response.replies_size(), 1);
  EXPECT_NE(response.replies(0).find(R"("service":"shop.Cart")"), std::string::npos) << response.replies(0);
}

TEST_F(AdminCallTest, AMethodThatFailsIsAnAnswer) {
  auto responder = Start("Call", GetEntity(""));
  ASSERT_NE(live_.user_function.responder, nullptr);
  live_.user_function.responder->Finish(absl::NotFoundError("no such cart"));
  EXPECT_TRUE(responder->WaitForEnd().ok());
  const auto response = responder->WaitForMessages<dev::v1::CallResponse>(1)[0];
  EXPECT_EQ(response.code(), 5);
  EXPECT_EQ(response.message(), "no such cart");
  EXPECT_EQ(response.replies_size(), 0);
}

TEST_F(AdminCallTest, WhatCannotBeCalledIsAnErrorThatNamesWhatIsThere) {
  EXPECT_TRUE(absl::IsInvalidArgument(Start("Call", GetEntity("{nonsense"))->WaitForEnd()));
  EXPECT_TRUE(absl::IsInvalidArgument(Start("Call", GetEntity(R"({"noSuchField": 1})"))->WaitForEnd()));
  dev::v1::CallRequest request = GetEntity("{}");
  (*request.mutable_headers())["x-raw-bin"] = "!";
  EXPECT_TRUE(absl::IsInvalidArgument(Start("Call", request)->WaitForEnd()));
  request = GetEntity("{}");
  request.set_method("GetEntities");
  const absl::Status method = Start("Call", request)->WaitForEnd();
  EXPECT_TRUE(absl::IsNotFound(method));
  EXPECT_NE(method.message().find("ListEntities"), std::string::npos);
  request.set_service("shop.Cart");
  const absl::Status service = Start("Call", request)->WaitForEnd();
  EXPECT_TRUE(absl::IsNotFound(service));
  EXPECT_NE(service.message().find("cloudstate.dev.v1.Emulator"), std::string::npos);
}

TEST_F(AdminCallTest, AStreamOfMessagesIsReferredToTheMethodForThat) {
  dev::v1::CallRequest request = GetEntity("{}");
  request.set_method("CallStream");
  const absl::Status status = Start("Call", request)->WaitForEnd();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(status.message().find("call it with CallStream"), std::string::npos) << status;
}

TEST_F(AdminCallTest, TheNodeThatIsNamedGoesWithTheCall) {
  dev::v1::CallRequest request = GetEntity("{}");
  (*request.mutable_headers())["X-Cloudstate-Node"] = "2";
  Start("Call", request);
  ASSERT_NE(live_.user_function.responder, nullptr);
  const Metadata& metadata = live_.user_function.call.metadata;
  ASSERT_EQ(metadata.entries_size(), 1);
  EXPECT_EQ(metadata.entries(0).key(), "x-cloudstate-node");
  EXPECT_EQ(metadata.entries(0).string_value(), "2");
}

TEST_F(AdminCallTest, WithoutAUserFunctionTheReasonIsTold) {
  live_.user_function.services = std::make_shared<serving::Services>();
  EXPECT_EQ(Start("Call", GetEntity("{}"))->WaitForEnd(), absl::UnavailableError("not reached yet"));
}

TEST_F(AdminCallTest, TheCallIsCancelledWithItsClient) {
  auto responder = Start("Call", GetEntity("{}"));
  responder->Cancel();
  EXPECT_TRUE(live_.user_function.cancelled);
}

TEST_F(AdminCallTest, AStreamWithoutEndIsCut) {
  auto responder = Start("Call", GetEntity("{}"));
  for (int i = 0; i < 1'001; ++i) live_.user_function.responder->Message("");
  EXPECT_TRUE(responder->WaitForEnd().ok());
  EXPECT_EQ(responder->WaitForMessages<dev::v1::CallResponse>(1)[0].code(),
            static_cast<int>(absl::StatusCode::kResourceExhausted));
  EXPECT_TRUE(live_.user_function.cancelled);
}

// ---- streams

class AdminCallStreamTest : public AdminCallTest {
 protected:
  // Calls a method of the user function's, which is the admin contract's own.
  void Call(const std::string& method, bool taking = true) {
    dev::v1::CallStreamRequest request;
    request.mutable_start()->set_service("cloudstate.dev.v1.Emulator");
    request.mutable_start()->set_method(method);
    Call(request, taking);
  }
  void Call(const dev::v1::CallStreamRequest& first, bool taking = true) {
    client_ = Start("CallStream", dev::v1::CallStreamRequest(), taking, requests_);
    requests_->Send(first);
  }
  void Send(const std::string& json, const std::string& label = "") {
    dev::v1::CallStreamRequest request;
    request.set_json(json);
    request.set_label(label);
    requests_->Send(request);
  }

  // The next input that the user function's call asks for, a CallStreamRequest as well; null at the half-close.
  std::optional<std::string> ReadInput() {
    std::optional<std::string> json;
    user_function().call.requests->Read([&](std::optional<std::string> payload) {
      if (!payload.has_value()) return;
      dev::v1::CallStreamRequest input;
      EXPECT_TRUE(input.ParseFromString(*payload));
      json = input.json();
    });
    return json;
  }
  void Answer(const std::string& json) {
    dev::v1::CallStreamResponse output;
    output.set_json(json);
    user_function().responder->Message(output.SerializeAsString());
  }
  std::vector<dev::v1::CallStreamResponse> Answers(std::size_t count) {
    return client_->WaitForMessages<dev::v1::CallStreamResponse>(count);
  }

  FakeUserFunction& user_function() { return live_.user_function; }
  std::shared_ptr<FakeRequests> requests_ = std::make_shared<FakeRequests>();
  std::shared_ptr<FakeResponder> client_;
};

TEST_F(AdminCallStreamTest, MessagesGoInAndComeOutAsTheyAreTaken) {
  Call("CallStream");
  ASSERT_NE(user_function().call.requests, nullptr);
  Send(R"({"json": "one"})");
  Send(R"({"json": "two"})");
  EXPECT_EQ(requests_->waiting(), 2u);  // nothing is read ahead
  EXPECT_EQ(ReadInput(), "one");
  EXPECT_EQ(requests_->waiting(), 1u);
  Answer("first");
  EXPECT_EQ(Answers(1)[0].json().find(R"({"json":"first")"), 0u) << Answers(1)[0].json();
  EXPECT_EQ(ReadInput(), "two");
  requests_->HalfClose();
  EXPECT_EQ(ReadInput(), std::nullopt);
  user_function().responder->Finish(absl::OkStatus());
  EXPECT_TRUE(client_->WaitForEnd().ok());
  ASSERT_TRUE(Answers(2)[1].has_end());
  EXPECT_EQ(Answers(2)[1].end().code(), 0);
}

TEST_F(AdminCallStreamTest, HeadersTheTraceAndTheFailureAreToldAsAnswers) {
  Call("CallStream");
  Metadata headers;
  MetadataEntry* entry = headers.add_entries();
  entry->set_key(serving::kTraceHeader);
  entry->set_string_value("t-1");
  entry = headers.add_entries();
  entry->set_key("x-raw-bin");
  entry->set_bytes_value(std::string("\0\1", 2));
  user_function().responder->Headers(headers);
  user_function().responder->Finish(absl::NotFoundError("no such room"));
  EXPECT_TRUE(client_->WaitForEnd().ok());
  const auto answers = Answers(2);
  EXPECT_EQ(answers[0].headers().trace_id(), "t-1");
  EXPECT_EQ(answers[0].headers().headers().size(), 1u);
  EXPECT_EQ(answers[0].headers().headers().at("x-raw-bin"), "AAE=");
  EXPECT_EQ(answers[1].end().code(), 5);
  EXPECT_EQ(answers[1].end().message(), "no such room");
  EXPECT_EQ(answers[1].end().trace_id(), "t-1");
}

TEST_F(AdminCallStreamTest, AMethodOfOneMessageIsCalledAtTheHalfClose) {
  Call("WatchEvents");
  Send(R"({"afterPosition": 7})");
  EXPECT_EQ(user_function().responder, nullptr);
  requests_->HalfClose();
  ASSERT_NE(user_function().responder, nullptr);
  EXPECT_EQ(user_function().call.requests, nullptr);
  dev::v1::WatchEventsRequest input;
  ASSERT_TRUE(input.ParseFromString(user_function().call.payload));
  EXPECT_EQ(input.after_position(), 7);
}

TEST_F(AdminCallStreamTest, AMethodOfOneMessageTakesNeitherTwoNorNone) {
  Call("GetEntity");
  Send("{}");
  Send("{}");
  const absl::Status two = client_->WaitForEnd();
  EXPECT_TRUE(absl::IsInvalidArgument(two)) << two;
  EXPECT_EQ(user_function().responder, nullptr);
  requests_ = std::make_shared<FakeRequests>();
  Call("GetEntity");
  requests_->HalfClose();
  const absl::Status none = client_->WaitForEnd();
  EXPECT_TRUE(absl::IsInvalidArgument(none)) << none;
  EXPECT_EQ(user_function().responder, nullptr);
}

TEST_F(AdminCallStreamTest, ABadMessageIsNamedAndEndsTheCallAfterWhatWasSent) {
  const struct {
    std::string json;
    std::string label;
    std::string error;
  } cases[] = {{"{nonsense", "line 4", "line 4: malformed JSON: "},
               {R"({"noSuchField": 1})", "line 4", "line 4: the JSON is no cloudstate.dev.v1.CallStreamRequest: "},
               {"{nonsense", "", "message 2: malformed JSON: "}};
  for (const auto& each : cases) {
    requests_ = std::make_shared<FakeRequests>();
    user_function().cancelled = false;
    Call("CallStream");
    Send(R"({"json": "good"})", "line 1");
    Send(each.json, each.label);
    EXPECT_EQ(ReadInput(), "good");
    EXPECT_FALSE(user_function().cancelled);
    EXPECT_EQ(ReadInput(), std::nullopt);
    const absl::Status status = client_->WaitForEnd();
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_EQ(status.message().substr(0, each.error.size()), each.error);
    EXPECT_TRUE(user_function().cancelled);
    user_function().responder->Finish(absl::CancelledError(""));  // dropped: the client has its answer
  }
}

TEST_F(AdminCallStreamTest, ASlowClientIsToldToWhoeverAnswers) {
  Call("CallStream", /*taking=*/false);
  Answer("one");
  EXPECT_EQ(user_function().responder->Unsent(), 1u);
  bool writable = false;
  user_function().responder->WhenWritable([&] { writable = true; });
  EXPECT_FALSE(writable);
  client_->TakeAll(true);
  EXPECT_TRUE(writable);
  EXPECT_EQ(user_function().responder->Unsent(), 0u);
}

TEST_F(AdminCallStreamTest, TheCallIsCancelledWithItsClientAtAnyTime) {
  Call("CallStream");
  client_->Cancel();
  EXPECT_TRUE(user_function().cancelled);
  // Between the start of a call of one message and its half-close.
  requests_ = std::make_shared<FakeRequests>();
  user_function().cancelled = false;
  Call("WatchEvents");
  Send("{}");
  client_->Cancel();
  requests_->HalfClose();
  EXPECT_TRUE(user_function().cancelled);
}

TEST_F(AdminCallStreamTest, WhatCannotBeCalledIsRefusedAsInACall) {
  const auto end = [&](const dev::v1::CallStreamRequest& first) {
    requests_ = std::make_shared<FakeRequests>();
    Call(first);
    return client_->WaitForEnd();
  };
  dev::v1::CallStreamRequest request;
  EXPECT_TRUE(absl::IsInvalidArgument(end(request)));
  request.mutable_start()->set_service("shop.Cart");
  const absl::Status service = end(request);
  EXPECT_TRUE(absl::IsNotFound(service));
  EXPECT_NE(service.message().find("cloudstate.dev.v1.Emulator"), std::string::npos);
  request.mutable_start()->set_service("cloudstate.dev.v1.Emulator");
  request.mutable_start()->set_method("CallStream");
  (*request.mutable_start()->mutable_headers())["x-raw-bin"] = "!";
  EXPECT_TRUE(absl::IsInvalidArgument(end(request)));
}

// ---- types

TEST_F(AdminCallTest, ATypeIsDescribedWithThoseWithinItEachOnce) {
  dev::v1::DescribeTypeRequest request;
  request.set_type("cloudstate.dev.v1.CommandTrace");
  auto client = Start("DescribeType", request);
  ASSERT_TRUE(client->WaitForEnd().ok());
  const auto type = client->WaitForMessages<dev::v1::TypeDescription>(1)[0];
  std::vector<std::string> names;
  for (const auto& message : type.messages()) names.push_back(message.name());
  EXPECT_EQ(names, (std::vector<std::string>{"cloudstate.dev.v1.CommandTrace", "cloudstate.dev.v1.Step",
                                             "cloudstate.dev.v1.CausedCommand", "cloudstate.dev.v1.Payload"}));
  const auto& started = type.messages(0).fields(6);
  EXPECT_EQ(started.json_name(), "started");
  EXPECT_EQ(started.type(), "google.protobuf.Timestamp");
  ASSERT_EQ(type.enums_size(), 1);
  EXPECT_EQ(type.enums(0).values(1), "SIDE_EFFECT");
  EXPECT_NE(type.example().find("\"traceId\":\"trace_id\""), std::string::npos) << type.example();
  request.set_type("cloudstate.dev.v1.Nothing");
  EXPECT_TRUE(absl::IsNotFound(Start("DescribeType", request)->WaitForEnd()));
}

TEST_F(AdminCallTest, CommentsAreToldAsOneLine) {
  google::protobuf::FileDescriptorSet set;
  google::protobuf::FileDescriptorProto& file = *set.add_file();
  file.set_name("shop.proto");
  file.set_syntax("proto3");
  google::protobuf::DescriptorProto& item = *file.add_message_type();
  item.set_name("Item");
  google::protobuf::FieldDescriptorProto& field = *item.add_field();
  field.set_name("count");
  field.set_number(1);
  field.set_type(google::protobuf::FieldDescriptorProto::TYPE_INT32);
  field.set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
  const auto comment = [&](const std::vector<int>& path) -> google::protobuf::SourceCodeInfo::Location& {
    auto& location = *file.mutable_source_code_info()->add_location();
    for (int part : path) location.add_path(part);
    for (int place : {0, 0, 0}) location.add_span(place);
    return location;
  };
  comment({4, 0}).set_leading_comments(" What is sold.\n\n In one\n line.\n");
  comment({4, 0, 2, 0}).set_trailing_comments(" At least 1.\n");
  const auto pool = userfunction::BuildPool(set.SerializeAsString(), userfunction::Dialect::k0_2);
  ASSERT_TRUE(pool.ok()) << pool.status();
  live_.user_function.services->pool = pool->get();
  dev::v1::DescribeTypeRequest request;
  request.set_type("Item");
  auto client = Start("DescribeType", request);
  ASSERT_TRUE(client->WaitForEnd().ok());
  const auto type = client->WaitForMessages<dev::v1::TypeDescription>(1)[0];
  EXPECT_EQ(type.messages(0).comment(), "What is sold. In one line.");
  EXPECT_EQ(type.messages(0).fields(0).comment(), "At least 1.");
}

TEST_F(AdminCallTest, MapsAndOneofsAreToldAsSuch) {
  dev::v1::DescribeTypeRequest request;
  request.set_type("cloudstate.dev.v1.CallStreamRequest");
  auto client = Start("DescribeType", request);
  ASSERT_TRUE(client->WaitForEnd().ok());
  const auto type = client->WaitForMessages<dev::v1::TypeDescription>(1)[0];
  EXPECT_EQ(type.messages(0).fields(1).oneof(), "kind");
  EXPECT_EQ(type.messages(0).fields(2).oneof(), "");
  EXPECT_EQ(type.messages(1).fields(2).type(), "map<string, string>");
  EXPECT_FALSE(type.messages(1).fields(2).repeated());
}

}  // namespace
}  // namespace cloudstate::admin
