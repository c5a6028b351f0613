// Calls over WebSockets: Beast's client where the client behaves, raw bytes where it does not.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include "google/api/annotations.pb.h"  // for the options in the text below
#include "tests/conformance/front_door_fixture.h"

namespace cloudstate::serving {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;

constexpr char kChatFile[] = R"pb(
  name: "chat.proto"
  package: "test"
  syntax: "proto3"
  dependency: "google/api/httpbody.proto"
  message_type {
    name: "Line"
    field { name: "room" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL json_name: "room" }
    field { name: "text" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL json_name: "text" }
  }
  service {
    name: "Chat"
    method {
      name: "Talk"
      input_type: ".test.Line"
      output_type: ".test.Line"
      client_streaming: true
      server_streaming: true
      options {
        [google.api.http] {
          post: "/rooms/{room}"
          body: "*"
          additional_bindings { get: "/rooms/{room}/talk" }
        }
      }
    }
    method { name: "Join" input_type: ".test.Line" output_type: ".test.Line" client_streaming: true }
    method { name: "Watch" input_type: ".test.Line" output_type: ".test.Line" server_streaming: true }
    method {
      name: "Fetch"
      input_type: ".test.Line"
      output_type: ".google.api.HttpBody"
      client_streaming: true
      server_streaming: true
    }
    method { name: "Say" input_type: ".test.Line" output_type: ".test.Line" }
  })pb";

std::shared_ptr<const Services> ChatServices() {
  auto files = HttpBodyFiles();
  files.push_back(kChatFile);
  return ServicesIn(files, {"test.Chat"});
}

