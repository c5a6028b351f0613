#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/crdt/update.h"
#include "emulator/entities/crdt_entity.h"
#include "google/protobuf/text_format.h"
#include "tests/support/fake_connection.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::entities {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Lines = std::vector<std::string>;

inline constexpr char kTerminating[] = "end UNKNOWN: Entity terminating";
inline constexpr char kDeleted[] = "end UNKNOWN: Entity deleted";

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// A replica that others change by the test's word, and whose reads and writes take as long as it says.
class FakeReplica final : public CrdtReplica {
 public:
  const crdt::State& state() const override { return state_; }
  crdt::ReplicaId self() const override { return {1, 1}; }
  const crdt::Voters& voters() const override { return members; }

  void Read(absl::AnyInvocable<void()> read) override {
    reads.push_back(std::move(read));
    if (!hold_reads) ReleaseReads();
  }
  absl::Status Update(const crdt::CrdtDelta& update, crdt::CrdtWriteConsistency consistency,
                      absl::AnyInvocable<void(absl::Status)> written) override {
    const absl::StatusOr<crdt::State> delta = crdt::Update(state_, update, self(), 1000);
    if (!delta.ok()) return delta.status();
    Write(consistency, std::move(written));
    return absl::OkStatus();
  }
  void Delete(crdt::CrdtWriteConsistency consistency, absl::AnyInvocable<void(absl::Status)> written) override {
    state_.Delete();
    Write(consistency, std::move(written));
  }

  void ReleaseReads() {
    for (auto& read : std::exchange(reads, {})) read();
  }
  void ReleaseWrites(const absl::Status& status = absl::OkStatus()) {
    for (auto& written : std::exchange(writes, {})) written(status);
  }
  // What another node does, as it arrives here.
  void Remote(const std::string& update) {
    crdt::State other = state_;
    const auto delta = crdt::Update(other, FromText<crdt::CrdtDelta>(update), {2, 1}, 2000);
    ASSERT_TRUE(delta.ok()) << delta.status();
    state_.Join(*delta);
  }
  // The same, by a node that knows nothing of what was done here.
  void RemoteAlone(const std::string& update) {
    crdt::State other;
    const auto delta = crdt::Update(other, FromText<crdt::CrdtDelta>(update), {2, 1}, 2000);
    ASSERT_TRUE(delta.ok()) << delta.status();
    state_.Join(*delta);
  }
  void RemoteDelete() { state_.Delete(); }
  std::string Value() const {
    const auto value = crdt::ValueOf(state_, self(), members);
    return value.has_value() ? crdt::WholeDelta(*value).ShortDebugString() : "nothing";
  }

  crdt::Voters members = {{1, 1}};
  bool hold_reads = false;
  bool hold_writes = false;
  std::vector<absl::AnyInvocable<void()>> reads;
  std::vector<absl::AnyInvocable<void(absl::Status)>> writes;
  std::vector<crdt::CrdtWriteConsistency> consistencies;

 private:
  void Write(crdt::CrdtWriteConsistency consistency, absl::AnyInvocable<void(absl::Status)> written) {
    consistencies.push_back(consistency);
    writes.push_back(std::move(written));
    if (!hold_writes) ReleaseWrites();
  }

  crdt::State state_;
};

class CrdtEntityFixture : public ::testing::Test, public Host {
 protected:
  explicit CrdtEntityFixture(userfunction::Dialect dialect = userfunction::Dialect::k0_2) : dialect_(dialect) {
    Create();
  }

  void Create() {
    entity_ =
        std::make_unique<CrdtEntity>(base::EntityKey{"things", "a"}, "test.Things",
                                     CrdtEnvironment{strand_, replica_, metrics_, load_, limits_, dialect_}, *this);
  }

  void OnStopped() override { ++stopped_; }
  void OnIdle(bool idle) override { idle_ = idle; }
  std::shared_ptr<userfunction::Connection> CurrentConnection() override { return connected_ ? connection_ : nullptr; }
  void ReportError(const std::string& text) override { reports_.push_back(text); }

