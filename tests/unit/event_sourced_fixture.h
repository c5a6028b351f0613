#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cloudstate/event_sourced.pb.h"
#include "emulator/entities/stored_entity.h"
#include "tests/support/fake_connection.h"
#include "tests/support/memory_journal.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::entities {

// One event-sourced entity with a user function and a journal in the test's hands. Steps write messages to its streams.
class EventSourcedFixture : public ::testing::Test, public StoredEntityHost {
 protected:
  static constexpr char kService[] = "test.Counter";

  static journal::Payload Text(const std::string& text) { return {"type.googleapis.com/test.Text", text}; }

  // One line for what the user function was sent.
  static std::string Describe(const std::string& bytes) {
    eventsourced::EventSourcedStreamIn in;
    EXPECT_TRUE(in.ParseFromString(bytes));
    if (in.has_init()) {
      const auto& init = in.init();
      std::string text = absl::StrCat("init ", init.service_name(), " ", init.entity_id());
      if (init.has_snapshot()) {
        absl::StrAppend(&text, " snapshot ", init.snapshot().snapshot_sequence(), " ",
                        init.snapshot().snapshot().value());
      }
      return text;
    }
    if (in.has_event()) return absl::StrCat("event ", in.event().sequence(), " ", in.event().payload().value());
    const auto& command = in.command();
    return absl::StrCat("command ", command.id(), " ", command.entity_id(), " ", command.name(), " ",
                        command.payload().value());
  }

  EventSourcedFixture() {
    limits_.passivation_timeout = absl::Seconds(30);
    Create();
  }

  void Create() {
    entity_ = std::make_unique<StoredEntity>(
        EventSourced(), base::EntityKey{"counter", "a"}, kService,
        Environment{strand_, journal_, metrics_, load_, limits_, ReplayFrom::kNewestSnapshot, fence_}, *this);
  }

  void OnStopped() override { ++stopped_; }
  void OnIdle(bool idle) override { idle_ = idle; }
  std::shared_ptr<userfunction::Connection> CurrentConnection() override { return connected_ ? connection_ : nullptr; }
  void ReportError(const std::string& text) override { reports_.push_back(text); }

  void OnFenced() override { ++fenced_; }

  // What came of the n-th command is in outcomes_[n].
  void Deliver(const std::string& method, const std::string& payload = "") {
    Hand(method, payload);
    strand_.Run();
  }

  // Without what it leads to later.
  void Hand(const std::string& method, const std::string& payload) {
    const std::size_t index = outcomes_.size();
    outcomes_.push_back("pending");
    Command command;
    command.service = kService;
    command.method = method;
    command.payload = Text(payload);
    command.trace = std::make_shared<trace::Trace>();
    command.trace->id = absl::StrCat("trace-", index);
    command.abandoned = abandoned_;
    command.done = [this, index](absl::StatusOr<Reply> reply) {
      if (!reply.ok()) {
        outcomes_[index] =
            absl::StrCat(absl::StatusCodeToString(reply.status().code()), ": ", reply.status().message());
      } else if (reply->action.has_failure()) {
        outcomes_[index] = absl::StrCat("failure: ", reply->action.failure().description());
      } else {
        outcomes_[index] = absl::StrCat("reply: ", reply->action.reply().payload().value());
      }
      if (on_outcome_) on_outcome_(index);
    };
    entity_->Deliver(std::move(command));
  }

  // Gives the payloads of what comes back.
  std::vector<std::string> Retire() {
    std::vector<std::string> payloads;
    for (const Command& command : entity_->Retire()) payloads.push_back(command.payload.value);
    strand_.Run();
    return payloads;
  }

  void Claim(std::uint64_t expected) {
    journal_.Claim({{fence_.shard, expected, 1, 1}}, [](const auto&) {});
  }

  // From now on the entity belongs to a shard.
  void HoldShard() {
    fence_ = {journal::ShardId{3}, 1};
    Claim(0);
    Create();
  }
  void LoseShard() { Claim(1); }

  testing::FakeConnection::OpenedStream& Stream(std::size_t index) { return *connection_->streams.at(index); }

  std::vector<std::string> Sent(std::size_t stream) {
    std::vector<std::string> lines;
    for (const std::string& message : Stream(stream).written) lines.push_back(Describe(message));
    return lines;
  }

  void Answer(std::size_t stream, const eventsourced::EventSourcedStreamOut& out) {
    Stream(stream).handler.on_message(out.SerializeAsString());
    strand_.Run();
  }

  void AnswerReply(std::size_t stream, std::int64_t id, const std::string& text,
                   const std::vector<std::string>& events = {}, const std::string& snapshot = "") {
    eventsourced::EventSourcedStreamOut out;
    auto& reply = *out.mutable_reply();
    reply.set_command_id(id);
    reply.mutable_client_action()->mutable_reply()->mutable_payload()->set_value(text);
    for (const std::string& event : events) {
      auto& any = *reply.add_events();
      any.set_type_url("type.googleapis.com/test.Text");
      any.set_value(event);
    }
    if (!snapshot.empty()) reply.mutable_snapshot()->set_value(snapshot);
    Answer(stream, out);
  }

  void AnswerClientFailure(std::size_t stream, std::int64_t id, const std::string& text, bool restart,
                           const std::vector<std::string>& events = {}) {
    eventsourced::EventSourcedStreamOut out;
    out.mutable_reply()->set_command_id(id);
    out.mutable_reply()->mutable_client_action()->mutable_failure()->set_description(text);
    out.mutable_reply()->mutable_client_action()->mutable_failure()->set_restart(restart);
    for (const std::string& event : events) out.mutable_reply()->add_events()->set_value(event);
    Answer(stream, out);
  }

  void AnswerFailure(std::size_t stream, std::int64_t id, const std::string& text) {
    eventsourced::EventSourcedStreamOut out;
    out.mutable_failure()->set_command_id(id);
    out.mutable_failure()->set_description(text);
    Answer(stream, out);
  }

  void EndStream(std::size_t stream, const absl::Status& status = absl::OkStatus()) {
    Stream(stream).handler.on_closed(status);
    strand_.Run();
  }

  std::vector<std::string> StoredEvents() {
    std::vector<std::string> values;
    for (const auto& event : journal_.entities[{"counter", "a"}].events) values.push_back(event.payload.value);
    return values;
  }

  void Store(int count) {
    auto& stored = journal_.entities[{"counter", "a"}];
    for (int i = 1; i <= count; ++i) stored.events.push_back({i, Text(absl::StrCat("e", i))});
  }

  testing::VirtualStrand strand_;
  testing::MemoryJournal journal_;
  std::shared_ptr<testing::FakeConnection> connection_ = std::make_shared<testing::FakeConnection>();
  bool connected_ = true;
  trace::EntityMetrics metrics_;
  trace::NodeLoad load_;
  Limits limits_;
  journal::Fence fence_;
  std::shared_ptr<bool> abandoned_ = std::make_shared<bool>(false);
  std::vector<std::string> outcomes_;
  std::function<void(std::size_t index)> on_outcome_;
  std::vector<std::string> reports_;
  int stopped_ = 0;
  int fenced_ = 0;
  bool idle_ = false;
  std::unique_ptr<StoredEntity> entity_;
};

}  // namespace cloudstate::entities
