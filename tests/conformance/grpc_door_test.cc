// The front door's gRPC by raw bytes: what no well-behaved client says.

#include <zlib.h>

#include <map>
#include <set>

#include "emulator/http2/frame_output.h"
#include "tests/conformance/front_door_fixture.h"
#include "tests/conformance/raw_peer.h"

namespace cloudstate::serving {
namespace {

using testing::Field;
using testing::Frame;
using testing::GrpcMessage;
using testing::kData;
using testing::kEndHeaders;
using testing::kEndStream;
using testing::kGoAway;
using testing::kHeaders;
using testing::kReset;
using testing::kSettings;
using testing::Number;

constexpr char kResourceExhausted[] = "8";
constexpr char kUnimplemented[] = "12";
constexpr char kInternal[] = "13";

constexpr std::uint8_t kAck = 1;
constexpr std::uint8_t kPing = 6;
constexpr std::uint8_t kWindowUpdate = 8;
constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct ReceivedFrame {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
};

// A client that says what a test wants.
class RawGrpcClient {
 public:
  explicit RawGrpcClient(std::uint16_t port) : client_(port) {
    client_.Send(kPreface + Frame(kSettings, 0, 0, "") + Frame(kSettings, kAck, 0, ""));
  }

  RawGrpcClient& Send(const std::string& bytes) {
    client_.Send(bytes);
    return *this;
  }
  RawGrpcClient& Open(std::uint32_t stream, const std::string& path, const std::string& more = "",
                      std::uint8_t flags = kEndHeaders) {
    return Send(Frame(kHeaders, flags, stream, Request(path, more)));
  }
  RawGrpcClient& Call(std::uint32_t stream, const std::string& path, const std::string& body,
                      const std::string& more = "") {
    return Open(stream, path, more).Send(Frame(kData, kEndStream, stream, body));
  }

  // The next frame of this type, for this stream if that is not 0; nothing when the connection has ended.
  std::optional<ReceivedFrame> AwaitFrame(std::uint8_t type, std::uint32_t stream = 0) {
    while (auto frame = AnyFrame()) {
      if (frame->type == type && (stream == 0 || frame->stream == stream)) return frame;
    }
    return std::nullopt;
  }
  std::optional<ReceivedFrame> AnyFrame() {
    while (true) {
      if (auto frame = Next()) return frame;
      const std::string more = client_.ReadOnce();
      if (more.empty()) return std::nullopt;
      received_ += more;
    }
  }
  // All DATA of the stream until it ends, and the status that it ends with.
  struct Answer {
    std::string body;
    std::string status = "none";  // gRPC's, or HTTP's if that is not 200
  };
  Answer Await(std::uint32_t stream) {
    Answer answer;
    while (auto frame = AnyFrame()) {
      if (frame->stream != stream) continue;
      if (frame->type == kData) answer.body += frame->payload;
      if (frame->type == kReset || (frame->flags & kEndStream) != 0) break;
    }
    const auto status = statuses_.find(stream);
    if (status != statuses_.end()) answer.status = status->second;
    return answer;
  }
  void EndInput() { client_.EndInput(); }
  void Close() { client_.Close(); }

  static std::string Request(const std::string& path, const std::string& more) {
    return Field(":method", "POST") + Field(":scheme", "http") + Field(":path", path) +
           Field(":authority", "localhost") + Field("te", "trailers") + Field("content-type", "application/grpc") +
           more;
  }

 private:
  struct DeleteInflater {
    void operator()(nghttp2_hd_inflater* inflater) const { nghttp2_hd_inflate_del(inflater); }
  };
  static std::unique_ptr<nghttp2_hd_inflater, DeleteInflater> NewInflater() {
    nghttp2_hd_inflater* inflater = nullptr;
    nghttp2_hd_inflate_new(&inflater);
    return std::unique_ptr<nghttp2_hd_inflater, DeleteInflater>(inflater);
  }

