#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cloudstate/event_sourced.pb.h"
#include "emulator/routing/gateway.h"
#include "tests/support/fake_connection.h"
#include "tests/support/memory_journal.h"
#include "tests/support/test_services.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::routing {

// A client that takes and sends when the test says so.
class FakeClient final : public serving::Responder, public serving::RequestStream {
 public:
  void Headers(const Metadata& metadata) override { headers = metadata; }
  void Message(std::string payload) override {
    messages.push_back(std::move(payload));
    if (!takes) ++unsent;
  }
  void Finish(absl::Status result) override {
    EXPECT_FALSE(status.has_value()) << "ended twice";
    status = std::move(result);
  }
  std::size_t Unsent() const override { return unsent; }
  void WhenWritable(absl::AnyInvocable<void()> then) override {
    if (takes) return then();
    writable = std::move(then);
  }
  void OnCancel(absl::AnyInvocable<void()> callback) override { cancelled = std::move(callback); }
  void Read(absl::AnyInvocable<void(std::optional<std::string>)> taken) override {
    EXPECT_FALSE(read) << "two reads at once";
    read = std::move(taken);
  }

  void Send(std::optional<std::string> message) { std::exchange(read, nullptr)(std::move(message)); }

  bool takes = true;
  std::size_t unsent = 0;
  Metadata headers;
  std::vector<std::string> messages;
  std::optional<absl::Status> status;  // none while the call goes on
  absl::AnyInvocable<void()> writable;
  absl::AnyInvocable<void()> cancelled;
  absl::AnyInvocable<void(std::optional<std::string>)> read;
};

// A cluster, of one node unless told otherwise, above a user function that the test plays, and below clients that it
// plays as well.
class RouterFixture : public ::testing::Test {
 protected:
  explicit RouterFixture(const EntitySpec& spec, std::size_t nodes = 1) {
    cluster_.Start(nodes);
    strand_.Run();
    Serve(spec);
  }
  // A call of an action keeps itself until its stream ends.
  ~RouterFixture() override {
    cluster_.Disconnect(absl::UnavailableError("the test is over"));
    for (std::size_t i = 0; i < connection_->streams.size(); ++i) {
      const auto stream = connection_->streams[i];
      if (!stream->destroyed) stream->handler.on_closed(absl::UnavailableError("the test is over"));
    }
    strand_.Run();
  }

  void Serve(const EntitySpec& spec) {
    auto specification = userfunction::ParseSpecification(spec, std::nullopt, userfunction::VersionCheck::kOn);
    ASSERT_TRUE(specification.ok()) << specification.status();
    cluster_.Connect(connection_, *specification, entities::ReplayFrom::kNewestSnapshot);
    router_.Serve(*specification);
  }

  cluster::Node& node() { return *cluster_.Find(cluster::NodeId{1}); }

  // Starts a call that has `payload`, or without one a stream of what the client sends.
  std::shared_ptr<FakeClient> Start(const std::string& service, const std::string& method,
                                    std::optional<std::string> payload, std::optional<absl::Time> deadline) {
    auto client = StartSoon(service, method, std::move(payload), deadline);
    strand_.Run();
    return client;
  }

  // The same call, which has not got to the strand yet; `node` picks who takes it.
  std::shared_ptr<FakeClient> StartSoon(const std::string& service, const std::string& method,
                                        std::optional<std::string> payload, std::optional<absl::Time> deadline,
                                        const std::string& node = "") {
    auto client = std::make_shared<FakeClient>();
    serving::Call call;
    call.service = service;
    call.method = method;
    if (payload.has_value()) {
      call.payload = *std::move(payload);
    } else {
      call.requests = client;
    }
    call.deadline = deadline;
    const auto add = [&call](const char* key, const std::string& value) {
      auto& entry = *call.metadata.add_entries();
      entry.set_key(key);
      entry.set_string_value(value);
    };
    add("x-from", "client");
    if (!node.empty()) add(serving::kNodeHeader, node);
    router_.Start(std::move(call), client);
    return client;
  }

  testing::FakeConnection::OpenedStream& Stream(std::size_t index) { return *connection_->streams.at(index); }

  // The user function sends this message.
  void Say(std::size_t stream, const google::protobuf::Message& message) {
    Stream(stream).handler.on_message(message.SerializeAsString());
    strand_.Run();
  }
  void End(std::size_t stream, const absl::Status& status = absl::OkStatus()) {
    Stream(stream).handler.on_closed(status);
    strand_.Run();
  }

  testing::VirtualStrand strand_;
  testing::MemoryJournal journal_;
  std::vector<std::string> reports_;
  std::shared_ptr<testing::FakeConnection> connection_ = std::make_shared<testing::FakeConnection>();
  trace::Recorder recorder_{100};
  base::Random random_{1};
  cluster::Cluster cluster_{{}, strand_, random_, journal_, [this](const std::string& text) { Note(text); }};
  Gateway router_{{}, cluster_, recorder_, [this](const std::string& text) { Note(text); }};

 private:
  void Note(const std::string& text) { reports_.push_back(text); }
};

}  // namespace cloudstate::routing