class WebSocketClient {
 public:
  explicit WebSocketClient(std::uint16_t port) : port_(port) {
    socket_.next_layer().connect({asio::ip::address_v4::loopback(), port});
    timeval timeout{20, 0};
    setsockopt(socket_.next_layer().native_handle(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    setsockopt(socket_.next_layer().native_handle(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  }

  // The status of the handshake's answer.
  unsigned Open(const std::string& path, const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    socket_.set_option(websocket::stream_base::decorator([headers](websocket::request_type& request) {
      for (const auto& [name, value] : headers) request.set(name, value);
    }));
    boost::system::error_code ignored;
    websocket::response_type response;
    socket_.handshake(response, absl::StrCat("127.0.0.1:", port_), path, ignored);
    return response.result_int();
  }

  void Send(const std::string& text) { Send(text, true); }
  void SendBinary(const std::string& bytes) { Send(bytes, false); }
  void HalfClose() { Send(""); }

  // The next frame; "closed N reason" at the end.
  std::string Next() {
    boost::beast::flat_buffer buffer;
    boost::system::error_code error;
    socket_.read(buffer, error);
    if (error == websocket::error::closed) {
      const auto& reason = socket_.reason();
      return absl::StrCat("closed ", reason.code, " ", std::string(reason.reason.data(), reason.reason.size()));
    }
    if (error) return "failed: " + error.message();
    return (socket_.got_text() ? "" : "binary: ") + boost::beast::buffers_to_string(buffer.data());
  }

  websocket::stream<asio::ip::tcp::socket>& socket() { return socket_; }

 private:
  void Send(const std::string& bytes, bool text) {
    socket_.text(text);
    boost::system::error_code error;
    socket_.write(asio::buffer(bytes), error);
    EXPECT_FALSE(error) << error.message();
  }

  const std::uint16_t port_;
  asio::io_context io_;
  websocket::stream<asio::ip::tcp::socket> socket_{io_};
};

class WebSocketTest : public FrontDoorTest {
 protected:
  void SetUp() override {
    FrontDoorTest::SetUp();
    options_.allowed_origins.emplace();
    backend_.Set(ChatServices());
    backend_.Set([this](const Call& call, Responder&) { EchoAll(call.requests, backend_.responder()); });
  }
};

// A test.Line as it is serialized.
std::string Line(const std::string& room, const std::string& text) {
  std::string line;
  for (const auto& [tag, value] : {std::pair{'\x0a', room}, std::pair{'\x12', text}}) {
    if (!value.empty()) line += std::string{tag, static_cast<char>(value.size())} + value;
  }
  return line;
}

// The handshake as bytes.
std::string Handshake(const std::string& path, const std::string& headers = "") {
  return absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
                      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", headers, "\r\n");
}

// A frame of a client with the mask 0, which leaves the payload as it is.
std::string ClientFrame(unsigned char first, const std::string& payload) {
  return std::string{static_cast<char>(first), static_cast<char>(0x80 | payload.size())} + std::string(4, '\0') +
         payload;
}

TEST_F(WebSocketTest, TextFramesAreMessagesBothWaysAndAnEmptyOneIsTheEnd) {
  WebSocketClient client(Door().port());
  ASSERT_EQ(client.Open("/test.Chat/Talk", {{"Color", "blue"}}), 101u);
  client.Send(R"({"text":"a"})");
  EXPECT_EQ(client.Next(), R"({"room":"","text":"a"})");
  client.Send(R"({"text":"b"})");
  EXPECT_EQ(client.Next(), R"({"room":"","text":"b"})");
  client.HalfClose();
  EXPECT_EQ(client.Next(), "closed 1000 ");
  const Call call = backend_.last();
  EXPECT_EQ(call.service, "test.Chat");
  EXPECT_EQ(call.method, "Talk");
  EXPECT_EQ(call.protocol, "websocket");
  EXPECT_EQ(EntryOf(call.metadata, "color"), "text:blue");
  EXPECT_EQ(EntryOf(call.metadata, "sec-websocket-key"), "none");
  EXPECT_EQ(backend_.cancelled, 0);
}

TEST_F(WebSocketTest, BoundPathsOpenWhateverTheirVerbAndLayOverEachMessage) {
  for (const char* path : {"/rooms/r%201", "/rooms/r%201/talk?text=query"}) {
    WebSocketClient client(Door().port());
    ASSERT_EQ(client.Open(path), 101u) << path;
    client.Send(R"({"room":"other","text":"a"})");
    const char* text = absl::StrContains(path, "?") ? "query" : "a";
    EXPECT_EQ(client.Next(), absl::StrCat(R"({"room":"r 1","text":")", text, R"("})"));
    client.HalfClose();
    EXPECT_EQ(client.Next(), "closed 1000 ");
  }
}

TEST_F(WebSocketTest, ClientStreamIsAnsweredOnce) {
  backend_.Set([this](const Call& call, Responder&) {
    const auto responder = backend_.responder();
    const auto requests = call.requests;
    requests->Read([=](std::optional<std::string> first) {
      requests->Read([=](std::optional<std::string> second) {
        EXPECT_EQ(second, Line("", "2"));
        requests->Read([=](std::optional<std::string> end) {
          EXPECT_EQ(end, std::nullopt);
          responder->Message(*first);
          responder->Finish(absl::OkStatus());
        });
      });
    });
  });
  WebSocketClient client(Door().port());
  ASSERT_EQ(client.Open("/test.Chat/Join"), 101u);
  client.Send(R"({"text":"1"})");
  client.Send(R"({"text":"2"})");
  client.HalfClose();
  EXPECT_EQ(client.Next(), R"({"room":"","text":"1"})");
  EXPECT_EQ(client.Next(), "closed 1000 ");
}

TEST_F(WebSocketTest, ServerStreamBeginsWithItsOneMessage) {
  backend_.Set([](const Call& call, Responder& responder) {
    EXPECT_EQ(call.requests, nullptr);
    for (int i = 0; i < 3; ++i) responder.Message(call.payload);
    responder.Finish(absl::OkStatus());
  });
  WebSocketClient client(Door().port());
  ASSERT_EQ(client.Open("/test.Chat/Watch"), 101u);
  client.Send(R"({"text":"x"})");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.Next(), R"({"room":"","text":"x"})");
  EXPECT_EQ(client.Next(), "closed 1000 ");
}

TEST_F(WebSocketTest, ServerStreamTakesExactlyOneMessage) {
  backend_.Set(FakeBackend::Answer());
  WebSocketClient two(Door().port());
  ASSERT_EQ(two.Open("/test.Chat/Watch"), 101u);
  two.Send("{}");
  two.Send("{}");
  EXPECT_TRUE(absl::StrContains(two.Next(), "takes only one"));
  EXPECT_TRUE(absl::StartsWith(two.Next(), "closed 4003 "));
  EXPECT_TRUE(Await([&] { return backend_.cancelled == 1; }));
  WebSocketClient none(Door().port());
  ASSERT_EQ(none.Open("/test.Chat/Watch"), 101u);
  none.HalfClose();
  EXPECT_TRUE(absl::StrContains(none.Next(), "no request message for test.Chat.Watch"));
  EXPECT_EQ(backend_.started, 1);
}

TEST_F(WebSocketTest, EndMayBeSaidAfterTheOneMessageOfAServerStream) {
  backend_.Set(FakeBackend::Answer());
  WebSocketClient client(Door().port());
  ASSERT_EQ(client.Open("/test.Chat/Watch"), 101u);
  client.Send("{}");
  client.HalfClose();
  ASSERT_TRUE(Await([&] { return backend_.started == 1; }));
  poll(nullptr, 0, 50);
  EXPECT_EQ(backend_.cancelled, 0);
  backend_.responder()->Finish(absl::OkStatus());
  EXPECT_EQ(client.Next(), "closed 1000 ");
}

TEST_F(WebSocketTest, HttpBodiesAreBinaryFrames) {
  backend_.Set([this](const Call&, Responder& responder) {
    google::api::HttpBody body;
    body.set_content_type("image/png");
    body.set_data(Bytes("\x89PNG\0"));
    responder.Message(body.SerializeAsString());
    responder.Finish(absl::OkStatus());
  });
  WebSocketClient client(Door().port());
  ASSERT_EQ(client.Open("/test.Chat/Fetch"), 101u);
  EXPECT_EQ(client.Next(), "binary: " + Bytes("\x89PNG\0"));
  EXPECT_EQ(client.Next(), "closed 1000 ");
}

TEST_F(WebSocketTest, FailureIsTheLastFrameAndTheCloseCode) {
  const std::string text = "ä" + std::string(121, 'x') + "öö";
  backend_.Set([&](const Call&, Responder& responder) {
    responder.Message(Line("", "a"));
    responder.Finish(absl::NotFoundError(text));
  });
  WebSocketClient client(Door().port());
  ASSERT_EQ(client.Open("/test.Chat/Talk"), 101u);
  EXPECT_EQ(client.Next(), R"({"room":"","text":"a"})");
  EXPECT_EQ(client.Next(), absl::StrCat(R"({"error":{"type":"about:blank","title":"Not Found","status":404,"detail":")",
                                        text, R"(","code":"NOT_FOUND"}})"));
  EXPECT_EQ(client.Next(), "closed 4005 ä" + std::string(121, 'x')) << "no half of a character";
  EXPECT_EQ(backend_.cancelled, 0);
}

TEST_F(WebSocketTest, WhatIsNoMessageEndsTheCallAndSaysWhy) {
  const auto expect = [&](const std::function<void(WebSocketClient&)>& act, const std::string& text) {
    const int before = backend_.cancelled;
    WebSocketClient client(Door().port());
    ASSERT_EQ(client.Open("/test.Chat/Talk"), 101u);
    act(client);
    const std::string error = client.Next();
    EXPECT_TRUE(absl::StartsWith(error, "{\"error\":") && absl::StrContains(error, text)) << error;
    EXPECT_TRUE(absl::StartsWith(client.Next(), "closed 4003 ")) << text;
    EXPECT_TRUE(Await([&] { return backend_.cancelled == before + 1; })) << text;
  };
  backend_.Set(FakeBackend::Answer());
  expect([](WebSocketClient& client) { client.Send("{"); }, "malformed JSON");
  expect([](WebSocketClient& client) { client.Send(R"({"unknown":1})"); }, "unknown");
  expect([](WebSocketClient& client) { client.SendBinary("{}"); }, "binary frame");
  backend_.Set([](const Call& call, Responder&) { call.requests->Read([](std::optional<std::string>) {}); });
  expect(
      [](WebSocketClient& client) {
        client.HalfClose();
        client.Send("{}");
      },
      "no more");
}

TEST_F(WebSocketTest, MalformedFramesAndTextAreClosedAsTheProtocolSays) {
  backend_.Set(FakeBackend::Answer());
  const std::vector<std::pair<std::string, std::string>> cases = {
      {ClientFrame(0x81, "\xff\xfe"), "\x03\xef"},                          // 1007: no UTF-8
      {Bytes("\x81\x02{}"), "\x03\xea"},                                    // 1002: not masked
      {ClientFrame(0x83, "{}"), "\x03\xea"},                                // 1002: reserved opcode
      {ClientFrame(0x80, "{}"), "\x03\xea"},                                // 1002: continues nothing
      {std::string("\x81\xff\0\0\0\0\0\x10\0\0\0\0\0\0", 14), "\x03\xf1"},  // 1009: a megabyte
  };
  options_.limits.message_bytes = 1000;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    RawClient client = Connect();
    EXPECT_TRUE(absl::StartsWith(client.Send(Handshake("/test.Chat/Talk")).ReadUntil("\r\n\r\n"), "HTTP/1.1 101 "));
    const std::string answer = client.Send(cases[i].first).ReadToEnd();
    EXPECT_TRUE(absl::StartsWith(answer, "\x88") && absl::StrContains(answer, cases[i].second)) << i << " " << answer;
    EXPECT_TRUE(Await([&] { return backend_.cancelled == static_cast<int>(i) + 1; })) << i;
  }
}