  std::map<std::string, std::string> HeadersIn(const std::string& block) {
    std::map<std::string, std::string> headers;
    const auto* at = reinterpret_cast<const std::uint8_t*>(block.data());
    const auto* end = at + block.size();
    while (true) {
      nghttp2_nv header{};
      int flags = 0;
      const ssize_t used =
          nghttp2_hd_inflate_hd2(inflater_.get(), &header, &flags, at, static_cast<std::size_t>(end - at), 1);
      if (used < 0) break;
      at += used;
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        headers.emplace(http2::Text(header.name, header.namelen), http2::Text(header.value, header.valuelen));
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_.get());
    return headers;
  }
  // Every block has to be read, because later ones refer to what it says.
  void ReadHeaders(const ReceivedFrame& frame) {
    for (const auto& [name, value] : HeadersIn(frame.payload)) {
      if (name == "grpc-status" || (name == ":status" && value != "200")) statuses_[frame.stream] = value;
    }
  }

  std::optional<ReceivedFrame> Next() {
    if (received_.size() < 9) return std::nullopt;
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(received_[i]); };
    const std::size_t size = static_cast<std::size_t>(at(0)) << 16 | static_cast<std::size_t>(at(1)) << 8 | at(2);
    if (received_.size() < 9 + size) return std::nullopt;
    ReceivedFrame frame{at(3), at(4), 0, received_.substr(9, size)};
    for (std::size_t i = 5; i < 9; ++i) frame.stream = frame.stream << 8 | at(i);
    received_.erase(0, 9 + size);
    if (frame.type == kHeaders) ReadHeaders(frame);
    return frame;
  }

