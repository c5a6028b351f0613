// What an action of the C++ samples' support code sees of its client: pace, half-close, departure.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "google/protobuf/wrappers.pb.h"
#include "tests/conformance/samples_client.h"

namespace cloudstate {
namespace {

using action::ActionCommand;
using action::ActionResponse;
using samples::ActionContext;
using testing::ProxyPart;

constexpr std::size_t kLargeBytes = 256 * 1024;
// More than a connection's windows and buffers hold, and far less than a side that is not held up would send.
constexpr int kHeldUp = 200;
constexpr int kAll = 2000;

// What one test wants its stream to do. Unset: nothing.
struct Script {
  std::function<void()> on_request;
  std::function<void()> on_half_close;
  std::function<void()> on_cancel;
  std::function<bool(ActionContext&)> next;
};

class ScriptedStream final : public samples::ActionStream {
 public:
  explicit ScriptedStream(const Script& script) : script_(script) {}

  absl::Status OnRequest(const google::protobuf::Any&) override {
    if (script_.on_request) script_.on_request();
    return absl::OkStatus();
  }
  void OnHalfClose() override {
    if (script_.on_half_close) script_.on_half_close();
  }
  void OnCancel() override {
    if (script_.on_cancel) script_.on_cancel();
  }
  bool Next(ActionContext& context) override { return script_.next && script_.next(context); }

 private:
  const Script& script_;
};

google::protobuf::BytesValue Large() {
  google::protobuf::BytesValue large;
  large.set_value(std::string(kLargeBytes, 'x'));
  return large;
}

ActionCommand Opening(const std::string& method) {
  ActionCommand command;
  command.set_service_name("test.Service");
  command.set_name(method);
  return command;
}

ActionCommand Request() {
  ActionCommand command;
  command.mutable_payload()->PackFrom(Large());
  return command;
}

class ActionStreams : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto open = [this](const Metadata& metadata) {
      if (metadata.entries_size() > 0) tenant_ = metadata.entries(0).string_value();
      return std::make_unique<ScriptedStream>(script_);
    };
    samples::ActionService service = {.service_name = "test.Service", .files = {}, .methods = {}};
    service.methods["In"] = samples::StreamedIn{open};
    service.methods["Out"] = samples::StreamedOut{open};
    service.methods["Both"] = samples::Streamed{open};
    auto server = samples::UserFunctionServer::Start("127.0.0.1:0",
                                                     {.name = "test", .version = "1", .actions = {std::move(service)}});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = ProxyPart(*server_).actions();
  }

  // Waits until `count` has not moved for a while; a side that is not held up moves until it has sent everything.
  static int Settled(const std::atomic<int>& count) {
    int before = -1;
    while (before != count) {
      before = count;
      absl::SleepFor(absl::Milliseconds(300));
    }
    return before;
  }

  Script script_;  // written before a call is opened
  std::string tenant_;
  std::unique_ptr<samples::UserFunctionServer> server_;
  std::unique_ptr<action::ActionProtocol::Stub> stub_;
};