  // What comes of the n-th command is in log_[n].
  std::shared_ptr<CrdtCommand> Deliver(const std::string& method, bool streamed = false) {
    const std::size_t index = log_.size();
    log_.emplace_back();
    auto command = std::make_shared<CrdtCommand>();
    command->service = "test.Things";
    command->method = method;
    command->streamed = streamed;
    command->trace = std::make_shared<trace::Trace>();
    command->answered = [this, index](const Reply& reply) {
      std::string line = reply.action.has_reply()     ? "reply " + reply.action.reply().payload().value()
                         : reply.action.has_failure() ? "failure " + reply.action.failure().description()
                         : reply.action.has_forward() ? "forward " + reply.action.forward().command_name()
                                                      : "nothing";
      for (const SideEffect& effect : reply.side_effects) absl::StrAppend(&line, ", effect ", effect.command_name());
      log_[index].push_back(line);
    };
    command->ended = [this, index](const absl::Status& status) {
      log_[index].push_back(status.ok() ? "end"
                                        : absl::StrCat("end ", absl::StatusCodeToString(status.code()), ": ",
                                                       std::string(status.message())));
    };
    entity_->Deliver(command);
    return command;
  }
  std::shared_ptr<CrdtCommand> DeliverStreamed(const std::string& method) { return Deliver(method, true); }

  testing::FakeConnection::OpenedStream& Stream(std::size_t index) { return *connection_->streams.at(index); }

  // One line for each message to the user function, in the words of 0.2.
  Lines Sent(std::size_t stream) {
    Lines lines;
    for (const std::string& bytes : Stream(stream).written) {
      crdt::CrdtStreamIn in;
      EXPECT_TRUE(in.ParseFromString(bytes));
      const auto& command = in.command();
      lines.push_back(in.has_init()      ? absl::StrCat("init ", in.init().delta().ShortDebugString())
                      : in.has_command() ? absl::StrCat("command ", command.id(), " ", command.name(),
                                                        command.streamed() ? " streamed" : "")
                      : in.has_delta()   ? absl::StrCat("delta ", in.delta().ShortDebugString())
                      : in.has_delete_() ? "delete"
                                         : absl::StrCat("cancelled ", in.stream_cancelled().id()));
    }
    return lines;
  }
  // Those after the first `seen`.
  Lines SentAfter(std::size_t seen, std::size_t stream = 0) {
    const Lines lines = Sent(stream);
    return Lines(lines.begin() + static_cast<std::ptrdiff_t>(seen), lines.end());
  }

  // On the newest stream.
  void SayBytes(const std::string& bytes) { connection_->streams.back()->handler.on_message(bytes); }
  void Say(const std::string& text) { SayBytes(FromText<crdt::CrdtStreamOut>(text).SerializeAsString()); }
  static std::string Payload(const std::string& text) {
    return absl::StrCat(" client_action { reply { payload { value: '", text, "' } } }");
  }
  void SayReply(int id, const std::string& text, const std::string& more = "") {
    Say(absl::StrCat("reply { command_id: ", id, Payload(text), more, "}"));
  }
  void SayUpdate(int id, const std::string& text, const std::string& update, const std::string& consistency = "LOCAL") {
    SayReply(id, text, absl::StrCat("state_action { update { ", update, " } write_consistency: ", consistency, " }"));
  }
  void SayStreamed(int id, const std::string& text, const std::string& more = "") {
    Say(absl::StrCat("streamed_message { command_id: ", id, Payload(text), more, "}"));
  }
  void EndStream(const absl::Status& status = absl::OkStatus()) {
    connection_->streams.back()->handler.on_closed(status);
  }

  void Remote(const std::string& update) {
    replica_.Remote(update);
    entity_->OnReplicaChanged();
  }
  void RemoteDelete() {
    replica_.RemoteDelete();
    entity_->OnReplicaChanged();
  }

  userfunction::Dialect dialect_;
  testing::VirtualStrand strand_;
  FakeReplica replica_;
  std::shared_ptr<testing::FakeConnection> connection_ = std::make_shared<testing::FakeConnection>();
  bool connected_ = true;
  trace::EntityMetrics metrics_;
  trace::NodeLoad load_;
  Limits limits_;
  std::vector<Lines> log_;
  Lines reports_;
  int stopped_ = 0;
  bool idle_ = false;
  std::unique_ptr<CrdtEntity> entity_;
};

}  // namespace cloudstate::entities
