#include "emulator/userfunction/grpc_exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace cloudstate::userfunction {
namespace {

using ::testing::ElementsAre;

std::string Framed(const std::string& message) {
  const auto prefix = MessagePrefix(message.size());
  return std::string(prefix.data(), prefix.size()) + message;
}

// ---- framing

TEST(MessagePrefix, IsAFlagThatIsNotSetAndTheSizeWithItsHighByteFirst) {
  EXPECT_THAT(MessagePrefix(0), ElementsAre(0, 0, 0, 0, 0));
  EXPECT_THAT(MessagePrefix(0x01020304), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(MessagePrefix(0xff), ElementsAre(0, 0, 0, 0, '\xff'));
}

TEST(Deframer, GivesTheSameMessagesHoweverTheBytesAreCut) {
  const std::string bytes = Framed("first") + Framed("") + Framed(std::string(300, 'x')) + Framed("last");
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    Deframer deframer(1000);
    std::vector<std::string> messages;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      ASSERT_EQ(deframer.Feed(std::string_view(bytes).substr(at, piece),
                              [&](std::string message) { messages.push_back(std::move(message)); }),
                absl::OkStatus());
    }
    EXPECT_THAT(messages, ElementsAre("first", "", std::string(300, 'x'), "last")) << piece;
    EXPECT_TRUE(deframer.between_messages());
  }
}

TEST(Deframer, KnowsThatAMessageIsNotWhole) {
  const std::string bytes = Framed("abc");
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    Deframer deframer(1000);
    ASSERT_EQ(deframer.Feed(bytes.substr(0, size), [](const std::string&) { FAIL(); }), absl::OkStatus());
    EXPECT_FALSE(deframer.between_messages()) << size;
  }
}

TEST(Deframer, TakesAMessageOfTheLargestSizeAndRefusesALargerOne) {
  int messages = 0;
  Deframer deframer(10);
  EXPECT_EQ(deframer.Feed(Framed(std::string(10, 'x')), [&](const std::string&) { ++messages; }), absl::OkStatus());
  EXPECT_EQ(messages, 1);
  EXPECT_EQ(deframer.Feed(Framed(std::string(11, 'x')).substr(0, 5), [&](const std::string&) { ++messages; }),
            absl::ResourceExhaustedError("a message of 11 bytes is larger than the limit of 10"));
  EXPECT_EQ(messages, 1);
}

TEST(Deframer, RefusesACompressedMessage) {
  Deframer deframer(10);
  EXPECT_EQ(deframer.Feed(std::string("\1\0\0\0\0", 5), [](const std::string&) { FAIL(); }).code(),
            absl::StatusCode::kInternal);
}

// ---- text in headers

TEST(TimeoutText, HasAtMostEightDigitsAndIsNeverLessThanWhatWasAskedFor) {
  EXPECT_EQ(TimeoutText(absl::Seconds(-1)), "1u");
  EXPECT_EQ(TimeoutText(absl::Nanoseconds(1)), "1u");
  EXPECT_EQ(TimeoutText(absl::Milliseconds(5)), "5000u");
  EXPECT_EQ(TimeoutText(absl::Microseconds(99'999'999)), "99999999u");
  EXPECT_EQ(TimeoutText(absl::Microseconds(100'000'001)), "100001m");
  EXPECT_EQ(TimeoutText(absl::Hours(24)), "86400000m");
  EXPECT_EQ(TimeoutText(absl::Hours(28)), "100800S");
  EXPECT_EQ(TimeoutText(absl::Hours(24 * 365 * 100)), "876000H");
  EXPECT_EQ(TimeoutText(absl::Hours(std::int64_t{1} << 40)), "99999999H");
}

TEST(PercentDecoded, LeavesAloneWhatIsNotEncoded) {
  EXPECT_EQ(PercentDecoded(""), "");
  EXPECT_EQ(PercentDecoded("100%25 of Z%C3%bcrich"), "100% of Zürich");
  EXPECT_EQ(PercentDecoded("%"), "%");
  EXPECT_EQ(PercentDecoded("%2"), "%2");
  EXPECT_EQ(PercentDecoded("%zz%4"), "%zz%4");
  EXPECT_EQ(PercentDecoded("%%20"), "% ");
}