TEST_F(ActionStreams, ResponsesAreMadeAsTheProxyTakesThem) {
  std::atomic<int> made = 0;
  script_.next = [&](ActionContext& context) {
    if (made == kAll) return false;
    ++made;
    context.Reply(Large());
    return true;
  };
  grpc::ClientContext context;
  const auto stream = stub_->handleStreamedOut(&context, Opening("Out"));
  ActionResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_LT(Settled(made), kHeldUp);
  int taken = 1;
  while (stream->Read(&response)) ++taken;
  EXPECT_EQ(taken, kAll);
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(ActionStreams, RequestsAreReadAsTheActionTakesThem) {
  absl::Notification go_on;
  std::atomic<int> taken = 0;
  script_.on_request = [&] {
    go_on.WaitForNotification();
    ++taken;
  };
  grpc::ClientContext context;
  ActionResponse response;
  const auto stream = stub_->handleStreamedIn(&context, &response);
  ASSERT_TRUE(stream->Write(Opening("In")));
  std::atomic<int> written = 0;
  std::jthread client([&] {
    const ActionCommand request = Request();
    while (written < kAll && stream->Write(request)) ++written;
    stream->WritesDone();
  });
  EXPECT_LT(Settled(written), kHeldUp);
  go_on.Notify();
  EXPECT_TRUE(stream->Finish().ok());
  client.join();
  EXPECT_EQ(taken, kAll);
}

TEST_F(ActionStreams, ARequestWaitsForTheResponsesToTheOneBefore) {
  std::atomic<int> requests = 0;
  int left = 0;
  script_.on_request = [&] {
    ++requests;
    left = kAll;
  };
  script_.next = [&](ActionContext& context) {
    if (left == 0) return false;
    --left;
    context.Reply(Large());
    return true;
  };
  grpc::ClientContext context;
  const auto stream = stub_->handleStreamed(&context);
  ASSERT_TRUE(stream->Write(Opening("Both")));
  ASSERT_TRUE(stream->Write(Request()));
  ASSERT_TRUE(stream->Write(Request()));
  ActionResponse response;
  for (int i = 0; i < kAll - kHeldUp; ++i) ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(requests, 1);
  for (int i = 0; i < kHeldUp + 1; ++i) ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(requests, 2);
  context.TryCancel();
  stream->Finish();
}

TEST_F(ActionStreams, AStreamHearsOfHalfCloseAndMayStillAnswer) {
  bool half_closed = false;
  bool answered = false;
  script_.on_half_close = [&] { half_closed = true; };
  script_.next = [&](ActionContext& context) {
    if (!half_closed || answered) return false;
    answered = true;
    context.Reply(google::protobuf::BytesValue());
    return true;
  };
  grpc::ClientContext context;
  const auto stream = stub_->handleStreamed(&context);
  ASSERT_TRUE(stream->Write(Opening("Both")));
  ASSERT_TRUE(stream->Write(Request()));
  ASSERT_TRUE(stream->WritesDone());
  ActionResponse response;
  EXPECT_TRUE(stream->Read(&response));
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(ActionStreams, AStreamHasTheMetadataOfItsCall) {
  ActionCommand opening = Opening("In");
  MetadataEntry& entry = *opening.mutable_metadata()->add_entries();
  entry.set_key("tenant");
  entry.set_string_value("acme");
  std::string in_context;
  script_.next = [&](ActionContext& context) {
    in_context = context.metadata().entries(0).string_value();
    return true;
  };
  EXPECT_THAT(ProxyPart(*server_).StreamedIn({opening}), ::testing::ElementsAre("", "status 0"));
  EXPECT_EQ(tenant_, "acme");
  EXPECT_EQ(in_context, "acme");
}

TEST_F(ActionStreams, AStreamThatWritesHearsThatItsClientHasGone) {
  absl::Notification cancelled;
  script_.on_cancel = [&] { cancelled.Notify(); };
  script_.next = [](ActionContext& context) {
    context.Reply(google::protobuf::BytesValue());
    return true;
  };
  grpc::ClientContext context;
  const auto stream = stub_->handleStreamedOut(&context, Opening("Out"));
  ActionResponse response;
  ASSERT_TRUE(stream->Read(&response));
  context.TryCancel();
  EXPECT_TRUE(cancelled.WaitForNotificationWithTimeout(absl::Seconds(20)));
  stream->Finish();
}

// gRPC tells a server of both in the same way: there is no more to read.
TEST_F(ActionStreams, AClientThatGoesIsNotTakenForOneThatHalfCloses) {
  std::atomic<int> half_closed = 0;
  for (int i = 0; i < 300; ++i) {
    absl::Notification taken;
    absl::Notification cancelled;
    script_.on_request = [&] { taken.Notify(); };
    script_.on_half_close = [&] { ++half_closed; };
    script_.on_cancel = [&] { cancelled.Notify(); };
    grpc::ClientContext context;
    ActionResponse response;
    const auto stream = stub_->handleStreamedIn(&context, &response);
    ASSERT_TRUE(stream->Write(Opening("In")));
    ASSERT_TRUE(stream->Write(Request()));
    taken.WaitForNotification();
    context.TryCancel();
    stream->Finish();
    ASSERT_TRUE(cancelled.WaitForNotificationWithTimeout(absl::Seconds(5))) << "in round " << i;
  }
  EXPECT_EQ(half_closed, 0);
}

}  // namespace
}  // namespace cloudstate