TEST_F(WebSocketTest, FragmentsAreOneMessageAndPingsAreAnsweredBetweenThem) {
  WebSocketClient client(Door().port());
  ASSERT_EQ(client.Open("/test.Chat/Talk"), 101u);
  std::string pong;
  client.socket().control_callback([&](websocket::frame_type type, boost::beast::string_view text) {
    if (type == websocket::frame_type::pong) pong = std::string(text);
  });
  client.socket().text(true);
  client.socket().write_some(false, asio::buffer(std::string(R"({"text":)")));
  client.socket().ping("are you there?");
  client.socket().write_some(true, asio::buffer(std::string(R"("a"})")));
  EXPECT_EQ(client.Next(), R"({"room":"","text":"a"})");
  EXPECT_EQ(pong, "are you there?");
}

TEST_F(WebSocketTest, ClientThatGoesAwayCancelsTheCall) {
  backend_.Set(FakeBackend::Answer());
  {
    WebSocketClient vanishes(Door().port());
    ASSERT_EQ(vanishes.Open("/test.Chat/Talk"), 101u);
    ASSERT_TRUE(Await([&] { return backend_.started == 1; }));
    EXPECT_EQ(backend_.cancelled, 0);
  }
  EXPECT_TRUE(Await([&] { return backend_.cancelled == 1; }));
  bool read = false;
  backend_.last().requests->Read([&](std::optional<std::string> message) { read = message.has_value(); });
  EXPECT_FALSE(read);
  WebSocketClient closes(Door().port());
  ASSERT_EQ(closes.Open("/test.Chat/Talk"), 101u);
  closes.socket().close(websocket::close_code::normal);
  EXPECT_TRUE(Await([&] { return backend_.cancelled == 2; }));
  backend_.responder()->Message("late");
  backend_.responder()->Finish(absl::OkStatus());
}