TEST(OutcomeOf, MapsAnHttpStatusOnlyWhereThereIsNoGrpcStatus) {
  const auto outcome = [](const std::string& http_status, const std::string& grpc_status) {
    ResponseHeaders headers;
    headers.Add(":status", http_status);
    if (!grpc_status.empty()) headers.Add("grpc-status", grpc_status);
    return OutcomeOf(headers).code();
  };
  EXPECT_EQ(outcome("503", "5"), absl::StatusCode::kNotFound);
  EXPECT_EQ(outcome("400", ""), absl::StatusCode::kInternal);
  EXPECT_EQ(outcome("401", ""), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(outcome("403", ""), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(outcome("404", ""), absl::StatusCode::kUnimplemented);
  for (const char* each : {"429", "502", "503", "504"}) EXPECT_EQ(outcome(each, ""), absl::StatusCode::kUnavailable);
  for (const char* each : {"200", "301", "500", "none"}) EXPECT_EQ(outcome(each, ""), absl::StatusCode::kUnknown);
}

// ---- one exchange

TEST(GrpcExchange, SendsTheSameBytesHoweverTheyAreCut) {
  const std::string whole = Framed("first") + Framed("") + Framed("last");
  for (std::size_t piece = 1; piece <= whole.size(); ++piece) {
    GrpcExchange exchange(100);
    for (const char* each : {"first", "", "last"}) exchange.Write(each);
    exchange.HalfClose();
    std::string output;
    while (exchange.SendableBytes(piece) > 0) {
      const std::size_t bytes = exchange.SendableBytes(piece);
      EXPECT_EQ(exchange.EndsWith(bytes), output.size() + bytes == whole.size()) << piece;
      exchange.Send(bytes, output);
    }
    EXPECT_EQ(output, whole);
    EXPECT_EQ(exchange.unsent(), 0u);
  }
}

TEST(GrpcExchange, CountsAMessageAsUnsentUntilItsLastByteIsSent) {
  GrpcExchange exchange(100);
  exchange.Write("ab");
  exchange.Write("c");
  std::string output;
  EXPECT_EQ(exchange.unsent(), 2u);
  exchange.Send(6, output);
  EXPECT_EQ(exchange.unsent(), 2u);
  exchange.Send(2, output);
  EXPECT_EQ(exchange.unsent(), 1u);
  EXPECT_FALSE(exchange.EndsWith(6)) << "it has not been half-closed";
}

GrpcExchange Answered() {
  GrpcExchange exchange(1000);
  exchange.OnHeader(":status", "200");
  exchange.OnHeader("content-type", "application/grpc");
  return exchange;
}

TEST(GrpcExchange, GivesCreditForAMessageOnlyWhenItHasBeenTaken) {
  GrpcExchange exchange = Answered();
  exchange.OnData(Framed("abc") + Framed("d"));
  EXPECT_EQ(exchange.TakeCredit(), 0u);
  EXPECT_EQ(exchange.NextMessage(), "abc");
  EXPECT_EQ(exchange.TakeCredit(), 0u);
  EXPECT_EQ(exchange.NextMessage(), "d");
  EXPECT_EQ(exchange.TakeCredit(), 14u);
  EXPECT_EQ(exchange.TakeCredit(), 0u);
}

TEST(GrpcExchange, GivesCreditForAMessageThatHasNotComeWhole) {
  GrpcExchange exchange = Answered();
  exchange.OnData(Framed("abc").substr(0, 7));
  EXPECT_EQ(exchange.TakeCredit(), 7u);
}

TEST(GrpcExchange, TellsTheOutcomeOnceAndAfterTheMessages) {
  GrpcExchange exchange = Answered();
  exchange.OnData(Framed("abc"));
  exchange.OnHeader("grpc-status", "0");
  exchange.OnEnd();
  EXPECT_EQ(exchange.TakeOutcome(), std::nullopt);
  EXPECT_EQ(exchange.NextMessage(), "abc");
  EXPECT_EQ(exchange.TakeOutcome(), absl::OkStatus());
  EXPECT_EQ(exchange.TakeOutcome(), std::nullopt);
}

TEST(GrpcExchange, KeepsItsFirstOutcomeAndWritesNothingAfterIt) {
  GrpcExchange exchange = Answered();
  exchange.Write("abc");
  exchange.Finish(absl::CancelledError("here"));
  exchange.OnHeader("grpc-status", "0");
  exchange.OnEnd();
  EXPECT_EQ(exchange.TakeOutcome(), absl::CancelledError("here"));
  EXPECT_EQ(exchange.SendableBytes(100), 0u);
}

TEST(GrpcExchange, TakesNoMessagesOutOfWhatIsNotGrpc) {
  GrpcExchange exchange(1000);
  exchange.OnHeader(":status", "200");
  exchange.OnHeader("content-type", "text/plain");
  exchange.OnData(Framed("abc"));
  EXPECT_FALSE(exchange.has_messages());
  EXPECT_FALSE(exchange.finished());
}

}  // namespace
}  // namespace cloudstate::userfunction