  RawClient client_;
  std::string received_;
  std::map<std::uint32_t, std::string> statuses_;
  std::unique_ptr<nghttp2_hd_inflater, DeleteInflater> inflater_ = NewInflater();
};

class GrpcDoorTest : public FrontDoorTest {
 protected:
  RawGrpcClient Peer() { return RawGrpcClient(Door().port()); }
  bool StillServes() { return Unary("/test.Echo/Say", Text("x")).payload == Text("x"); }
};

// ---- requests that are no calls, or not whole

TEST_F(GrpcDoorTest, AnswersOtherRequestsThanCallsWith415) {
  auto peer = Peer();
  peer.Send(Frame(
      kHeaders, kEndHeaders | kEndStream, 1,
      Field(":method", "GET") + Field(":scheme", "http") + Field(":path", "/") + Field(":authority", "localhost")));
  EXPECT_EQ(peer.Await(1).status, "415");
  std::string web = RawGrpcClient::Request("/test.Echo/Say", "");
  web.replace(web.find("application/grpc") - 1, 17,
              "\x14"
              "application/grpc-web");
  peer.Send(Frame(kHeaders, kEndHeaders, 3, web)).Send(Frame(kData, kEndStream, 3, GrpcMessage("")));
  EXPECT_EQ(peer.Await(3).status, "415");
  EXPECT_EQ(backend_.started, 0);
}

TEST_F(GrpcDoorTest, StartsAUnaryCallOnlyWithExactlyOneWholeMessage) {
  auto peer = Peer();
  const std::string message = GrpcMessage(Text("x"));
  peer.Open(1, "/test.Echo/Say", "", kEndHeaders | kEndStream);
  EXPECT_EQ(peer.Await(1).status, kInternal);
  peer.Call(3, "/test.Echo/Say", message.substr(0, 6));
  EXPECT_EQ(peer.Await(3).status, kInternal);
  peer.Call(5, "/test.Echo/Say", message + message);
  EXPECT_EQ(peer.Await(5).status, kInternal);
  EXPECT_EQ(backend_.started, 0);
  peer.Open(7, "/test.Echo/Say");
  for (const char each : message) peer.Send(Frame(kData, 0, 7, std::string(1, each)));
  EXPECT_EQ(backend_.started, 0);
  peer.Send(Frame(kData, kEndStream, 7, ""));
  EXPECT_EQ(peer.Await(7).body, message);
}

TEST_F(GrpcDoorTest, TakesMetadataInAllItsForms) {
  auto peer = Peer();
  peer.Call(1, "/test.Echo/Say", GrpcMessage(""),
            Field("a-bin", "AQI=") + Field("b-bin", "AQI") + Field("c-bin", "AQ,Ag==") + Field("d", " x y ") +
                Field("not-utf-8", "\xe9"));
  EXPECT_EQ(peer.Await(1).body, GrpcMessage(""));
  const Metadata metadata = backend_.last().metadata;
  EXPECT_EQ(EntryOf(metadata, "a-bin"), "bytes:\x01\x02");
  EXPECT_EQ(EntryOf(metadata, "b-bin"), "bytes:\x01\x02");
  EXPECT_EQ(EntryOf(metadata, "c-bin"), "bytes:\x01");
  EXPECT_EQ(metadata.entries(3).bytes_value(), "\x02");
  EXPECT_EQ(EntryOf(metadata, "d"), "text: x y ");
  EXPECT_EQ(metadata.entries_size(), 5);
  peer.Call(3, "/test.Echo/Say", GrpcMessage(""), Field("a-bin", "?"));
  peer.Call(5, "/test.Echo/Say", GrpcMessage(""), Field("grpc-timeout", "soon"));
  peer.Call(7, "/test.Echo/Say", GrpcMessage(""), Field("grpc-encoding", "br"));
  EXPECT_EQ(peer.Await(3).status, kInternal);
  EXPECT_EQ(peer.Await(5).status, kInternal);
  EXPECT_EQ(peer.Await(7).status, kUnimplemented);
  EXPECT_EQ(backend_.started, 1);
}

std::string Gzip(const std::string& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return "";
  std::string result(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

TEST_F(GrpcDoorTest, InflatesNoMoreThanTheLimitAndNothingThatNobodyDeclared) {
  options_.limits.message_bytes = 1000;
  auto peer = Peer();
  const std::string gzip = Field("grpc-encoding", "gzip");
  peer.Call(1, "/test.Echo/Say", GrpcMessage(Gzip("fits"), 1), gzip);
  EXPECT_EQ(peer.Await(1).body, GrpcMessage("fits"));
  peer.Call(3, "/test.Echo/Say", GrpcMessage(Gzip(std::string(500'000, 'x')), 1), gzip);
  EXPECT_EQ(peer.Await(3).status, kResourceExhausted);
  peer.Call(5, "/test.Echo/Say", GrpcMessage("no gzip", 1), gzip);
  EXPECT_EQ(peer.Await(5).status, kInternal);
  peer.Call(7, "/test.Echo/Say", GrpcMessage(Gzip("fits"), 1));
  EXPECT_EQ(peer.Await(7).status, kInternal);
  EXPECT_EQ(backend_.started, 1);
}

TEST_F(GrpcDoorTest, RefusesHeadersAboveTheLimitAndGoesOn) {
  options_.limits.header_bytes = 2000;
  auto peer = Peer();
  std::string many;
  for (int i = 0; i < 30; ++i) many += Field("name", std::string(100, 'x'));
  peer.Call(1, "/test.Echo/Say", GrpcMessage(""), many);
  EXPECT_EQ(peer.Await(1).status, kResourceExhausted);
  peer.Call(3, "/test.Echo/Say", GrpcMessage("x"));
  EXPECT_EQ(peer.Await(3).body, GrpcMessage("x"));
  EXPECT_EQ(backend_.started, 1);
}

TEST_F(GrpcDoorTest, AppliesTheAccessPolicyToItsOwnServicesToo) {
  options_.policy = [](std::string_view, std::string_view, std::string_view) {
    return HttpError{.status = 403, .text = "no\n", .allow = ""};
  };
  for (const char* path : {"/test.Echo/Say", "/grpc.health.v1.Health/Check", "/no.Such/Path",
                           "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"}) {
    EXPECT_EQ(Unary(path, "").status.error_code(), grpc::PERMISSION_DENIED) << path;
  }
}

// ---- calls that end otherwise than by their answer

TEST_F(GrpcDoorTest, ResetCallsAreCancelledAndForgotten) {
  backend_.Set(FakeBackend::Answer());
  auto peer = Peer();
  constexpr int kCalls = 1000;
  for (int i = 0; i < kCalls; ++i) {
    const auto stream = static_cast<std::uint32_t>(2 * i + 1);
    peer.Call(stream, "/test.Echo/Say", GrpcMessage(""));
    if (i % 2 == 0) {
      ASSERT_TRUE(Await([&] { return backend_.started > i / 2; }));
    }
    peer.Send(Frame(kReset, 0, stream, Number(8)));
  }
  EXPECT_TRUE(Await([&] { return backend_.started >= kCalls / 2 && backend_.cancelled == backend_.started; }));
}

TEST_F(GrpcDoorTest, CallsOfAClientThatGoesAreCancelled) {
  backend_.Set(FakeBackend::Answer());
  auto closes = Peer();
  auto half_closes = Peer();
  auto breaks = Peer();
  for (auto* each : {&closes, &half_closes, &breaks}) each->Call(1, "/test.Echo/Say", GrpcMessage(""));
  ASSERT_TRUE(Await([&] { return backend_.started == 3; }));
  closes.Close();
  half_closes.EndInput();
  breaks.Send(std::string(100, '\xff'));
  EXPECT_TRUE(Await([&] { return backend_.cancelled == 3; }));
}

TEST_F(GrpcDoorTest, DeadlineEndsACallWhoseAnswersAreNotTaken) {
  backend_.Set([](const Call&, Responder& responder) {
    for (int i = 0; i < 100; ++i) responder.Message(std::string(10'000, 'x'));
    responder.Finish(absl::OkStatus());
  });
  auto peer = Peer();
  peer.Call(1, "/test.Echo/Count", GrpcMessage(""), Field("grpc-timeout", "200m"));
  EXPECT_TRUE(peer.AwaitFrame(kReset, 1).has_value());
  EXPECT_EQ(backend_.cancelled, 0);
  EXPECT_EQ(backend_.responder()->Unsent(), 0u);
}

TEST_F(GrpcDoorTest, AnswersToASlowClientStayUnsentUntilItMakesRoom) {
  backend_.Set(FakeBackend::Answer());
  auto peer = Peer();
  peer.Call(1, "/test.Echo/Count", GrpcMessage(""));
  ASSERT_TRUE(Await([&] { return backend_.started == 1; }));
  const auto responder = backend_.responder();
  for (int i = 0; i < 10; ++i) responder->Message(std::string(10'000, 'x'));
  std::atomic<bool> writable = false;
  responder->WhenWritable([&] { writable = true; });
  // 65,535 bytes are what a client allows at first: six messages and a part of the seventh.
  EXPECT_TRUE(Await([&] { return responder->Unsent() == 4; }));
  EXPECT_FALSE(writable);
  peer.Send(Frame(kWindowUpdate, 0, 0, Number(100'000)) + Frame(kWindowUpdate, 0, 1, Number(100'000)));
  EXPECT_TRUE(Await([&] { return writable.load(); }));
  responder->Finish(absl::OkStatus());
  EXPECT_EQ(peer.Await(1).body.size(), 10u * 10'005);
}

TEST_F(GrpcDoorTest, EndsCallsWhoseAnswersAreHalfOnTheirWay) {
  constexpr std::uint32_t kCalls = 2'000;
  // One message, so that a frame that has been begun holds the whole of it.
  backend_.Set([](const Call&, Responder& responder) { responder.Message(std::string(10'000, 'x')); });
  auto peer = Peer();
  constexpr std::uint32_t kLarge = 1 << 30;
  peer.Send(Frame(kSettings, 0, 0, std::string("\0\x04", 2) + Number(kLarge)));
  peer.Send(Frame(kWindowUpdate, 0, 0, Number(kLarge)));
  for (std::uint32_t i = 0; i < kCalls; ++i) peer.Open(2 * i + 1, "/test.Echo/Chat");
  // The client reads nothing: what the socket takes is far less than all of it.
  ASSERT_TRUE(Await([&] { return backend_.started == static_cast<int>(kCalls); }));
  EXPECT_GT(backend_.responder()->Unsent(), 0u);
  for (std::uint32_t i = 0; i < kCalls; ++i) peer.Send(Frame(kData, 0, 2 * i + 1, "\x02no flag of a message"));
  ASSERT_TRUE(Await([&] { return backend_.cancelled == static_cast<int>(kCalls); }));
  std::set<std::uint32_t> ended;
  while (ended.size() < kCalls) {
    const auto frame = peer.AnyFrame();
    ASSERT_TRUE(frame.has_value()) << "the connection has broken";
    if (frame->type == kReset || (frame->flags & kEndStream) != 0) ended.insert(frame->stream);
  }
}

TEST_F(GrpcDoorTest, MessagesThatNobodyAsksForAreBoundedByTheWindowOfTheirStream) {
  backend_.Set(FakeBackend::Answer());
  auto peer = Peer();
  peer.Open(1, "/test.Echo/Chat");
  std::string message = GrpcMessage(std::string(16'379, 'x'));  // a frame's most
  for (int i = 0; i < 16; ++i) peer.Send(Frame(kData, 0, 1, message));
  for (const char* ping : {"askfirst", "asklater"}) {  // the answer to a ping may overtake
    peer.Send(Frame(kPing, 0, 0, ping));
    while (const auto frame = peer.AnyFrame()) {
      EXPECT_FALSE(frame->type == kWindowUpdate && frame->stream == 1) << "nobody has asked";
      if (frame->type == kPing) break;
    }
  }
  EchoAll(backend_.last().requests, backend_.responder());
  EXPECT_TRUE(peer.AwaitFrame(kWindowUpdate, 1).has_value());
}

// ---- connections

TEST_F(GrpcDoorTest, EndsAConnectionThatFloodsItWithPings) {
  auto peer = Peer();
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += Frame(kPing, 0, 0, "12345678");
  for (int i = 0; i < 200; ++i) peer.Send(pings);  // and reads none of the answers
  peer.EndInput();
  while (peer.AwaitFrame(kPing).has_value()) {
  }
  EXPECT_TRUE(StillServes());
}

TEST_F(GrpcDoorTest, ServesTenThousandCallsOfOneConnectionAtOnce) {
  backend_.Set(FakeBackend::Answer());
  auto peer = Peer();
  constexpr std::uint32_t kCalls = 10'000;
  for (std::uint32_t i = 0; i < kCalls; ++i) peer.Call(2 * i + 1, "/test.Echo/Say", GrpcMessage(""));
  EXPECT_TRUE(Await([&] { return backend_.started == static_cast<int>(kCalls); }));
  peer.Close();
  EXPECT_TRUE(Await([&] { return backend_.cancelled == static_cast<int>(kCalls); }));
}

TEST_F(GrpcDoorTest, KeepsAConnectionThatDoesNothing) {
  options_.limits.first_bytes = absl::Milliseconds(500);
  auto peer = Peer();
  ASSERT_TRUE(peer.AwaitFrame(kSettings).has_value());
  poll(nullptr, 0, 1000);
  peer.Call(1, "/test.Echo/Say", GrpcMessage("x"));
  EXPECT_EQ(peer.Await(1).body, GrpcMessage("x"));
}

TEST_F(GrpcDoorTest, SaysGoodbyeAtShutdownAndLetsTheCallsFinish) {
  backend_.Set(FakeBackend::Answer());
  auto peer = Peer();
  peer.Call(1, "/test.Echo/Say", GrpcMessage(""));
  ASSERT_TRUE(Await([&] { return backend_.started == 1; }));
  std::thread stopper([&] { door_->Shutdown(absl::Seconds(30)); });
  ASSERT_TRUE(peer.AwaitFrame(kGoAway).has_value());
  peer.Call(3, "/test.Echo/Say", GrpcMessage(""));  // too late
  backend_.responder()->Message("in time");
  backend_.responder()->Finish(absl::OkStatus());
  EXPECT_EQ(peer.Await(1).body, GrpcMessage("in time"));
  stopper.join();
  EXPECT_EQ(backend_.started, 1);
  EXPECT_EQ(backend_.cancelled, 0);
}

TEST_F(GrpcDoorTest, ManyThreadsAnswerWhileTheClientResetsAndGoes) {
  std::mutex mutex;
  std::vector<std::shared_ptr<Responder>> waiting;
  std::atomic<bool> stop = false;
  backend_.Set([&](const Call&, Responder&) {
    std::lock_guard lock(mutex);
    waiting.push_back(backend_.responder());
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        std::vector<std::shared_ptr<Responder>> taken;
        {
          std::lock_guard lock(mutex);
          taken.swap(waiting);
        }
        for (const auto& each : taken) {
          each->Message(std::string(1000, 'x'));
          each->Finish(absl::OkStatus());
        }
        std::this_thread::yield();
      }
    });
  }
  for (int round = 0; round < 20; ++round) {
    auto peer = Peer();
    for (std::uint32_t i = 0; i < 100; ++i) {
      const std::uint32_t stream = 2 * i + 1;
      peer.Call(stream, i % 2 == 0 ? "/test.Echo/Say" : "/test.Echo/Count", GrpcMessage(""),
                Field("grpc-timeout", i % 3 == 0 ? "1m" : "1S"));
      if (i % 5 == 0) peer.Send(Frame(kReset, 0, stream, Number(8)));
    }
    if (round % 2 == 0) peer.AwaitFrame(kData);
  }
  door_ = nullptr;  // nothing is started after this
  stop = true;
  for (std::thread& each : threads) each.join();
}

}  // namespace
}  // namespace cloudstate::serving
