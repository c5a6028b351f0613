// gRPC-Web as bytes over HTTP/1.1. The clients that people use are driven in a browser by tests/browser.

#include "absl/strings/escaping.h"
#include "tests/conformance/front_door_fixture.h"

namespace cloudstate::serving {
namespace {

std::string Frame(char flags, const std::string& bytes) {
  std::string frame(1, flags);
  for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>((bytes.size() >> shift) & 0xff);
  return frame + bytes;
}

std::string Base64(const std::string& bytes) { return absl::Base64Escape(bytes); }

std::string Body(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

class GrpcWebTest : public FrontDoorTest {
 protected:
  // The whole answer.
  std::string Post(const std::string& path, const std::string& content_type, const std::string& body,
                   const std::string& headers = "") {
    RawClient client(Door().port());
    return client
        .Send(absl::StrCat("POST ", path, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: ",
                           content_type, "\r\nContent-Length: ", body.size(), "\r\n", headers, "\r\n", body))
        .ReadToEnd();
  }
  std::string Say(const std::string& text) {
    return Post("/test.Echo/Say", "application/grpc-web+proto", Frame(0, Text(text)));
  }
};

const std::string kOk = Frame('\x80', "grpc-status: 0\r\n");

TEST_F(GrpcWebTest, UnaryCallIsAMessageAndTrailers) {
  for (const char* type : {"application/grpc-web", "application/grpc-web+proto", "Application/GRPC-Web; charset=x"}) {
    const std::string answer = Post("/test.Echo/Say", type, Frame(0, Text("hi")), "Color: blue\r\nShape-Bin: AQI\r\n");
    EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_TRUE(absl::StrContains(answer, "Content-Type: application/grpc-web+proto\r\n")) << answer;
    EXPECT_EQ(Body(answer), Frame(0, Text("hi")) + kOk);
    const Call call = backend_.last();
    EXPECT_EQ(call.protocol, "grpc-web");
    EXPECT_EQ(call.payload, Text("hi"));
    EXPECT_EQ(EntryOf(call.metadata, "color"), "text:blue");
    EXPECT_EQ(EntryOf(call.metadata, "shape-bin"), "bytes:\x01\x02");
  }
}

TEST_F(GrpcWebTest, TextIsBase64WithEachFramePaddedForItself) {
  for (const char* type : {"application/grpc-web-text", "application/grpc-web-text+proto"}) {
    const std::string answer = Post("/test.Echo/Say", type, Base64(Frame(0, Text("hi"))));
    EXPECT_TRUE(absl::StrContains(answer, "Content-Type: application/grpc-web-text+proto\r\n")) << answer;
    EXPECT_EQ(Body(answer), Base64(Frame(0, Text("hi"))) + Base64(kOk));
  }
}

TEST_F(GrpcWebTest, RequestMayBePaddedInTheMiddle) {
  const std::string frame = Frame(0, Text("hello"));
  const std::string body = Base64(frame.substr(0, 1)) + Base64(frame.substr(1, 4)) + Base64(frame.substr(5));
  EXPECT_EQ(Body(Post("/test.Echo/Say", "application/grpc-web-text", body)), Base64(frame) + Base64(kOk));
}

TEST_F(GrpcWebTest, AcceptChoosesTheFormOfTheAnswer) {
  const std::string frame = Frame(0, Text("x"));
  const auto binary = [&](const std::string& accept) {
    return Body(Post("/test.Echo/Say", "application/grpc-web-text", Base64(frame), "Accept: " + accept + "\r\n"));
  };
  EXPECT_EQ(binary("application/grpc-web+proto"), frame + kOk);
  EXPECT_EQ(binary("*/*"), Base64(frame) + Base64(kOk));
  EXPECT_EQ(Body(Post("/test.Echo/Say", "application/grpc-web", frame, "Accept: x/y, application/grpc-web-text\r\n")),
            Base64(frame) + Base64(kOk));
}

TEST_F(GrpcWebTest, MetadataOfTheAnswerIsHeaders) {
  backend_.Set([](const Call& call, Responder& responder) {
    Metadata headers = OneEntry("answer", "yes");
    headers.add_entries()->set_key("raw-bin");
    headers.mutable_entries(1)->set_bytes_value("\x01\x02");
    responder.Headers(headers);
    responder.Message(call.payload);
    responder.Finish(absl::OkStatus());
  });
  const std::string answer = Say("");
  EXPECT_TRUE(absl::StrContains(answer, "\r\nanswer: yes\r\n")) << answer;
  EXPECT_TRUE(absl::StrContains(answer, "\r\nraw-bin: AQI=\r\n")) << answer;
}

TEST_F(GrpcWebTest, FailureBeforeAMessageIsHeadersOnly) {
  backend_.Set([](const Call&, Responder& responder) {
    absl::Status status = absl::NotFoundError("no cart \"ä\" 100%\r\nx: y");
    status.SetPayload(kStatusDetails, absl::Cord("details"));
    responder.Finish(status);
  });
  for (const char* method : {"/test.Echo/Say", "/test.Echo/Count"}) {
    const std::string answer = Post(method, "application/grpc-web", Frame(0, ""));
    EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 200 ")) << answer;
    EXPECT_TRUE(absl::StrContains(answer, "\r\ngrpc-status: 5\r\n")) << answer;
    EXPECT_TRUE(absl::StrContains(answer, "\r\ngrpc-message: no cart \"%C3%A4\" 100%25%0D%0Ax: y\r\n")) << answer;
    EXPECT_TRUE(absl::StrContains(answer, "\r\ngrpc-status-details-bin: ZGV0YWlscw\r\n")) << answer;
    EXPECT_EQ(Body(answer), "");
  }
}

TEST_F(GrpcWebTest, ServerStreamComesMessageByMessage) {
  backend_.Set(FakeBackend::Answer());
  RawClient client = Connect();
  const std::string body = Base64(Frame(0, Text("x")));
  client.Send(absl::StrCat("POST /test.Echo/Count HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web-text\r\n",
                           "Content-Length: ", body.size(), "\r\n\r\n", body));
  ASSERT_TRUE(Await([&] { return backend_.started == 1; }));
  for (const char* text : {"a", "bc"}) {
    backend_.responder()->Message(Text(text));
    const std::string chunk = Base64(Frame(0, Text(text)));
    EXPECT_TRUE(absl::EndsWith(client.ReadUntil(chunk + "\r\n"), chunk + "\r\n")) << text;
  }
  backend_.responder()->Finish(absl::AbortedError("over"));
  const std::string end = client.ReadUntil("0\r\n\r\n");
  EXPECT_TRUE(absl::StrContains(end, Base64(Frame('\x80', "grpc-status: 10\r\ngrpc-message: over\r\n")))) << end;
  backend_.Set([](const Call& call, Responder& responder) {
    responder.Message(call.payload);
    responder.Finish(absl::OkStatus());
  });
  const std::string next = client.Send(serving::Post("/test.Echo/Say", "{}")).ReadUntil("}");
  EXPECT_TRUE(absl::StartsWith(next, "HTTP/1.1 200 ")) << "the connection goes on: " << next;
}

TEST_F(GrpcWebTest, WhatCannotBeCalledIsToldAsAGrpcStatus) {
  const std::string frame = Frame(0, "");
  const std::string unknown = Post("/test.Echo/Shout", "application/grpc-web", frame);
  EXPECT_TRUE(absl::StrContains(unknown, "\r\ngrpc-status: 12\r\n") && absl::StrContains(unknown, "Shout")) << unknown;
  const std::string streamed = Post("/test.Echo/Collect", "application/grpc-web", frame);
  EXPECT_TRUE(absl::StrContains(streamed, "\r\ngrpc-status: 12\r\n")) << streamed;
  EXPECT_TRUE(absl::StrContains(streamed, "WebSocket")) << streamed;
  backend_.Set(std::make_shared<const Services>());
  const std::string none = Say("");
  EXPECT_TRUE(absl::StrContains(none, "\r\ngrpc-status: 14\r\n") && absl::StrContains(none, "8080")) << none;
  EXPECT_EQ(backend_.started, 0);
}

TEST_F(GrpcWebTest, WrongBodiesAreToldAsAGrpcStatus) {
  const std::string good = Frame(0, Text("x"));
  struct Case {
    const char* name;
    std::string type;
    std::string body;
    std::string headers;
    int status;
  };
  const std::vector<Case> cases = {
      {"empty", "application/grpc-web", "", "", 13},
      {"head cut off", "application/grpc-web", good.substr(0, 4), "", 3},
      {"message cut off", "application/grpc-web", good.substr(0, 7), "", 3},
      {"longer than it says", "application/grpc-web", good + "y", "", 3},
      {"two messages", "application/grpc-web", good + good, "", 3},
      {"trailers", "application/grpc-web", kOk, "", 3},
      {"compressed without saying how", "application/grpc-web", Frame(1, Text("x")), "", 13},
      {"compressed", "application/grpc-web", Frame(1, Text("x")), "Grpc-Encoding: gzip\r\n", 12},
      {"no base64", "application/grpc-web-text", "!!!!", "", 3},
      {"base64 cut off", "application/grpc-web-text", Base64(good).substr(0, 7), "", 3},
      {"binary as text", "application/grpc-web-text", good, "", 3},
      {"bad timeout", "application/grpc-web", good, "Grpc-Timeout: soon\r\n", 3},
      {"bad metadata", "application/grpc-web", good, "Shape-Bin: !\r\n", 3},
  };
  for (const Case& each : cases) {
    const std::string answer = Post("/test.Echo/Say", each.type, each.body, each.headers);
    EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 200 ")) << each.name << "\n" << answer;
    EXPECT_TRUE(absl::StrContains(answer, absl::StrCat("\r\ngrpc-status: ", each.status, "\r\n"))) << each.name << "\n"
                                                                                                   << answer;
  }
  EXPECT_EQ(backend_.started, 0);
  EXPECT_EQ(Body(Post("/test.Echo/Say", "application/grpc-web", good, "Grpc-Encoding: identity\r\n")), good + kOk);
}

TEST_F(GrpcWebTest, DeadlineEndsTheCall) {
  backend_.Set(FakeBackend::Answer());
  const std::string answer =
      Post("/test.Echo/Say", "application/grpc-web", Frame(0, Text("x")), "Grpc-Timeout: 50m\r\n");
  EXPECT_TRUE(absl::StrContains(answer, "\r\ngrpc-status: 4\r\n")) << answer;
  EXPECT_EQ(backend_.cancelled, 1);
}

TEST_F(GrpcWebTest, OtherVerbsAndFormatsAreRefusedAsHttp) {
  const std::string get =
      Http("GET /test.Echo/Say HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web\r\n\r\n", "POST\n");
  EXPECT_TRUE(absl::StartsWith(get, "HTTP/1.1 405 ") && absl::StrContains(get, "Allow: POST")) << get;
  const std::string json = Post("/test.Echo/Say", "application/grpc-web+json", Frame(0, "{}"));
  EXPECT_TRUE(absl::StartsWith(json, "HTTP/1.1 415 ")) << json;
}

}  // namespace
}  // namespace cloudstate::serving
