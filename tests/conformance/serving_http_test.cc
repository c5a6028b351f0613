// HTTP on the front door over real sockets, by raw bytes.

#include <thread>

#include "emulator/serving/http_text.h"
#include "tests/conformance/front_door_fixture.h"

namespace cloudstate::serving {
namespace {

using std::chrono::milliseconds;

class ServingHttpTest : public FrontDoorTest {};

TEST_F(ServingHttpTest, HttpCallReachesTheBackendAndItsAnswerTheClient) {
  const std::string answer =
      Http(Post("/test.Echo/Say", R"({"text":"hi"})", "Color: blue\r\nShape-Bin: AQI=\r\n"), "}");
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(absl::StrContains(answer, "Content-Type: application/json")) << answer;
  EXPECT_TRUE(absl::EndsWith(answer, "\r\n\r\n{\"text\":\"hi\"}")) << answer;
  const Call call = backend_.last();
  EXPECT_EQ(call.protocol, "http");
  EXPECT_EQ(call.service, "test.Echo");
  EXPECT_EQ(call.payload, Text("hi"));
  EXPECT_EQ(EntryOf(call.metadata, "color"), "text:blue");
  EXPECT_EQ(EntryOf(call.metadata, "shape-bin"), "bytes:\x01\x02");
  EXPECT_EQ(EntryOf(call.metadata, "content-length"), "none");
  EXPECT_TRUE(absl::StartsWith(call.peer, "127.0.0.1:")) << call.peer;
}

TEST_F(ServingHttpTest, HttpAnswersFromAnotherThreadAndCarriesItsHeaders) {
  std::thread worker;
  backend_.Set([&](const Call&, Responder&) {
    worker = std::thread([&] {
      const auto responder = backend_.responder();
      Metadata headers = OneEntry("answer", "yes");
      headers.add_entries()->set_key("raw-bin");
      headers.mutable_entries(1)->set_bytes_value("\x01\x02");
      *headers.add_entries() = OneEntry("forged", "a\r\nb: c").entries(0);
      responder->Headers(headers);
      responder->Message(Text("late"));
      responder->Finish(absl::OkStatus());
    });
  });
  const std::string answer = Http(Post("/test.Echo/Say", "{}"), "}");
  worker.join();
  EXPECT_TRUE(absl::StrContains(answer, "\r\nanswer: yes\r\n")) << answer;
  EXPECT_TRUE(absl::StrContains(answer, "\r\nraw-bin: AQI=\r\n")) << answer;
  EXPECT_FALSE(absl::StrContains(answer, "forged")) << answer;
  EXPECT_TRUE(absl::EndsWith(answer, R"({"text":"late"})")) << answer;
}

TEST_F(ServingHttpTest, HttpPipelinedRequestsAreAnsweredInOrder) {
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += Post("/test.Echo/Say", absl::StrCat(R"({"text":"n)", i, "\"}"));
  RawClient client = Connect();
  const std::string answers = client.Send(requests).ReadUntil("}", 50);
  std::size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = answers.find(absl::StrCat("{\"text\":\"n", i, "\"}"), at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST_F(ServingHttpTest, HttpConnectionIsKeptOrClosedAsTheClientAsks) {
  RawClient client = Connect();
  EXPECT_TRUE(absl::StrContains(client.Send(Post("/test.Echo/Say", "{}")).ReadUntil("}"), "200 OK"));
  const std::string last = client.Send(Post("/test.Echo/Say", "{}", "Connection: close\r\n")).ReadToEnd();
  EXPECT_TRUE(absl::StrContains(last, "Connection: close")) << last;
  RawClient old = Connect();
  EXPECT_TRUE(absl::StrContains(
      old.Send("POST /test.Echo/Say HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
          .ReadToEnd(),
      "200 OK"));
}

TEST_F(ServingHttpTest, HttpFailureIsThePlainTextOrAProblemDocument) {
  backend_.Set([](const Call&, Responder& responder) {
    absl::Status status = absl::NotFoundError("no \"cart\"");
    status.SetPayload(absl::StrCat(std::string(kProblemMember), "entityId"), absl::Cord("c1"));
    responder.Finish(status);
  });
  const std::string plain = Http(Post("/test.Echo/Say", "{}"), "cart\"");
  EXPECT_TRUE(absl::StartsWith(plain, "HTTP/1.1 404 Not Found\r\n")) << plain;
  EXPECT_TRUE(absl::StrContains(plain, "Content-Type: text/plain; charset=utf-8")) << plain;
  EXPECT_TRUE(absl::EndsWith(plain, "\r\n\r\nno \"cart\"")) << plain;
  const std::string problem = Http(Post("/test.Echo/Say", "{}", "Accept: application/problem+json\r\n"), "}");
  EXPECT_TRUE(absl::StrContains(problem, "Content-Type: application/problem+json")) << problem;
  EXPECT_TRUE(absl::EndsWith(problem,
                             R"({"type":"about:blank","title":"Not Found","status":404,"detail":"no \"cart\"",)"
                             R"("code":"NOT_FOUND","entityId":"c1"})"))
      << problem;
}

TEST_F(ServingHttpTest, HttpProbeIsAnswered) {
  const std::string queue =
      Http("GET /anything HTTP/1.1\r\nHost: a\r\nK-Network-Probe: queue\r\n\r\n", "\r\n\r\nqueue");
  EXPECT_TRUE(absl::StartsWith(queue, "HTTP/1.1 200 ")) << queue;
  const std::string text = "unexpected probe header value: other";
  const std::string other = Http("GET / HTTP/1.1\r\nHost: a\r\nK-Network-Probe: other\r\n\r\n", text);
  EXPECT_TRUE(absl::StartsWith(other, "HTTP/1.1 400 ") && absl::EndsWith(other, text)) << other;
}

TEST_F(ServingHttpTest, HttpChunkedRequestAndExpectContinueWork) {
  const std::string chunked =
      "POST /test.Echo/Say HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
      "8\r\n{\"text\":\r\n4\r\n\"a\"}\r\n0\r\n\r\n";
  EXPECT_TRUE(absl::EndsWith(Http(chunked, "}"), R"({"text":"a"})"));
  RawClient client = Connect();
  client.Send(
      "POST /test.Echo/Say HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_TRUE(absl::StrContains(client.Send("{}").ReadUntil("}"), "200 OK"));
}

TEST_F(ServingHttpTest, HttpBodyAboveTheLimitIs413EvenWhileItIsStillBeingSent) {
  options_.limits.message_bytes = 1000;
  for (const std::string& headers : {std::string(), std::string("Expect: 100-continue\r\n")}) {
    RawClient client = Connect();
    const std::string answer = client.Send(Post("/test.Echo/Say", std::string(3'000'000, 'x'), headers)).ReadToEnd();
    EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 413 ")) << answer;
  }
  EXPECT_EQ(backend_.started, 0);
}

TEST_F(ServingHttpTest, HttpHeadersAboveTheLimitAre431) {
  options_.limits.header_bytes = 4000;
  RawClient client = Connect();
  const std::string answer =
      client.Send(Post("/", "", absl::StrCat("A: ", std::string(10'000, 'x'), "\r\n"))).ReadToEnd();
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 431 ")) << answer;
}

TEST_F(ServingHttpTest, MalformedHttpIs400) {
  for (const std::string& request : {
           Bytes("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n"),
           std::string("GET\r\n\r\n"),
           std::string("GET / HTTP/9.9\r\nHost: a\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n"),
           std::string("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"),
           std::string("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n"),
           std::string("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
       }) {
    RawClient client = Connect();
    const std::string answer = client.Send(request).ReadToEnd();
    EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 400 ")) << request << "\n-> " << answer;
  }
  EXPECT_EQ(backend_.started, 0);
}

TEST_F(ServingHttpTest, SlowHttpClientsAreClosed) {
  options_.limits.request_header = absl::Milliseconds(100);
  options_.limits.request_body = absl::Milliseconds(100);
  options_.limits.idle = absl::Milliseconds(100);
  RawClient header = Connect();
  header.Send("GET / HTTP/1.1\r\nHost: a\r\nX: ");
  RawClient body = Connect();
  body.Send("POST /test.Echo/Say HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{");
  RawClient idle = Connect();
  EXPECT_TRUE(absl::StrContains(idle.Send(Post("/test.Echo/Say", "{}")).ReadUntil("}"), "200 OK"));
  EXPECT_TRUE(header.EndsSilently());
  EXPECT_TRUE(body.EndsSilently());
  EXPECT_TRUE(idle.EndsSilently());
}

TEST_F(ServingHttpTest, HttpClientThatGoesAwayCancelsTheCall) {
  backend_.Set(FakeBackend::Answer());
  RawClient client = Connect();
  client.Send(Post("/test.Echo/Say", "{}"));
  ASSERT_TRUE(Await([&] { return backend_.started == 1; }));
  EXPECT_EQ(backend_.cancelled, 0);
  client.Close();
  EXPECT_TRUE(Await([&] { return backend_.cancelled == 1; }));
  backend_.responder()->Message("late");
  backend_.responder()->Finish(absl::OkStatus());
}

TEST_F(ServingHttpTest, HttpClientThatEndsItsSideStillGetsItsAnswer) {
  backend_.Set(FakeBackend::Answer());
  RawClient client = Connect();
  client.Send(Post("/test.Echo/Say", "{}"));
  ASSERT_TRUE(Await([&] { return backend_.started == 1; }));
  client.EndInput();
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n") << "to find out whether it is there";
  backend_.responder()->Message(Text("hi"));
  backend_.responder()->Finish(absl::OkStatus());
  const std::string answer = client.ReadToEnd();
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 200 ") && absl::EndsWith(answer, R"({"text":"hi"})")) << answer;
  EXPECT_EQ(backend_.cancelled, 0);
}

TEST_F(ServingHttpTest, HttpClientThatEndsItsSideStillGetsItsStreamAndIsMissedWhenItGoes) {
  backend_.Set(FakeBackend::Answer());
  for (const std::string& accept : {std::string(), std::string("Accept: text/event-stream\r\n")}) {
    const int before = backend_.cancelled;
    RawClient client = Connect();
    client.Send(Post("/test.Echo/Count", "{}", accept));
    ASSERT_TRUE(Await([&] { return backend_.started == before + 1; }));
    backend_.responder()->Message(Text("a"));
    client.ReadUntil("\"a\"}");
    client.EndInput();
    backend_.responder()->Message(Text("b"));
    EXPECT_TRUE(absl::StrContains(client.ReadUntil("\"b\"}"), "b"));
    EXPECT_EQ(backend_.cancelled, before);
    client.Close();
    EXPECT_TRUE(Await([&] {
      backend_.responder()->Message(Text("c"));
      return backend_.cancelled == before + 1;
    }));
  }
}

TEST_F(ServingHttpTest, HttpDeadlineIs504AndCancelsTheCall) {
  backend_.Set(FakeBackend::Answer());
  for (const std::string& header : {std::string("Grpc-Timeout: 50m\r\n"), std::string("X-Server-Timeout: 0.05\r\n")}) {
    const int before = backend_.cancelled;
    EXPECT_TRUE(absl::StartsWith(Http(Post("/test.Echo/Say", "{}", header), "passed"), "HTTP/1.1 504 "));
    EXPECT_TRUE(backend_.last().deadline.has_value());
    EXPECT_EQ(backend_.cancelled, before + 1);
  }
  EXPECT_TRUE(absl::StartsWith(Http(Post("/test.Echo/Say", "{}", "Grpc-Timeout: soon\r\n"), "soon"), "HTTP/1.1 400 "));
}

TEST_F(ServingHttpTest, HttpHandlersAreServedByTheirPathAndHeadHasNoBody) {
  options_.handlers["/metrics"] = [](const HttpRequest& request) {
    return HttpResponse{
        200, "text/plain", absl::StrCat("path ", request.path, " query ", request.query), {{"X-A", "b"}}};
  };
  const std::string get = Http("GET /metrics?a=b HTTP/1.1\r\nHost: a\r\n\r\n", "a=b");
  EXPECT_TRUE(absl::EndsWith(get, "\r\n\r\npath /metrics query a=b")) << get;
  EXPECT_TRUE(absl::StrContains(get, "\r\nX-A: b\r\n")) << get;
  RawClient client = Connect();
  const std::string head = client.Send("HEAD /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").ReadToEnd();
  EXPECT_TRUE(absl::StrContains(head, "Content-Length: 20\r\n")) << head;
  EXPECT_TRUE(absl::EndsWith(head, "\r\n\r\n")) << head;
}

TEST_F(ServingHttpTest, DoorWithoutBackendServesHandlersOnly) {
  options_.backend = nullptr;
  options_.handlers["/metrics"] = [](const HttpRequest&) { return HttpResponse{}; };
  EXPECT_TRUE(absl::StartsWith(Http("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n"), "HTTP/1.1 200 "));
  EXPECT_TRUE(absl::StartsWith(Http("GET /other HTTP/1.1\r\nHost: a\r\n\r\n", "/other"), "HTTP/1.1 404 "));
  EXPECT_FALSE(Unary("/test.Echo/Say", "").status.ok());
}

TEST_F(ServingHttpTest, HttpIsRefusedByTheAccessPolicy) {
  options_.policy = [](std::string_view host, std::string_view origin,
                       std::string_view method) -> std::optional<HttpError> {
    return HttpError{403, absl::StrCat(std::string(host), "|", std::string(origin), "|", std::string(method)), ""};
  };
  const std::string answer = Http(Post("/test.Echo/Say", "{}", "Origin: http://evil\r\n"), "|POST");
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 403 ")) << answer;
  EXPECT_TRUE(absl::EndsWith(answer, "\r\n\r\nlocalhost|http://evil|POST")) << answer;
  EXPECT_EQ(backend_.started, 0);
}

TEST_F(ServingHttpTest, HttpClientStreamsAreNotImplementedAndPointToGrpc) {
  const std::string answer = Http(Post("/test.Echo/Collect", "{}"), "gRPC");
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 501 ")) << answer;
}

TEST_F(ServingHttpTest, HttpStreamIsLinesOfJson) {
  backend_.Set([](const Call&, Responder& responder) {
    responder.Message(Text("a"));
    responder.Message(Text("b"));
    responder.Finish(absl::OkStatus());
  });
  const std::string answer = Http(Post("/test.Echo/Count", "{}"), "0\r\n\r\n");
  EXPECT_TRUE(absl::StrContains(answer, "Transfer-Encoding: chunked")) << answer;
  EXPECT_TRUE(absl::StrContains(answer, "{\"text\":\"a\"}\n{\"text\":\"b\"}\n")) << answer;
}

TEST_F(ServingHttpTest, HttpStreamThatFailsEndsWithTheReasonAndWithoutTheLastChunk) {
  backend_.Set([](const Call&, Responder& responder) {
    responder.Message(Text("a"));
    responder.Finish(absl::UnavailableError("gone"));
  });
  RawClient client = Connect();
  const std::string answer = client.Send(Post("/test.Echo/Count", "{}")).ReadToEnd();
  EXPECT_TRUE(absl::StrContains(answer, R"({"error":{"type":"about:blank")")) << answer;
  EXPECT_TRUE(absl::StrContains(answer, R"("detail":"gone")")) << answer;
  EXPECT_FALSE(absl::EndsWith(answer, "\r\n0\r\n\r\n")) << answer;
  backend_.Set([](const Call&, Responder& responder) { responder.Finish(absl::UnavailableError("never began")); });
  EXPECT_TRUE(absl::StartsWith(Http(Post("/test.Echo/Count", "{}"), "began"), "HTTP/1.1 503 "));
}

TEST_F(ServingHttpTest, HttpStreamIsServerSentEventsWithHeartbeatsWhenAccepted) {
  options_.limits.heartbeat = absl::Milliseconds(30);
  backend_.Set(FakeBackend::Answer());
  RawClient client = Connect();
  client.Send(Post("/test.Echo/Count", "{}", "Accept: text/event-stream\r\n"));
  const std::string opened = client.ReadUntil("\r\n:\n\n\r\n", 2);
  EXPECT_TRUE(absl::StrContains(opened, "Content-Type: text/event-stream")) << opened;
  backend_.responder()->Message(Text("a"));
  EXPECT_TRUE(absl::StrContains(client.ReadUntil("\"}"), "data: {\"text\":\"a\"}"));
  backend_.responder()->Finish(absl::AbortedError("over"));
  const std::string end = client.ReadUntil("0\r\n\r\n");
  EXPECT_TRUE(absl::StrContains(end, "event: error\ndata: {")) << end;
}

TEST_F(ServingHttpTest, HttpStreamCountsWhatTheClientHasNotTaken) {
  backend_.Set(FakeBackend::Answer());
  RawClient client = Connect();
  client.Send(Post("/test.Echo/Count", "{}"));
  ASSERT_TRUE(Await([&] { return backend_.started == 1; }));
  const auto responder = backend_.responder();
  const std::string large = Text(std::string(1'000'000, 'x'));
  for (int i = 0; i < 30; ++i) responder->Message(large);
  poll(nullptr, 0, 200);
  EXPECT_GT(responder->Unsent(), 5u) << "the client has read nothing";
  responder->Finish(absl::OkStatus());
  client.ReadUntil("0\r\n\r\n");
  EXPECT_TRUE(Await([&] { return responder->Unsent() == 0; }));
}

TEST_F(ServingHttpTest, HttpRoutesFollowTheServices) {
  EXPECT_TRUE(absl::StartsWith(Http(Post("/test.Echo/Say", "{}"), "}"), "HTTP/1.1 200 "));
  backend_.Set(std::make_shared<const Services>());
  EXPECT_TRUE(absl::StartsWith(Http(Post("/test.Echo/Say", "{}"), "8080"), "HTTP/1.1 503 "));
  backend_.Set(EchoServices());
  EXPECT_TRUE(absl::StartsWith(Http(Post("/test.Echo/Say", "{}"), "}"), "HTTP/1.1 200 "));
}

}  // namespace
}  // namespace cloudstate::serving
