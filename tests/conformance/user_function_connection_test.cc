// The connection to the user function against gRPC's own server, and against peers that are none.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "emulator/base/real_strand.h"
#include "emulator/userfunction/grpc_connection.h"
#include "tests/conformance/grpc_peer.h"
#include "tests/conformance/raw_peer.h"

namespace cloudstate::userfunction {
namespace {

using ::testing::ElementsAre;
using testing::Field;
using testing::Frame;
using testing::GrpcMessage;
using testing::GrpcPeer;
using ::testing::HasSubstr;
using testing::Number;
using testing::RawPeer;

constexpr std::size_t kLimit = 12 << 20;

// What came of one stream. On the strand.
struct Heard {
  std::unique_ptr<Stream> stream;
  std::vector<std::string> messages;
  std::size_t bytes = 0;
  std::optional<absl::Status> closed;
  int writable = 0;
};

class UserFunctionConnectionTest : public ::testing::Test {
 protected:
  ~UserFunctionConnectionTest() override {
    transport_ = nullptr;
    OnStrand([&] {
      connection_ = nullptr;
      streams_.clear();
    });
  }

  void OnStrand(std::function<void()> task) { base::RunOn(strand_, std::move(task)); }

  // Whether the condition, which is asked on the strand, holds within some seconds.
  bool Await(const std::function<bool()>& condition, absl::Duration timeout = absl::Seconds(20)) {
    const absl::Time deadline = absl::Now() + timeout;
    while (true) {
      bool holds = false;
      OnStrand([&] { holds = condition(); });
      if (holds || absl::Now() > deadline) return holds;
      absl::SleepFor(absl::Milliseconds(1));
    }
  }

  void Reach(const std::string& address) {
    transport_ = GrpcTransport::Start(address, kLimit, strand_,
                                      {.up =
                                           [this](std::shared_ptr<Connection> connection) {
                                             connection_ = std::move(connection);
                                             ++ups_;
                                           },
                                       .down =
                                           [this](absl::Status reason) {
                                             lost_ = std::move(reason);
                                             ++downs_;
                                           },
                                       .foreign = [this] { ++foreigners_; }});
  }

  void Connect(const std::string& address) {
    Reach(address);
    ASSERT_TRUE(Await([&] { return ups_ == 1; }));
  }

  Heard& Open(const std::string& method, absl::Duration timeout = absl::InfiniteDuration()) {
    Heard& heard = *streams_.emplace_back(std::make_unique<Heard>());
    OnStrand([&] {
      heard.stream = connection_->Open(method, timeout,
                                       {.on_message =
                                            [&heard](std::string message) {
                                              heard.bytes += message.size();
                                              heard.messages.push_back(std::move(message));
                                            },
                                        .on_closed = [&heard](absl::Status status) { heard.closed = status; },
                                        .on_writable = [&heard] { ++heard.writable; }});
    });
    return heard;
  }

  void Write(Heard& heard, const std::string& message) {
    OnStrand([&] { heard.stream->Write(message); });
  }

  absl::Status Outcome(Heard& heard) {
    if (!Await([&] { return heard.closed.has_value(); })) return absl::AbortedError("the stream was not closed");
    return *heard.closed;
  }

  absl::StatusOr<std::string> Call(const std::string& method, const std::string& request,
                                   absl::Duration timeout = absl::Seconds(20)) {
    auto answer = std::make_shared<std::optional<absl::StatusOr<std::string>>>();
    OnStrand([&] { connection_->Call(method, request, timeout, [answer](auto result) { *answer = result; }); });
    if (!Await([&] { return answer->has_value(); })) return absl::AbortedError("the call was not answered");
    return **answer;
  }

