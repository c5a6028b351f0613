// The front door over real sockets: gRPC by gRPC's own client, HTTP by raw bytes.

#include <google/protobuf/text_format.h>
#include <poll.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <thread>

#include "emulator/serving/http_session.h"
#include "emulator/serving/http_site.h"
#include "emulator/serving/http_text.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "tests/conformance/front_door_fixture.h"

namespace cloudstate::serving {
namespace {

namespace health = grpc::health::v1;
using std::chrono::milliseconds;

class ServingTest : public FrontDoorTest {};

// --- gRPC

TEST_F(ServingTest, GrpcCallReachesTheBackendAndItsAnswerTheClient) {
  const Reply reply = Unary("/test.Echo/Say", Text("hello"));
  EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
  EXPECT_EQ(reply.payload, Text("hello"));
  const Call call = backend_.last();
  EXPECT_EQ(call.service, "test.Echo");
  EXPECT_EQ(call.method, "Say");
  EXPECT_EQ(call.protocol, "grpc");
  EXPECT_FALSE(call.deadline.has_value());
  EXPECT_TRUE(absl::StartsWith(call.peer, "127.0.0.1:")) << call.peer;
}

TEST_F(ServingTest, GrpcCarriesLargePayloadsWhole) {
  const std::string large = Text(std::string(5'000'000, 'x'));
  EXPECT_EQ(Unary("/test.Echo/Say", large).payload, large);
}

TEST_F(ServingTest, GrpcMetadataTravelsBothWaysAndTransportHeadersDoNot) {
  backend_.Set([](const Call& call, Responder& responder) {
    Metadata headers = OneEntry("Answer", "yes");
    auto& bytes = *headers.add_entries();
    bytes.set_key("raw-bin");
    bytes.set_bytes_value(Bytes("\0\xff"));
    *headers.add_entries() = OneEntry("forged", "a\r\nb: c").entries(0);
    *headers.add_entries() = OneEntry("grpc-status", "0").entries(0);
    *headers.add_entries() = OneEntry(kTraceHeader, "t1").entries(0);
    responder.Headers(headers);
    responder.Message(call.payload);
    responder.Finish(absl::OkStatus());
  });
  grpc::ClientContext context;
  context.AddMetadata("color", "blue");
  context.AddMetadata("shape-bin", Bytes("\x01\x00\x02"));
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  ASSERT_TRUE(Unary(context, "/test.Echo/Say", "").status.ok());
  const Call call = backend_.last();
  EXPECT_EQ(EntryOf(call.metadata, "color"), "text:blue");
  EXPECT_EQ(EntryOf(call.metadata, "shape-bin"), Bytes("bytes:\x01\x00\x02"));
  for (const char* transport : {"te", "content-type", "grpc-timeout", "grpc-accept-encoding", ":path"}) {
    EXPECT_EQ(EntryOf(call.metadata, transport), "none") << transport;
  }
  ASSERT_TRUE(call.deadline.has_value());
  EXPECT_GT(*call.deadline, absl::Now() + absl::Seconds(5));
  const auto& answered = context.GetServerInitialMetadata();
  ASSERT_EQ(answered.count("answer"), 1u);
  EXPECT_EQ(answered.find("answer")->second, "yes");
  EXPECT_EQ(answered.find("raw-bin")->second, grpc::string_ref("\0\xff", 2));
  EXPECT_EQ(answered.count("forged"), 0u);
  EXPECT_EQ(answered.count(kTraceHeader), 0u);
}

TEST_F(ServingTest, GrpcStatusKeepsTextAndDetails) {
  backend_.Set([](const Call&, Responder& responder) {
    absl::Status status = absl::NotFoundError("no cart \"ä\"");
    status.SetPayload(kStatusDetails, absl::Cord("details"));
    responder.Finish(status);
  });
  const Reply reply = Unary("/test.Echo/Say", "");
  EXPECT_EQ(reply.status.error_code(), grpc::NOT_FOUND);
  EXPECT_EQ(reply.status.error_message(), "no cart \"ä\"");
  EXPECT_EQ(reply.status.error_details(), "details");
}

TEST_F(ServingTest, GrpcUnaryWithoutMessageIsInternal) {
  backend_.Set([](const Call&, Responder& responder) { responder.Finish(absl::OkStatus()); });
  const Reply reply = Unary("/test.Echo/Say", "");
  EXPECT_EQ(reply.status.error_code(), grpc::INTERNAL);
  EXPECT_TRUE(absl::StrContains(reply.status.error_message(), "test.Echo.Say")) << reply.status.error_message();
}

TEST_F(ServingTest, GrpcUnknownPathsAreUnimplementedAndNameWhatIsKnown) {
  const Reply service = Unary("/test.Nothing/Say", "");
  EXPECT_EQ(service.status.error_code(), grpc::UNIMPLEMENTED);
  EXPECT_TRUE(absl::StrContains(service.status.error_message(), "test.Echo")) << service.status.error_message();
  const Reply method = Unary("/test.Echo/Shout", "");
  EXPECT_EQ(method.status.error_code(), grpc::UNIMPLEMENTED);
  EXPECT_TRUE(absl::StrContains(method.status.error_message(), "Say")) << method.status.error_message();
}

TEST_F(ServingTest, WithoutServicesEverythingIsUnavailableAndSaysWhy) {
  backend_.Set(std::make_shared<const Services>());
  const Reply reply = Unary("/test.Echo/Say", "");
  EXPECT_EQ(reply.status.error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(reply.status.error_message(), "no user function at 127.0.0.1:8080");
  const std::string http = Http(Post("/test.Echo/Say", "{}"), "8080");
  EXPECT_TRUE(absl::StartsWith(http, "HTTP/1.1 503 ")) << http;
  EXPECT_TRUE(absl::EndsWith(http, "\r\n\r\nno user function at 127.0.0.1:8080")) << http;
}

TEST_F(ServingTest, GrpcMessageAboveTheLimitIsResourceExhausted) {
  options_.limits.message_bytes = 1000;
  EXPECT_TRUE(Unary("/test.Echo/Say", Text(std::string(900, 'x'))).status.ok());
  EXPECT_EQ(Unary("/test.Echo/Say", Text(std::string(1100, 'x'))).status.error_code(), grpc::RESOURCE_EXHAUSTED);
  EXPECT_EQ(backend_.started, 1);
}

TEST_F(ServingTest, GrpcAcceptsGzip) {
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  const std::string text = Text(std::string(100'000, 'x'));
  const Reply reply = Unary(context, "/test.Echo/Say", text);
  EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
  EXPECT_EQ(reply.payload, text);
}

TEST_F(ServingTest, GrpcDeadlineCancelsTheBackendsCall) {
  backend_.Set(FakeBackend::Answer());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + milliseconds(100));
  EXPECT_EQ(Unary(context, "/test.Echo/Say", "").status.error_code(), grpc::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Await([&] { return backend_.cancelled == 1; }));
  backend_.responder()->Message("late");
  backend_.responder()->Finish(absl::OkStatus());
}

TEST_F(ServingTest, GrpcCancellationByTheClientReachesTheBackend) {
  backend_.Set(FakeBackend::Answer());
  grpc::ClientContext context;
  std::thread canceller([&] {
    EXPECT_TRUE(Await([&] { return backend_.started == 1; }));
    context.TryCancel();
  });
  EXPECT_EQ(Unary(context, "/test.Echo/Say", "").status.error_code(), grpc::CANCELLED);
  canceller.join();
  EXPECT_TRUE(Await([&] { return backend_.cancelled == 1; }));
}

TEST_F(ServingTest, GrpcCancellationByTheBackendReachesTheClient) {
  backend_.Set([](const Call&, Responder& responder) { responder.Finish(absl::CancelledError("stopped by me")); });
  const Reply reply = Unary("/test.Echo/Say", "");
  EXPECT_EQ(reply.status.error_code(), grpc::CANCELLED);
  EXPECT_EQ(reply.status.error_message(), "stopped by me");
  EXPECT_EQ(backend_.cancelled, 0);
}

TEST_F(ServingTest, GrpcStreamArrivesInOrderAndUnsentSinks) {
  backend_.Set([](const Call&, Responder& responder) {
    for (int i = 0; i < 1000; ++i) responder.Message(Text(std::to_string(i)));
    responder.Finish(absl::OkStatus());
  });
  grpc::GenericStub stub(Channel());
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  auto stream = stub.PrepareCall(&context, "/test.Echo/Count", &queue);
  const auto next = [&] {
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return ok;
  };
  stream->StartCall(this);
  ASSERT_TRUE(next());
  grpc::Slice empty;
  stream->WriteLast(grpc::ByteBuffer(&empty, 1), {}, this);
  next();
  grpc::ByteBuffer message;
  int count = 0;
  for (stream->Read(&message, this); next(); stream->Read(&message, this)) {
    grpc::Slice slice;
    ASSERT_TRUE(message.DumpToSingleSlice(&slice).ok());
    ASSERT_EQ(std::string(reinterpret_cast<const char*>(slice.begin()), slice.size()), Text(std::to_string(count)));
    ++count;
  }
  grpc::Status status;
  stream->Finish(&status, this);
  next();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(count, 1000);
  EXPECT_TRUE(Await([&] { return backend_.responder()->Unsent() <= 1; }));
}

// One gRPC call, step by step. What is started and has not ended by the time it is asked for fails the test.
class GrpcStream {
 public:
  GrpcStream(const std::shared_ptr<grpc::Channel>& channel, const std::string& path) : stub_(channel) {
    stream_ = stub_.PrepareCall(&context_, path, &queue_);
    stream_->StartCall(this);
    EXPECT_TRUE(Ended());
  }
  ~GrpcStream() {
    context_.TryCancel();
    queue_.Shutdown();
    void* tag = nullptr;
    for (bool ok = false; queue_.Next(&tag, &ok);) {
    }
  }

  void StartWrite(const std::string& message) {
    grpc::Slice slice(message);
    stream_->Write(grpc::ByteBuffer(&slice, 1), this);
  }
  bool Write(const std::string& message) {
    StartWrite(message);
    return Ended();
  }
  bool HalfClose() {
    stream_->WritesDone(this);
    return Ended();
  }
  // Nothing at the end of the answer.
  std::optional<std::string> Read() {
    grpc::ByteBuffer message;
    stream_->Read(&message, this);
    grpc::Slice slice;
    if (!Ended() || !message.DumpToSingleSlice(&slice).ok()) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  grpc::Status Finish() {
    grpc::Status status;
    stream_->Finish(&status, this);
    EXPECT_TRUE(Ended());
    return status;
  }
  void Cancel() { context_.TryCancel(); }

  // Whether what was started has ended well.
  bool Ended() { return EndsWithin(std::chrono::seconds(20)).value_or(false); }
  std::optional<bool> EndsWithin(std::chrono::milliseconds time) {
    void* tag = nullptr;
    bool ok = false;
    const auto next = queue_.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + time);
    return next == grpc::CompletionQueue::GOT_EVENT ? std::optional(ok) : std::nullopt;
  }

 private:
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
};

TEST_F(ServingTest, GrpcClientStreamIsReadToItsHalfCloseAndAnsweredOnce) {
  std::vector<std::string> taken;
  std::function<void(std::shared_ptr<RequestStream>)> read_all = [&](std::shared_ptr<RequestStream> requests) {
    requests->Read([&, requests](std::optional<std::string> message) {
      taken.push_back(message.value_or("end"));
      if (message.has_value()) return read_all(requests);
      backend_.responder()->Message(Text(absl::StrCat("got ", taken.size() - 1)));
      backend_.responder()->Finish(absl::OkStatus());
    });
  };
  backend_.Set([&](const Call& call, Responder&) { read_all(call.requests); });
  GrpcStream stream(Channel(), "/test.Echo/Collect");
  for (const char* text : {"a", "b"}) EXPECT_TRUE(stream.Write(Text(text)));
  EXPECT_TRUE(stream.HalfClose());
  EXPECT_EQ(stream.Read(), Text("got 2"));
  EXPECT_TRUE(stream.Finish().ok());
  EXPECT_EQ(taken, (std::vector<std::string>{Text("a"), Text("b"), "end"}));
  EXPECT_EQ(backend_.cancelled, 0);
}

TEST_F(ServingTest, GrpcBidirectionalCallAnswersWhileMessagesStillCome) {
  backend_.Set([&](const Call& call, Responder&) { EchoAll(call.requests, backend_.responder()); });
  GrpcStream stream(Channel(), "/test.Echo/Chat");
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(stream.Write(Text(std::to_string(i))));
    ASSERT_EQ(stream.Read(), Text(std::to_string(i)));
  }
  EXPECT_TRUE(stream.HalfClose());
  EXPECT_EQ(stream.Read(), std::nullopt);
  EXPECT_TRUE(stream.Finish().ok());
}

TEST_F(ServingTest, GrpcCallMayBeAnsweredBeforeTheClientHalfCloses) {
  backend_.Set([](const Call&, Responder& responder) { responder.Finish(absl::AbortedError("enough")); });
  GrpcStream stream(Channel(), "/test.Echo/Chat");
  EXPECT_EQ(stream.Read(), std::nullopt);
  EXPECT_EQ(stream.Finish().error_message(), "enough");
  std::optional<std::string> late = "not asked";
  backend_.last().requests->Read([&](std::optional<std::string> message) { late = std::move(message); });
  EXPECT_EQ(late, std::nullopt);
}

TEST_F(ServingTest, GrpcMessagesStayWithTheClientUntilTheBackendAsksForThem) {
  backend_.Set(FakeBackend::Answer());
  GrpcStream stream(Channel(), "/test.Echo/Chat");
  const std::string large = Text(std::string(1'000'000, 'x'));
  constexpr int kMessages = 40;
  int written = 0;
  bool held_back = false;
  for (; written < kMessages && !held_back; ++written) {
    stream.StartWrite(large);
    held_back = !stream.EndsWithin(milliseconds(300)).has_value();
  }
  EXPECT_TRUE(held_back) << "nobody has asked for a message";
  EchoAll(backend_.last().requests, backend_.responder());
  EXPECT_TRUE(stream.Ended()) << "the write that was held back";
  for (int i = 0; i < written; ++i) ASSERT_EQ(stream.Read(), large) << i;
}

TEST_F(ServingTest, GrpcCancellationEndsAStreamThatIsBeingRead) {
  backend_.Set([](const Call& call, Responder&) {
    call.requests->Read([](std::optional<std::string> message) { EXPECT_EQ(message, std::nullopt); });
  });
  GrpcStream stream(Channel(), "/test.Echo/Chat");
  ASSERT_TRUE(Await([&] { return backend_.started == 1; }));
  stream.Cancel();
  EXPECT_EQ(stream.Finish().error_code(), grpc::CANCELLED);
  EXPECT_TRUE(Await([&] { return backend_.cancelled == 1; }));
}

TEST_F(ServingTest, GrpcIsRefusedByTheAccessPolicy) {
  options_.policy = [](std::string_view host, std::string_view, std::string_view) -> std::optional<HttpError> {
    if (absl::StartsWith(std::string(host), "evil")) return HttpError{403, "not from here", ""};
    return std::nullopt;
  };
  grpc::ClientContext context;
  context.set_authority("evil.example");
  EXPECT_EQ(Unary(context, "/test.Echo/Say", "").status.error_code(), grpc::PERMISSION_DENIED);
  EXPECT_TRUE(Unary("/test.Echo/Say", "").status.ok());
}

// --- first bytes

TEST_F(ServingTest, PrefaceMayTrickleByteByByte) {
  RawClient client = Connect();
  for (const char byte : std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) {
    client.Send(std::string(1, byte));
    poll(nullptr, 0, 2);
  }
  client.Send(Bytes("\0\0\0\x04\0\0\0\0\0"));  // empty SETTINGS
  const std::string answer = client.ReadUntil(Bytes("\x04\x01\0\0\0\0"));
  ASSERT_GE(answer.size(), 9u);
  EXPECT_EQ(answer[3], '\x04') << "the server's first frame is SETTINGS";
}

TEST_F(ServingTest, HttpMayTrickleByteByByte) {
  RawClient client = Connect();
  for (const char byte : Post("/test.Echo/Say", R"({"text":"slow"})")) client.Send(std::string(1, byte));
  EXPECT_TRUE(absl::StrContains(client.ReadUntil("}"), R"({"text":"slow"})"));
}

TEST_F(ServingTest, MalformedHttp2EndsOnlyItsOwnConnection) {
  RawClient client = Connect();
  client.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  client.Send(Bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff garbage that is no frame at all"));
  client.ReadToEnd();
  EXPECT_TRUE(Unary("/test.Echo/Say", "").status.ok());
}

TEST_F(ServingTest, ConnectionsThatSayNothingOrTooLittleAreClosed) {
  options_.limits.first_bytes = absl::Milliseconds(100);
  RawClient silent = Connect();
  RawClient half = Connect();
  half.Send("PRI * HT");
  RawClient no_settings = Connect();
  no_settings.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_TRUE(silent.EndsSilently());
  EXPECT_TRUE(half.EndsSilently());
  no_settings.ReadToEnd();
  EXPECT_TRUE(Unary("/test.Echo/Say", "").status.ok());
}

TEST_F(ServingTest, OneWaitingConnectionTooManyClosesTheOldest) {
  options_.limits.waiting_connections = 2;
  RawClient oldest = Connect();
  RawClient second = Connect();
  RawClient third = Connect();
  EXPECT_TRUE(oldest.EndsSilently());
  EXPECT_TRUE(absl::StrContains(third.Send(Post("/test.Echo/Say", "{}")).ReadUntil("}"), "200 OK"));
  EXPECT_TRUE(absl::StrContains(second.Send(Post("/test.Echo/Say", "{}")).ReadUntil("}"), "200 OK"));
}

TEST_F(ServingTest, PortInUseNamesThePortAndItsHolder) {
  FrontDoor::Options second;
  second.port = Door().port();
  const auto started = FrontDoor::Start(second);
  ASSERT_EQ(started.status().code(), absl::StatusCode::kAlreadyExists);
  const std::string text(started.status().message());
  EXPECT_TRUE(absl::StrContains(text, std::to_string(second.port))) << text;
  EXPECT_TRUE(absl::StrContains(text, absl::StrCat("(pid ", getpid(), ")"))) << text;
}

TEST_F(ServingTest, UnknownHostIsNamed) {
  options_.host = "host.invalid";
  const auto started = FrontDoor::Start(options_);
  EXPECT_EQ(started.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(started.status().message(), "host.invalid"));
}

// --- HTTP

TEST_F(ServingTest, HttpCallReachesTheBackendAndItsAnswerTheClient) {
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

TEST_F(ServingTest, HttpAnswersFromAnotherThreadAndCarriesItsHeaders) {
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

TEST_F(ServingTest, HttpPipelinedRequestsAreAnsweredInOrder) {
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

TEST_F(ServingTest, HttpConnectionIsKeptOrClosedAsTheClientAsks) {
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

TEST_F(ServingTest, HttpFailureIsThePlainTextOrAProblemDocument) {
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

TEST_F(ServingTest, HttpProbeIsAnswered) {
  const std::string queue =
      Http("GET /anything HTTP/1.1\r\nHost: a\r\nK-Network-Probe: queue\r\n\r\n", "\r\n\r\nqueue");
  EXPECT_TRUE(absl::StartsWith(queue, "HTTP/1.1 200 ")) << queue;
  const std::string text = "unexpected probe header value: other";
  const std::string other = Http("GET / HTTP/1.1\r\nHost: a\r\nK-Network-Probe: other\r\n\r\n", text);
  EXPECT_TRUE(absl::StartsWith(other, "HTTP/1.1 400 ") && absl::EndsWith(other, text)) << other;
}

TEST_F(ServingTest, HttpChunkedRequestAndExpectContinueWork) {
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

TEST_F(ServingTest, HttpBodyAboveTheLimitIs413EvenWhileItIsStillBeingSent) {
  options_.limits.message_bytes = 1000;
  for (const std::string& headers : {std::string(), std::string("Expect: 100-continue\r\n")}) {
    RawClient client = Connect();
    const std::string answer = client.Send(Post("/test.Echo/Say", std::string(3'000'000, 'x'), headers)).ReadToEnd();
    EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 413 ")) << answer;
  }
  EXPECT_EQ(backend_.started, 0);
}

TEST_F(ServingTest, HttpHeadersAboveTheLimitAre431) {
  options_.limits.header_bytes = 4000;
  RawClient client = Connect();
  const std::string answer =
      client.Send(Post("/", "", absl::StrCat("A: ", std::string(10'000, 'x'), "\r\n"))).ReadToEnd();
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 431 ")) << answer;
}

TEST_F(ServingTest, MalformedHttpIs400) {
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

TEST_F(ServingTest, SlowHttpClientsAreClosed) {
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

TEST_F(ServingTest, HttpClientThatGoesAwayCancelsTheCall) {
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

TEST_F(ServingTest, HttpClientThatEndsItsSideStillGetsItsAnswer) {
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

TEST_F(ServingTest, HttpClientThatEndsItsSideStillGetsItsStreamAndIsMissedWhenItGoes) {
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

TEST_F(ServingTest, HttpDeadlineIs504AndCancelsTheCall) {
  backend_.Set(FakeBackend::Answer());
  for (const std::string& header : {std::string("Grpc-Timeout: 50m\r\n"), std::string("X-Server-Timeout: 0.05\r\n")}) {
    const int before = backend_.cancelled;
    EXPECT_TRUE(absl::StartsWith(Http(Post("/test.Echo/Say", "{}", header), "passed"), "HTTP/1.1 504 "));
    EXPECT_TRUE(backend_.last().deadline.has_value());
    EXPECT_EQ(backend_.cancelled, before + 1);
  }
  EXPECT_TRUE(absl::StartsWith(Http(Post("/test.Echo/Say", "{}", "Grpc-Timeout: soon\r\n"), "soon"), "HTTP/1.1 400 "));
}

TEST_F(ServingTest, HttpHandlersAreServedByTheirPathAndHeadHasNoBody) {
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

TEST_F(ServingTest, DoorWithoutBackendServesHandlersOnly) {
  options_.backend = nullptr;
  options_.handlers["/metrics"] = [](const HttpRequest&) { return HttpResponse{}; };
  EXPECT_TRUE(absl::StartsWith(Http("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n"), "HTTP/1.1 200 "));
  EXPECT_TRUE(absl::StartsWith(Http("GET /other HTTP/1.1\r\nHost: a\r\n\r\n", "/other"), "HTTP/1.1 404 "));
  EXPECT_FALSE(Unary("/test.Echo/Say", "").status.ok());
}

TEST_F(ServingTest, HttpIsRefusedByTheAccessPolicy) {
  options_.policy = [](std::string_view host, std::string_view origin,
                       std::string_view method) -> std::optional<HttpError> {
    return HttpError{403, absl::StrCat(std::string(host), "|", std::string(origin), "|", std::string(method)), ""};
  };
  const std::string answer = Http(Post("/test.Echo/Say", "{}", "Origin: http://evil\r\n"), "|POST");
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 403 ")) << answer;
  EXPECT_TRUE(absl::EndsWith(answer, "\r\n\r\nlocalhost|http://evil|POST")) << answer;
  EXPECT_EQ(backend_.started, 0);
}

TEST_F(ServingTest, HttpClientStreamsAreNotImplementedAndPointToGrpc) {
  const std::string answer = Http(Post("/test.Echo/Collect", "{}"), "gRPC");
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 501 ")) << answer;
}

TEST_F(ServingTest, HttpStreamIsLinesOfJson) {
  backend_.Set([](const Call&, Responder& responder) {
    responder.Message(Text("a"));
    responder.Message(Text("b"));
    responder.Finish(absl::OkStatus());
  });
  const std::string answer = Http(Post("/test.Echo/Count", "{}"), "0\r\n\r\n");
  EXPECT_TRUE(absl::StrContains(answer, "Transfer-Encoding: chunked")) << answer;
  EXPECT_TRUE(absl::StrContains(answer, "{\"text\":\"a\"}\n{\"text\":\"b\"}\n")) << answer;
}

TEST_F(ServingTest, HttpStreamThatFailsEndsWithTheReasonAndWithoutTheLastChunk) {
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

TEST_F(ServingTest, HttpStreamIsServerSentEventsWithHeartbeatsWhenAccepted) {
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

TEST_F(ServingTest, HttpStreamCountsWhatTheClientHasNotTaken) {
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

TEST_F(ServingTest, HttpRoutesFollowTheServices) {
  EXPECT_TRUE(absl::StartsWith(Http(Post("/test.Echo/Say", "{}"), "}"), "HTTP/1.1 200 "));
  backend_.Set(std::make_shared<const Services>());
  EXPECT_TRUE(absl::StartsWith(Http(Post("/test.Echo/Say", "{}"), "8080"), "HTTP/1.1 503 "));
  backend_.Set(EchoServices());
  EXPECT_TRUE(absl::StartsWith(Http(Post("/test.Echo/Say", "{}"), "}"), "HTTP/1.1 200 "));
}

// --- reflection and health

template <class Service, class Request, class Response>
Response Ask(const std::shared_ptr<grpc::Channel>& channel, const Request& request) {
  auto stub = Service::NewStub(channel);
  grpc::ClientContext context;
  auto stream = stub->ServerReflectionInfo(&context);
  Response response;
  EXPECT_TRUE(stream->Write(request));
  EXPECT_TRUE(stream->Read(&response));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
  return response;
}

namespace v1 = grpc::reflection::v1;
namespace v1alpha = grpc::reflection::v1alpha;

v1::ServerReflectionResponse AskV1(const std::shared_ptr<grpc::Channel>& channel,
                                   const v1::ServerReflectionRequest& request) {
  return Ask<v1::ServerReflection, v1::ServerReflectionRequest, v1::ServerReflectionResponse>(channel, request);
}
v1alpha::ServerReflectionResponse AskV1Alpha(const std::shared_ptr<grpc::Channel>& channel,
                                             const v1alpha::ServerReflectionRequest& request) {
  return Ask<v1alpha::ServerReflection, v1alpha::ServerReflectionRequest, v1alpha::ServerReflectionResponse>(channel,
                                                                                                             request);
}

TEST_F(ServingTest, ReflectionListsItselfAndThenTheServicesByName) {
  v1alpha::ServerReflectionRequest old_request;
  old_request.set_host("h");
  old_request.set_list_services("anything");
  const auto old_answer = AskV1Alpha(Channel(), old_request);
  EXPECT_EQ(old_answer.original_request().SerializeAsString(), old_request.SerializeAsString());
  ASSERT_EQ(old_answer.list_services_response().service_size(), 3);
  EXPECT_EQ(old_answer.list_services_response().service(0).name(), "grpc.reflection.v1alpha.ServerReflection");
  EXPECT_EQ(old_answer.list_services_response().service(1).name(), "test.Another");
  EXPECT_EQ(old_answer.list_services_response().service(2).name(), "test.Echo");
  v1::ServerReflectionRequest request;
  request.set_list_services("*");
  EXPECT_EQ(AskV1(Channel(), request).list_services_response().service(0).name(),
            "grpc.reflection.v1.ServerReflection");
}

TEST_F(ServingTest, ReflectionAnswersAFileWithItsDependencies) {
  v1::ServerReflectionRequest by_symbol;
  by_symbol.set_file_containing_symbol("test.Echo.Say");
  v1::ServerReflectionRequest by_name;
  by_name.set_file_by_filename("echo.proto");
  for (const auto& request : {by_symbol, by_name}) {
    const auto files = AskV1(Channel(), request).file_descriptor_response();
    ASSERT_EQ(files.file_descriptor_proto_size(), 2);
    google::protobuf::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromString(files.file_descriptor_proto(0)));
    EXPECT_EQ(file.name(), "echo.proto");
    ASSERT_TRUE(file.ParseFromString(files.file_descriptor_proto(1)));
    EXPECT_EQ(file.name(), "text.proto");
  }
  v1::ServerReflectionRequest itself;
  itself.set_file_containing_symbol("grpc.reflection.v1.ServerReflection");
  EXPECT_EQ(AskV1(Channel(), itself).file_descriptor_response().file_descriptor_proto_size(), 1);
}

TEST_F(ServingTest, ReflectionAnswersUnknownSymbolsAsEachVersionDoes) {
  v1alpha::ServerReflectionRequest old_request;
  old_request.set_file_containing_symbol("test.Nothing");
  const auto old_answer = AskV1Alpha(Channel(), old_request);
  EXPECT_TRUE(old_answer.has_file_descriptor_response());
  EXPECT_EQ(old_answer.file_descriptor_response().file_descriptor_proto_size(), 0);
  v1::ServerReflectionRequest request;
  request.set_file_containing_symbol("test.Nothing");
  const auto answer = AskV1(Channel(), request);
  EXPECT_EQ(answer.error_response().error_code(), grpc::NOT_FOUND);
  EXPECT_TRUE(absl::StrContains(answer.error_response().error_message(), "test.Nothing"));
}

TEST_F(ServingTest, HealthIsServingWhileServicesAreKnown) {
  auto stub = health::Health::NewStub(Channel());
  const auto check = [&](const std::string& service, health::HealthCheckResponse& response) {
    grpc::ClientContext context;
    health::HealthCheckRequest request;
    request.set_service(service);
    return stub->Check(&context, request, &response).error_code();
  };
  health::HealthCheckResponse response;
  EXPECT_EQ(check("", response), grpc::OK);
  EXPECT_EQ(response.status(), health::HealthCheckResponse::SERVING);
  EXPECT_EQ(check("test.Echo", response), grpc::OK);
  EXPECT_EQ(response.status(), health::HealthCheckResponse::SERVING);
  EXPECT_EQ(check("test.Nothing", response), grpc::NOT_FOUND);
  backend_.Set(std::make_shared<const Services>());
  EXPECT_EQ(check("", response), grpc::OK);
  EXPECT_EQ(response.status(), health::HealthCheckResponse::NOT_SERVING);
}

TEST_F(ServingTest, HealthWatchTellsChangesAndEndsWithTheServer) {
  auto stub = health::Health::NewStub(Channel());
  grpc::ClientContext context;
  health::HealthCheckRequest request;
  request.set_service("test.Echo");
  auto stream = stub->Watch(&context, request);
  health::HealthCheckResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.status(), health::HealthCheckResponse::SERVING);
  backend_.Set(std::make_shared<const Services>());
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.status(), health::HealthCheckResponse::SERVICE_UNKNOWN);
  const auto before = std::chrono::steady_clock::now();
  door_->Shutdown(absl::Seconds(30));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(15)) << "not for the whole grace";
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::UNAVAILABLE);
}

// --- shutdown

TEST_F(ServingTest, ShutdownLetsCallsFinishWithinTheGrace) {
  backend_.Set(FakeBackend::Answer());
  RawClient client = Connect();
  client.Send(Post("/test.Echo/Say", "{}"));
  RawClient idle = Connect();
  idle.Send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").ReadUntil("\r\n\r\n");
  ASSERT_TRUE(Await([&] { return backend_.started == 1; }));
  const auto http = backend_.responder();
  Reply reply;
  std::thread caller([&] { reply = Unary("/test.Echo/Say", ""); });
  ASSERT_TRUE(Await([&] { return backend_.started == 2; }));
  const auto rpc = backend_.responder();
  std::thread stopper([&] { door_->Shutdown(absl::Seconds(30)); });
  idle.ReadToEnd();
  for (const auto& responder : {http, rpc}) {
    responder->Message(Text("in time"));
    responder->Finish(absl::OkStatus());
  }
  stopper.join();
  caller.join();
  EXPECT_EQ(reply.payload, Text("in time"));
  EXPECT_TRUE(absl::StrContains(client.ReadToEnd(), "in time"));
  EXPECT_EQ(backend_.cancelled, 0);
}

TEST_F(ServingTest, ShutdownCancelsCallsAfterTheGrace) {
  backend_.Set(FakeBackend::Answer());
  RawClient client = Connect();
  client.Send(Post("/test.Echo/Say", "{}"));
  Reply reply;
  std::thread caller([&] { reply = Unary("/test.Echo/Say", ""); });
  ASSERT_TRUE(Await([&] { return backend_.started == 2; }));
  door_->Shutdown(absl::Milliseconds(50));
  caller.join();
  EXPECT_FALSE(reply.status.ok());
  EXPECT_EQ(backend_.cancelled, 2);
  EXPECT_TRUE(client.EndsSilently());
  backend_.responder()->Finish(absl::OkStatus());  // to nobody
}

TEST(HttpSessionTest, OneWhoseSocketCannotBeTakenOverEndsAndItsClientNotices) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  boost::asio::io_context io;
  boost::asio::ip::tcp::socket owner(io);
  owner.assign(boost::asio::ip::tcp::v4(), ends[0]);  // nobody else can wait for it now
  HttpSite site{FrontDoor::Options()};
  int ended = 0;
  const auto session =
      StartHttpSession(io, site, {ends[0], "GET / HTTP/1.1\r\n", "peer"}, [&](HttpSession*) { ++ended; });
  EXPECT_EQ(ended, 0);
  io.run();
  EXPECT_EQ(ended, 1);
  char byte = 0;
  EXPECT_EQ(recv(ends[1], &byte, 1, MSG_DONTWAIT), 0);
  close(ends[1]);
  boost::system::error_code closed_already;
  owner.release(closed_already);
}

}  // namespace
}  // namespace cloudstate::serving