TEST_F(WebSocketTest, MessagesAreReadOnlyWhenTheBackendAsks) {
  backend_.Set(FakeBackend::Answer());
  WebSocketClient client(Door().port());
  ASSERT_EQ(client.Open("/test.Chat/Talk"), 101u);
  ASSERT_TRUE(Await([&] { return backend_.started == 1; }));
  const std::string large = absl::StrCat(R"({"text":")", std::string(1'000'000, 'x'), "\"}");
  std::atomic<int> sent = 0;
  constexpr int kMessages = 30;
  std::thread sender([&] {
    for (; sent < kMessages; ++sent) client.Send(large);
    client.HalfClose();
  });
  poll(nullptr, 0, 200);
  EXPECT_LT(sent, 15) << "nobody has asked for a message";
  EchoAll(backend_.last().requests, backend_.responder());
  for (int i = 0; i < kMessages; ++i) ASSERT_GT(client.Next().size(), 1'000'000u) << i;
  EXPECT_EQ(client.Next(), "closed 1000 ");
  sender.join();
}

TEST_F(WebSocketTest, BackendLearnsWhatTheClientHasNotTaken) {
  backend_.Set(FakeBackend::Answer());
  WebSocketClient client(Door().port());
  ASSERT_EQ(client.Open("/test.Chat/Talk"), 101u);
  ASSERT_TRUE(Await([&] { return backend_.started == 1; }));
  const auto responder = backend_.responder();
  const std::string large = Bytes("\x12\xc0\x84\x3d") + std::string(1'000'000, 'x');
  for (int i = 0; i < 30; ++i) responder->Message(large);
  std::atomic<bool> writable = false;
  responder->WhenWritable([&] { writable = true; });
  poll(nullptr, 0, 200);
  EXPECT_GT(responder->Unsent(), 5u);
  EXPECT_FALSE(writable);
  for (int i = 0; i < 30; ++i) ASSERT_GT(client.Next().size(), 1'000'000u) << i;
  EXPECT_TRUE(Await([&] { return writable.load(); }));
  EXPECT_EQ(responder->Unsent(), 0u);
}