  struct Counts {
    int open = 0;
    int cancelled = 0;
    int written = 0;
  };
  Counts PeerCounts() {
    std::istringstream text(*Call("/peer/counts", "?"));
    Counts counts;
    text >> counts.open >> counts.cancelled >> counts.written;
    return counts;
  }
  bool AwaitCounts(const std::function<bool(const Counts&)>& condition) {
    for (int i = 0; i < 2000; ++i) {
      if (condition(PeerCounts())) return true;
      absl::SleepFor(absl::Milliseconds(2));
    }
    return false;
  }

  base::TimerThread timers_;
  base::RealStrand strand_{timers_};
  std::unique_ptr<GrpcTransport> transport_;
  // On the strand.
  std::shared_ptr<Connection> connection_;
  std::atomic<int> ups_ = 0;
  std::atomic<int> downs_ = 0;
  std::atomic<int> foreigners_ = 0;
  absl::Status lost_;
  std::vector<std::unique_ptr<Heard>> streams_;
};

class WithGrpcPeer : public UserFunctionConnectionTest {
 protected:
  void SetUp() override { Connect(peer_->address()); }
  std::unique_ptr<GrpcPeer> peer_ = GrpcPeer::Start();
};

// ---- calls

TEST_F(WithGrpcPeer, AUnaryCallIsAnswered) { EXPECT_EQ(*Call("/peer/echo", "hello"), "hello"); }

TEST_F(WithGrpcPeer, AnEmptyMessageIsAMessage) { EXPECT_EQ(*Call("/peer/echo", ""), ""); }

TEST_F(WithGrpcPeer, AnErrorComesWithItsCodeAndItsTextVerbatim) {
  const absl::Status status = Call("/peer/fail", "9 100 % of Zürich:\tno ").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "100 % of Zürich:\tno ");
}

TEST_F(WithGrpcPeer, AnErrorTextMayBeLong) {
  EXPECT_EQ(Call("/peer/fail", "9 " + std::string(50'000, 'x')).status().message().size(), 50'000u);
}

TEST_F(WithGrpcPeer, TheUserFunctionIsToldTheDeadline) {
  EXPECT_THAT(std::stoi(*Call("/peer/deadline", "?", absl::Seconds(9))),
              ::testing::AllOf(::testing::Gt(5000), ::testing::Le(9000)));
}

TEST_F(WithGrpcPeer, ACallThatIsNotAnsweredEndsAtItsDeadlineAndIsCancelled) {
  EXPECT_EQ(Call("/peer/silent", "?", absl::Milliseconds(50)).status().code(), absl::StatusCode::kDeadlineExceeded);
  Heard& stream = Open("/peer/silent", absl::Milliseconds(50));
  EXPECT_EQ(Outcome(stream).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(AwaitCounts([](const Counts& counts) { return counts.cancelled == 2 && counts.open == 0; }));
}

// ---- streams

TEST_F(WithGrpcPeer, AStreamCarriesMessagesBothWaysInTheirOrder) {
  Heard& stream = Open("/peer/echo");
  for (const char* each : {"one", "", "three"}) Write(stream, each);
  EXPECT_TRUE(Await([&] { return stream.messages.size() == 3; }));
  OnStrand([&] { EXPECT_THAT(stream.messages, ElementsAre("one", "", "three")); });
  EXPECT_FALSE(stream.closed.has_value());
  OnStrand([&] { stream.stream->HalfClose(); });
  EXPECT_EQ(Outcome(stream), absl::OkStatus());
}

TEST_F(WithGrpcPeer, AnswersComeBeforeTheEndEvenIfAllIsWrittenAtOnce) {
  Heard& stream = Open("/peer/echo");
  OnStrand([&] {
    for (int i = 0; i < 1000; ++i) stream.stream->Write(absl::StrCat(i));
    stream.stream->HalfClose();
  });
  EXPECT_EQ(Outcome(stream), absl::OkStatus());
  OnStrand([&] { EXPECT_EQ(stream.messages.size(), 1000u); });
}

TEST_F(WithGrpcPeer, TheUserFunctionMayEndAStreamWithAnErrorWhileItIsOpenHere) {
  Heard& stream = Open("/peer/fail");
  Write(stream, "3 wrong");
  EXPECT_EQ(Outcome(stream), absl::InvalidArgumentError("wrong"));
  Write(stream, "to nobody");
  EXPECT_EQ(*Call("/peer/echo", "still there"), "still there");
}

TEST_F(WithGrpcPeer, DestroyingAStreamCancelsItAndSilencesIt) {
  Heard& stream = Open("/peer/silent");
  ASSERT_TRUE(AwaitCounts([](const Counts& counts) { return counts.open == 1; }));
  OnStrand([&] { stream.stream = nullptr; });
  EXPECT_TRUE(AwaitCounts([](const Counts& counts) { return counts.cancelled == 1 && counts.open == 0; }));
  EXPECT_FALSE(stream.closed.has_value());
}

TEST_F(WithGrpcPeer, AStreamMayBeDestroyedByItsOwnCallbacks) {
  for (const char* method : {"/peer/echo", "/peer/fail"}) {
    auto stream = std::make_shared<std::unique_ptr<Stream>>();
    auto done = std::make_shared<bool>(false);
    const auto end = [stream, done] {
      *stream = nullptr;
      *done = true;
    };
    OnStrand([&] {
      *stream = connection_->Open(method, absl::InfiniteDuration(),
                                  {.on_message = [end](const std::string&) { end(); },
                                   .on_closed = [end](const absl::Status&) { end(); },
                                   .on_writable = {}});
      (*stream)->Write("1 x");
    });
    EXPECT_TRUE(Await([&] { return *done; })) << method;
  }
}

TEST_F(WithGrpcPeer, TwoThousandStreamsAreOpenAtOnce) {
  std::vector<Heard*> heard;
  for (int i = 0; i < 2000; ++i) heard.push_back(&Open("/peer/echo"));
  for (int round = 0; round < 2; ++round) {
    OnStrand([&] {
      for (Heard* each : heard) each->stream->Write("x");
    });
  }
  EXPECT_TRUE(
      Await([&] { return std::ranges::all_of(heard, [](Heard* each) { return each->messages.size() == 2; }); }));
  EXPECT_EQ(PeerCounts().open, 2000);
}

TEST_F(UserFunctionConnectionTest, CallsBeyondWhatOneHttp2ConnectionAllowsAreCarriedByFurtherOnes) {
  auto peer = GrpcPeer::Start(0, 8);
  Connect(peer->address());
  std::vector<Heard*> heard;
  for (int i = 0; i < 50; ++i) {
    heard.push_back(&Open("/peer/echo"));
    Write(*heard.back(), "x");
  }
  EXPECT_TRUE(
      Await([&] { return std::ranges::all_of(heard, [](Heard* each) { return each->messages.size() == 1; }); }));
  OnStrand([&] {
    for (Heard* each : heard) each->stream->HalfClose();
  });
  for (Heard* each : heard) EXPECT_EQ(Outcome(*each), absl::OkStatus());
}

// ---- back-pressure and size

TEST_F(WithGrpcPeer, APausedStreamHoldsTheUserFunctionUpUntilItGoesOn) {
  constexpr int kMessages = 2000;
  Heard& stream = Open("/peer/flood");
  OnStrand([&] {
    stream.stream->Pause();
    stream.stream->Write(absl::StrCat(kMessages, " 10000"));
  });
  int written = 0;
  ASSERT_TRUE(AwaitCounts([&](const Counts& counts) {
    return counts.written > 0 && counts.written == std::exchange(written, counts.written);
  }));
  EXPECT_LT(written, kMessages / 2);
  OnStrand([&] { EXPECT_LE(stream.messages.size(), 1u); });
  EXPECT_EQ(*Call("/peer/echo", "others are not held up"), "others are not held up");
  OnStrand([&] { stream.stream->Resume(); });
  EXPECT_EQ(Outcome(stream), absl::OkStatus());
  OnStrand([&] { EXPECT_EQ(stream.bytes, std::size_t{kMessages} * 10000); });
}

TEST_F(WithGrpcPeer, AStreamThatPausesAtEachMessageGetsOneAtATime) {
  Heard heard;
  bool paused = false;
  int while_paused = 0;
  OnStrand([&] {
    heard.stream = connection_->Open("/peer/flood", absl::InfiniteDuration(),
                                     {.on_message =
                                          [&](std::string message) {
                                            while_paused += paused ? 1 : 0;
                                            heard.messages.push_back(std::move(message));
                                            heard.stream->Pause();
                                            paused = true;
                                          },
                                      .on_closed = [&](absl::Status status) { heard.closed = status; },
                                      .on_writable = {}});
    heard.stream->Write("100 10");
  });
  EXPECT_TRUE(Await([&] {
    paused = false;
    heard.stream->Resume();
    return heard.closed.has_value();
  }));
  OnStrand([&] {
    EXPECT_EQ(heard.messages.size(), 100u);
    EXPECT_EQ(while_paused, 0);
    heard.stream = nullptr;
  });
}

TEST_F(WithGrpcPeer, WhatTheUserFunctionDoesNotReadStaysUnsentAndItIsToldWhenThatIsOver) {
  constexpr std::size_t kMessage = 1 << 20;
  Heard& stream = Open("/peer/swallow");
  OnStrand([&] {
    for (int i = 0; i < 20; ++i) stream.stream->Write(std::string(kMessage, 'x'));
    EXPECT_EQ(stream.stream->Unsent(), 20u);
    stream.stream->HalfClose();
  });
  EXPECT_EQ(*Call("/peer/echo", "a round trip"), "a round trip");
  OnStrand([&] {
    EXPECT_GT(stream.stream->Unsent(), 10u);
    EXPECT_EQ(stream.writable, 0);
  });
  EXPECT_EQ(*Call("/peer/read", "?"), "");
  EXPECT_EQ(Outcome(stream), absl::OkStatus());
  OnStrand([&] {
    EXPECT_THAT(stream.messages, ElementsAre(absl::StrCat(20 * kMessage)));
    EXPECT_EQ(stream.stream->Unsent(), 0u);
    EXPECT_EQ(stream.writable, 1);
  });
}

TEST_F(WithGrpcPeer, LargeMessagesGoBothWays) {
  for (const std::size_t size : {std::size_t{5} << 20, kLimit}) {
    const std::string large(size, 'x');
    EXPECT_TRUE(*Call("/peer/echo", large) == large) << size;
  }
}

TEST_F(WithGrpcPeer, AMessageBeyondTheLimitEndsItsCallAndNoOther) {
  Heard& stream = Open("/peer/flood");
  Write(stream, absl::StrCat("2 ", kLimit + 1));
  const absl::Status status = Outcome(stream);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr(absl::StrCat(kLimit + 1)));
  EXPECT_TRUE(AwaitCounts([](const Counts& counts) { return counts.cancelled == 1; }));
  EXPECT_EQ(Call("/peer/echo", std::string(kLimit + 1, 'x')).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(*Call("/peer/echo", "fine"), "fine");
}

// ---- coming and going

TEST_F(WithGrpcPeer, WhenTheUserFunctionIsKilledEverythingEndsAtOnceAndStartsOverWhenItIsBack) {
  Heard& stream = Open("/peer/silent");
  Heard& paused = Open("/peer/flood");
  OnStrand([&] { paused.stream->Pause(); });
  Write(paused, "100000 100");
  ASSERT_TRUE(AwaitCounts([](const Counts& counts) { return counts.open == 2 && counts.written > 0; }));
  const auto kept = connection_;
  const std::uint16_t port = peer_->port();
  peer_ = nullptr;
  EXPECT_TRUE(Await([&] { return downs_ == 1; }));
  EXPECT_EQ(lost_, absl::UnavailableError(absl::StrCat("the connection to 127.0.0.1:", port, " was lost")));
  EXPECT_EQ(Outcome(stream), lost_);
  EXPECT_EQ(Outcome(paused), lost_);
  EXPECT_EQ(Call("/peer/echo", "?").status().code(), absl::StatusCode::kUnavailable);
  Heard& late = Open("/peer/echo");
  EXPECT_EQ(Outcome(late).code(), absl::StatusCode::kUnavailable);

  peer_ = GrpcPeer::Start(port);
  EXPECT_TRUE(Await([&] { return ups_ == 2; }));
  EXPECT_NE(connection_, kept);
  EXPECT_EQ(*Call("/peer/echo", "back"), "back");
}

TEST_F(WithGrpcPeer, DestroyingTheTransportEndsWhatIsOpenBeforeItReturns) {
  Heard& stream = Open("/peer/silent");
  Heard& paused = Open("/peer/flood");
  OnStrand([&] { paused.stream->Pause(); });
  Write(paused, "100000 100");
  ASSERT_TRUE(AwaitCounts([](const Counts& counts) { return counts.written > 100; }));
  transport_ = nullptr;
  ASSERT_TRUE(stream.closed.has_value());
  EXPECT_EQ(stream.closed->code(), absl::StatusCode::kCancelled);
  ASSERT_TRUE(paused.closed.has_value());
  EXPECT_EQ(downs_, 0);
  EXPECT_EQ(Call("/peer/echo", "?").status().code(), absl::StatusCode::kCancelled);
}

TEST_F(UserFunctionConnectionTest, ATransportThatReachesNobodyIsDestroyedAtOnce) {
  Reach("127.0.0.1:1");
  transport_ = nullptr;
  EXPECT_EQ(ups_, 0);
}

// ---- peers that are none

// GOAWAY: the first stream, which is open, would still be served.
constexpr char kSaidGoodbye[] = "\0\0\0\1\0\0\0\0";

void SayGoodbye(RawPeer::Connection& client) {
  client.Send(testing::Greeting());
  client.AwaitFrames(testing::kHeaders);
  client.Send(Frame(testing::kGoAway, 0, 0, std::string_view(kSaidGoodbye, 8)));
  client.AwaitEnd();
}

// Answers the call on stream 1.
std::function<void(RawPeer::Connection&)> Answering(std::vector<std::string> frames) {
  return [frames = std::move(frames)](RawPeer::Connection& client) {
    client.Send(testing::Greeting());
    client.AwaitFrames(testing::kHeaders);
    for (const std::string& frame : frames) client.Send(frame);
    client.AwaitEnd();
  };
}

TEST_F(UserFunctionConnectionTest, AGoodbyeIsTheEndOfTheConnection) {
  RawPeer peer(SayGoodbye);
  Connect(peer.address());
  Heard& stream = Open("/x/y");
  EXPECT_EQ(Outcome(stream).code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(Await([&] { return downs_ == 1 && ups_ == 2; }));
}

TEST_F(UserFunctionConnectionTest, APeerThatBreaksTheProtocolIsLeft) {
  RawPeer peer(Answering({Frame(testing::kData, 0, 0, "data of no stream")}));
  Connect(peer.address());
  Heard& stream = Open("/x/y");
  EXPECT_EQ(Outcome(stream).code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(Await([&] { return downs_ == 1 && ups_ == 2; }));
}

TEST_F(UserFunctionConnectionTest, WhatListensButDoesNotSpeakHttp2IsTriedAgainUntilItDoes) {
  const std::vector<std::string> wrong = {
      "",                                                              // closes at once
      "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n",         // another protocol
      std::string(1000, '\xff'),                                       // none
      Frame(testing::kHeaders, 0, 1, "") + testing::Greeting(),        // no greeting first
      Frame(testing::kSettings, 0, 0, "five!") + testing::Greeting(),  // a greeting that is malformed
  };
  std::atomic<std::size_t> connections = 0;
  RawPeer peer([&](RawPeer::Connection& client) {
    const std::size_t number = connections++;
    client.Send(number < wrong.size() ? wrong[number] : testing::Greeting());
    if (number >= wrong.size()) client.AwaitEnd();
  });
  Connect(peer.address());
  EXPECT_EQ(connections, wrong.size() + 1);
  EXPECT_EQ(downs_, 0);
  EXPECT_EQ(foreigners_, 1);
}

TEST_F(UserFunctionConnectionTest, APeerThatIsSilentIsLeftAfterTwoSeconds) {
  std::atomic<int> connections = 0;
  RawPeer peer([&](RawPeer::Connection& client) {
    if (connections++ > 0) client.Send(testing::Greeting());
    client.AwaitEnd();
  });
  const absl::Time start = absl::Now();
  Connect(peer.address());
  EXPECT_EQ(connections, 2);
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(1900));
}

TEST_F(UserFunctionConnectionTest, HostsMayBeNamesOrIPv6Addresses) {
  for (const bool ipv6 : {false, true}) {
    RawPeer peer(
        [](RawPeer::Connection& client) {
          client.Send(testing::Greeting());
          client.AwaitEnd();
        },
        ipv6);
    Reach(absl::StrCat(ipv6 ? "[::1]:" : "localhost:", peer.port()));
    EXPECT_TRUE(Await([&] { return ups_ == 1; })) << ipv6;
    transport_ = nullptr;
    ups_ = 0;
  }
}

// ---- answers, right and wrong

struct Answer {
  std::string name;
  std::vector<std::string> frames;
  absl::Status outcome;  // of its text only a part
  std::vector<std::string> messages = {};
};

std::ostream& operator<<(std::ostream& out, const Answer& each) { return out << each.name; }

std::string Head(const std::string& fields, std::uint8_t flags = 0) {
  return Frame(testing::kHeaders, static_cast<std::uint8_t>(testing::kEndHeaders | flags), 1, fields);
}
std::string OkHead() { return Head(Field(":status", "200") + Field("content-type", "application/grpc+proto")); }
std::string Data(const std::string& bytes, std::uint8_t flags = 0) { return Frame(testing::kData, flags, 1, bytes); }
std::string Trailers(const std::string& fields) { return Head(fields, testing::kEndStream); }
std::string ByteByByte(const std::string& bytes) {
  std::string frames;
  for (const char byte : bytes) frames += Data(std::string(1, byte));
  return frames;
}
std::string ResetWith(std::uint32_t code) { return Frame(testing::kReset, 0, 1, Number(code)); }

std::vector<Answer> Answers() {
  const std::string ok = Trailers(Field("grpc-status", "0"));
  return {
      {"InOneByteFrames",
       {OkHead(), ByteByByte(GrpcMessage("ab") + GrpcMessage("") + GrpcMessage("c")), ok},
       absl::OkStatus(),
       {"ab", "", "c"}},
      {"InOneFrame", {OkHead(), Data(GrpcMessage("ab") + GrpcMessage("c")), ok}, absl::OkStatus(), {"ab", "c"}},
      {"TrailersOnly",
       {Trailers(Field(":status", "200") + Field("content-type", "application/grpc") + Field("grpc-status", "5") +
                 Field("grpc-message", "no%20such"))},
       absl::NotFoundError("no such")},
      {"MessagesThenError",
       {OkHead(), Data(GrpcMessage("a")), Trailers(Field("grpc-status", "13"))},
       absl::InternalError(""),
       {"a"}},
      {"StatusThatIsNoNumber", {OkHead(), Trailers(Field("grpc-status", "fine"))}, absl::UnknownError("")},
      {"StatusThatDoesNotExist", {OkHead(), Trailers(Field("grpc-status", "77"))}, absl::UnknownError("")},
      {"NoStatus",
       {OkHead(), Data(GrpcMessage("a"), testing::kEndStream)},
       absl::UnknownError("without a status"),
       {"a"}},
      {"TruncatedMessage", {OkHead(), Data(GrpcMessage("abc").substr(0, 6)), ok}, absl::InternalError("not whole")},
      {"TruncatedPrefix", {OkHead(), Data("\1"), ok}, absl::InternalError("not whole")},
      {"CompressedMessage", {OkHead(), Data(GrpcMessage("a", '\1'))}, absl::InternalError("compressed")},
      {"HugeMessage",
       {OkHead(), Data(std::string(1, '\0') + Number(0xffffffff))},
       absl::ResourceExhaustedError("4294967295")},
      {"HttpNotFound",
       {Head(Field(":status", "404") + Field("content-type", "text/html")),
        Data("<html>no</html>", testing::kEndStream)},
       absl::UnimplementedError("HTTP status 404")},
      {"HttpUnavailable", {Trailers(Field(":status", "503"))}, absl::UnavailableError("HTTP status 503")},
      {"HtmlWithoutError",
       {Head(Field(":status", "200") + Field("content-type", "text/html")),
        Data("<html>yes</html>", testing::kEndStream)},
       absl::UnknownError("without a status")},
      {"ResetNoError", {ResetWith(0)}, absl::InternalError("reset")},
      {"ResetInternalError", {OkHead(), Data(GrpcMessage("a")), ResetWith(2)}, absl::InternalError("reset"), {"a"}},
      {"ResetRefused", {ResetWith(7)}, absl::UnavailableError("reset")},
      {"ResetCancel", {ResetWith(8)}, absl::CancelledError("reset")},
      {"ResetCalm", {ResetWith(11)}, absl::ResourceExhaustedError("reset")},
      {"ResetSecurity", {ResetWith(12)}, absl::PermissionDeniedError("reset")},
      {"HeadersWithoutStatus", {Head(Field("content-type", "application/grpc"))}, absl::InternalError("reset")},
  };
}

class AnAnswer : public UserFunctionConnectionTest, public ::testing::WithParamInterface<Answer> {};

TEST_P(AnAnswer, HasTheOutcomeThatGrpcDescribes) {
  RawPeer peer(Answering(GetParam().frames));
  Connect(peer.address());
  Heard& stream = Open("/x/y");
  const absl::Status outcome = Outcome(stream);
  EXPECT_EQ(outcome.code(), GetParam().outcome.code()) << outcome;
  EXPECT_THAT(std::string(outcome.message()), HasSubstr(std::string(GetParam().outcome.message())));
  OnStrand([&] { EXPECT_EQ(stream.messages, GetParam().messages); });
  EXPECT_EQ(downs_, 0);
}

INSTANTIATE_TEST_SUITE_P(All, AnAnswer, ::testing::ValuesIn(Answers()),
                         [](const auto& param_info) { return param_info.param.name; });

TEST_F(UserFunctionConnectionTest, AUnaryCallIsAnsweredWithOneMessageOrFails) {
  for (const std::string& body : {std::string(), GrpcMessage("a") + GrpcMessage("b")}) {
    RawPeer peer(Answering({OkHead(), Data(body), Trailers(Field("grpc-status", "0"))}));
    Reach(peer.address());
    ASSERT_TRUE(Await([&] { return ups_ == 1; }));
    EXPECT_EQ(Call("/x/y", "?").status().code(), absl::StatusCode::kInternal);
    transport_ = nullptr;
    ups_ = 0;
  }
}

}  // namespace
}  // namespace cloudstate::userfunction

int main(int argc, char** argv) {
  if (argc == 4 && argv[1] == std::string(cloudstate::testing::kServe)) {
    return cloudstate::testing::ServeAsGrpcPeer(argv[2], argv[3]);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
