#include "emulator/userfunction/grpc_exchange.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace cloudstate::userfunction {
namespace {

std::string Framed(const std::string& message) {
  const auto prefix = http2::MessagePrefix(message.size());
  return std::string(prefix.data(), prefix.size()) + message;
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

TEST(GrpcExchange, HasNotEndedWellWhereMessagesWereDropped) {
  GrpcExchange exchange = Answered();
  exchange.OnData(Framed("abc"));
  exchange.OnHeader("grpc-status", "0");
  exchange.OnEnd();
  exchange.DropMessages(absl::UnavailableError("lost"));
  EXPECT_EQ(exchange.NextMessage(), std::nullopt);
  EXPECT_EQ(exchange.TakeOutcome(), absl::UnavailableError("lost"));
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
  exchange.outgoing().Add("abc");
  exchange.Finish(absl::CancelledError("here"));
  exchange.OnHeader("grpc-status", "0");
  exchange.OnEnd();
  EXPECT_EQ(exchange.TakeOutcome(), absl::CancelledError("here"));
  EXPECT_EQ(exchange.outgoing().SendableBytes(100), 0u);
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
