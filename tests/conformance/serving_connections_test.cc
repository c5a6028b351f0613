// Connections to the front door over real sockets, from their first bytes to the end of the door.

#include <poll.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <thread>

#include "emulator/serving/http_session.h"
#include "emulator/serving/http_site.h"
#include "emulator/serving/http_text.h"
#include "tests/conformance/front_door_fixture.h"

namespace cloudstate::serving {
namespace {

using std::chrono::milliseconds;

class ServingConnectionsTest : public FrontDoorTest {};

TEST_F(ServingConnectionsTest, PrefaceMayTrickleByteByByte) {
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

TEST_F(ServingConnectionsTest, HttpMayTrickleByteByByte) {
  RawClient client = Connect();
  for (const char byte : Post("/test.Echo/Say", R"({"text":"slow"})")) client.Send(std::string(1, byte));
  EXPECT_TRUE(absl::StrContains(client.ReadUntil("}"), R"({"text":"slow"})"));
}

TEST_F(ServingConnectionsTest, MalformedHttp2EndsOnlyItsOwnConnection) {
  RawClient client = Connect();
  client.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  client.Send(Bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff garbage that is no frame at all"));
  client.ReadToEnd();
  EXPECT_TRUE(Unary("/test.Echo/Say", "").status.ok());
}

TEST_F(ServingConnectionsTest, ConnectionsThatSayNothingOrTooLittleAreClosed) {
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

TEST_F(ServingConnectionsTest, OneWaitingConnectionTooManyClosesTheOldest) {
  options_.limits.waiting_connections = 2;
  RawClient oldest = Connect();
  RawClient second = Connect();
  RawClient third = Connect();
  EXPECT_TRUE(oldest.EndsSilently());
  EXPECT_TRUE(absl::StrContains(third.Send(Post("/test.Echo/Say", "{}")).ReadUntil("}"), "200 OK"));
  EXPECT_TRUE(absl::StrContains(second.Send(Post("/test.Echo/Say", "{}")).ReadUntil("}"), "200 OK"));
}

TEST_F(ServingConnectionsTest, PortInUseNamesThePortAndItsHolder) {
  FrontDoor::Options second;
  second.port = Door().port();
  const auto started = FrontDoor::Start(second);
  ASSERT_EQ(started.status().code(), absl::StatusCode::kAlreadyExists);
  const std::string text(started.status().message());
  EXPECT_TRUE(absl::StrContains(text, std::to_string(second.port))) << text;
  EXPECT_TRUE(absl::StrContains(text, absl::StrCat("(pid ", getpid(), ")"))) << text;
}

TEST_F(ServingConnectionsTest, UnknownHostIsNamed) {
  options_.host = "host.invalid";
  const auto started = FrontDoor::Start(options_);
  EXPECT_EQ(started.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(started.status().message(), "host.invalid"));
}

TEST_F(ServingConnectionsTest, ShutdownLetsCallsFinishWithinTheGrace) {
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

TEST_F(ServingConnectionsTest, ShutdownCancelsCallsAfterTheGrace) {
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
