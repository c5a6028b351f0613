// gRPC on the front door over real sockets, by gRPC's own client.

#include <thread>

#include "emulator/serving/http_text.h"
#include "tests/conformance/front_door_fixture.h"

namespace cloudstate::serving {
namespace {

using std::chrono::milliseconds;

class ServingGrpcTest : public FrontDoorTest {};

TEST_F(ServingGrpcTest, GrpcCallReachesTheBackendAndItsAnswerTheClient) {
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

TEST_F(ServingGrpcTest, GrpcCarriesLargePayloadsWhole) {
  const std::string large = Text(std::string(5'000'000, 'x'));
  EXPECT_EQ(Unary("/test.Echo/Say", large).payload, large);
}

TEST_F(ServingGrpcTest, GrpcMetadataTravelsBothWaysAndTransportHeadersDoNot) {
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

TEST_F(ServingGrpcTest, GrpcStatusKeepsTextAndDetails) {
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

TEST_F(ServingGrpcTest, GrpcUnaryWithoutMessageIsInternal) {
  backend_.Set([](const Call&, Responder& responder) { responder.Finish(absl::OkStatus()); });
  const Reply reply = Unary("/test.Echo/Say", "");
  EXPECT_EQ(reply.status.error_code(), grpc::INTERNAL);
  EXPECT_TRUE(absl::StrContains(reply.status.error_message(), "test.Echo.Say")) << reply.status.error_message();
}

TEST_F(ServingGrpcTest, GrpcUnknownPathsAreUnimplementedAndNameWhatIsKnown) {
  const Reply service = Unary("/test.Nothing/Say", "");
  EXPECT_EQ(service.status.error_code(), grpc::UNIMPLEMENTED);
  EXPECT_TRUE(absl::StrContains(service.status.error_message(), "test.Echo")) << service.status.error_message();
  const Reply method = Unary("/test.Echo/Shout", "");
  EXPECT_EQ(method.status.error_code(), grpc::UNIMPLEMENTED);
  EXPECT_TRUE(absl::StrContains(method.status.error_message(), "Say")) << method.status.error_message();
}

TEST_F(ServingGrpcTest, WithoutServicesEverythingIsUnavailableAndSaysWhy) {
  backend_.Set(std::make_shared<const Services>());
  const Reply reply = Unary("/test.Echo/Say", "");
  EXPECT_EQ(reply.status.error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(reply.status.error_message(), "no user function at 127.0.0.1:8080");
  const std::string http = Http(Post("/test.Echo/Say", "{}"), "8080");
  EXPECT_TRUE(absl::StartsWith(http, "HTTP/1.1 503 ")) << http;
  EXPECT_TRUE(absl::EndsWith(http, "\r\n\r\nno user function at 127.0.0.1:8080")) << http;
}

TEST_F(ServingGrpcTest, GrpcMessageAboveTheLimitIsResourceExhausted) {
  options_.limits.message_bytes = 1000;
  EXPECT_TRUE(Unary("/test.Echo/Say", Text(std::string(900, 'x'))).status.ok());
  EXPECT_EQ(Unary("/test.Echo/Say", Text(std::string(1100, 'x'))).status.error_code(), grpc::RESOURCE_EXHAUSTED);
  EXPECT_EQ(backend_.started, 1);
}

TEST_F(ServingGrpcTest, GrpcAcceptsGzip) {
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  const std::string text = Text(std::string(100'000, 'x'));
  const Reply reply = Unary(context, "/test.Echo/Say", text);
  EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
  EXPECT_EQ(reply.payload, text);
}

TEST_F(ServingGrpcTest, GrpcDeadlineCancelsTheBackendsCall) {
  backend_.Set(FakeBackend::Answer());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + milliseconds(1000));
  EXPECT_EQ(Unary(context, "/test.Echo/Say", "").status.error_code(), grpc::DEADLINE_EXCEEDED);
  ASSERT_TRUE(Await([&] { return backend_.cancelled == 1; }));
  backend_.responder()->Message("late");
  backend_.responder()->Finish(absl::OkStatus());
}

TEST_F(ServingGrpcTest, GrpcCancellationByTheClientReachesTheBackend) {
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

TEST_F(ServingGrpcTest, GrpcCancellationByTheBackendReachesTheClient) {
  backend_.Set([](const Call&, Responder& responder) { responder.Finish(absl::CancelledError("stopped by me")); });
  const Reply reply = Unary("/test.Echo/Say", "");
  EXPECT_EQ(reply.status.error_code(), grpc::CANCELLED);
  EXPECT_EQ(reply.status.error_message(), "stopped by me");
  EXPECT_EQ(backend_.cancelled, 0);
}

TEST_F(ServingGrpcTest, GrpcStreamArrivesInOrderAndUnsentSinks) {
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

TEST_F(ServingGrpcTest, GrpcClientStreamIsReadToItsHalfCloseAndAnsweredOnce) {
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

TEST_F(ServingGrpcTest, GrpcBidirectionalCallAnswersWhileMessagesStillCome) {
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

TEST_F(ServingGrpcTest, GrpcCallMayBeAnsweredBeforeTheClientHalfCloses) {
  backend_.Set([](const Call&, Responder& responder) { responder.Finish(absl::AbortedError("enough")); });
  GrpcStream stream(Channel(), "/test.Echo/Chat");
  EXPECT_EQ(stream.Read(), std::nullopt);
  EXPECT_EQ(stream.Finish().error_message(), "enough");
  std::optional<std::string> late = "not asked";
  backend_.last().requests->Read([&](std::optional<std::string> message) { late = std::move(message); });
  EXPECT_EQ(late, std::nullopt);
}

TEST_F(ServingGrpcTest, GrpcMessagesStayWithTheClientUntilTheBackendAsksForThem) {
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

TEST_F(ServingGrpcTest, GrpcCancellationEndsAStreamThatIsBeingRead) {
  backend_.Set([](const Call& call, Responder&) {
    call.requests->Read([](std::optional<std::string> message) { EXPECT_EQ(message, std::nullopt); });
  });
  GrpcStream stream(Channel(), "/test.Echo/Chat");
  ASSERT_TRUE(Await([&] { return backend_.started == 1; }));
  stream.Cancel();
  EXPECT_EQ(stream.Finish().error_code(), grpc::CANCELLED);
  EXPECT_TRUE(Await([&] { return backend_.cancelled == 1; }));
}

TEST_F(ServingGrpcTest, GrpcIsRefusedByTheAccessPolicy) {
  options_.policy = [](std::string_view host, std::string_view, std::string_view) -> std::optional<HttpError> {
    if (absl::StartsWith(std::string(host), "evil")) return HttpError{403, "not from here", ""};
    return std::nullopt;
  };
  grpc::ClientContext context;
  context.set_authority("evil.example");
  EXPECT_EQ(Unary(context, "/test.Echo/Say", "").status.error_code(), grpc::PERMISSION_DENIED);
  EXPECT_TRUE(Unary("/test.Echo/Say", "").status.ok());
}

}  // namespace
}  // namespace cloudstate::serving