TEST_F(WebSocketTest, HandshakeIsRefusedForForeignPagesAndForWhatIsNoStream) {
  const auto refused = [&](const std::string& path, const std::string& origin) {
    WebSocketClient client(Door().port());
    return client.Open(path, {{"Origin", origin}});
  };
  EXPECT_EQ(refused("/test.Chat/Talk", "https://evil.example"), 403u);
  EXPECT_EQ(refused("/test.Chat/Talk", "null"), 403u);
  EXPECT_EQ(refused("/test.Chat/Say", "http://localhost:3000"), 404u);
  EXPECT_EQ(refused("/nowhere", "http://localhost:3000"), 404u);
  EXPECT_EQ(backend_.started, 0);
  EXPECT_EQ(refused("/test.Chat/Talk", "http://localhost:3000"), 101u);
  EXPECT_EQ(refused("/test.Chat/Talk", absl::StrCat("http://127.0.0.1:", Door().port())), 101u);
  backend_.Set(std::make_shared<const Services>());
  EXPECT_EQ(refused("/test.Chat/Talk", "http://localhost:3000"), 503u);
}

TEST_F(WebSocketTest, AccessPolicyGuardsTheHandshakeToo) {
  options_.policy = [](std::string_view, std::string_view origin, std::string_view) -> std::optional<HttpError> {
    if (origin.empty()) return std::nullopt;
    return HttpError{403, "not from here", ""};
  };
  RawClient foreign = Connect();
  foreign.Send(Handshake("/test.Chat/Talk", "Origin: http://localhost:3000\r\n"));
  EXPECT_TRUE(absl::StartsWith(foreign.ReadUntil("here"), "HTTP/1.1 403 "));
  RawClient own = Connect();
  EXPECT_TRUE(absl::StartsWith(own.Send(Handshake("/test.Chat/Talk")).ReadUntil("\r\n\r\n"), "HTTP/1.1 101 "));
}

TEST_F(WebSocketTest, ClientMayAskForADeadline) {
  backend_.Set(FakeBackend::Answer());
  WebSocketClient client(Door().port());
  ASSERT_EQ(client.Open("/test.Chat/Talk", {{"grpc-timeout", "50m"}}), 101u);
  EXPECT_TRUE(absl::StrContains(client.Next(), "DEADLINE_EXCEEDED"));
  EXPECT_TRUE(absl::StartsWith(client.Next(), "closed 4004 "));
  EXPECT_EQ(backend_.cancelled, 1);
}

TEST_F(WebSocketTest, HandshakeMayFollowAnotherRequestButNotPrecedeFrames) {
  RawClient client = Connect();
  const std::string first = "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string answers = client.Send(first + Handshake("/test.Chat/Talk")).ReadUntil("101 ");
  EXPECT_TRUE(absl::StartsWith(answers, "HTTP/1.1 404 ") && absl::StrContains(answers, "HTTP/1.1 101 ")) << answers;
  RawClient hasty = Connect();
  hasty.Send(Handshake("/test.Chat/Talk") + ClientFrame(0x81, "{}"));
  EXPECT_TRUE(absl::StartsWith(hasty.ReadToEnd(), "HTTP/1.1 400 "));
}

TEST_F(WebSocketTest, ShutdownLetsTheCallFinishAndCancelsItAfterTheGrace) {
  WebSocketClient finishes(Door().port());
  ASSERT_EQ(finishes.Open("/test.Chat/Talk"), 101u);
  std::thread stopper([&] { door_->Shutdown(absl::Seconds(2)); });
  finishes.Send(R"({"text":"in time"})");
  EXPECT_EQ(finishes.Next(), R"({"room":"","text":"in time"})");
  stopper.join();
  EXPECT_TRUE(absl::StartsWith(finishes.Next(), "failed"));
  EXPECT_EQ(backend_.cancelled, 1);
}

}  // namespace
}  // namespace cloudstate::serving
