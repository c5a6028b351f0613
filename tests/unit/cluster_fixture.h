#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cloudstate/crdt.pb.h"
#include "cloudstate/event_sourced.pb.h"
#include "emulator/cluster/cluster.h"
#include "tests/support/fake_connection.h"
#include "tests/support/memory_journal.h"
#include "tests/support/memory_replica_store.h"
#include "tests/support/test_services.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::cluster {

// A cluster whose user function counts, in virtual time: each command of an entity of test.One, an event-sourced one,
// and of test.Two, a CRDT, adds one. The first answers with the count.
class ClusterFixture : public ::testing::Test {
 protected:
  using Streams = testing::FakeConnection;
  // How a call ended: "3", its answer, or the name of an error; "open" until then.
  using Outcome = std::shared_ptr<std::string>;

  explicit ClusterFixture(std::size_t nodes) {
    cluster_.WatchNodes([this](Node& node) {
      node.Watch({.availability_changed = [] {},
                  .ending = [](const absl::Status&) {},
                  .open_calls = [this, id = node.id()] { return open_[id]; }});
    });
    cluster_.Start(nodes);
    cluster_.Connect(connection_, Specification(), entities::ReplayFrom::kNewestSnapshot);
    Pass(absl::Seconds(5));
  }
  ~ClusterFixture() override {
    cluster_.Stop();
    strand_.Run();
  }

  static std::shared_ptr<const userfunction::Specification> Specification() {
    EntitySpec spec = testing::TwoServices();
    spec.mutable_entities(1)->set_entity_type("cloudstate.crdt.Crdt");
    auto specification = userfunction::ParseSpecification(spec, std::nullopt, userfunction::VersionCheck::kOn);
    EXPECT_TRUE(specification.ok()) << specification.status();
    return *specification;
  }

  Node& node(std::uint32_t number) { return *cluster_.Find(NodeId{number}); }

  // Lets time pass, while the user function answers.
  void Pass(absl::Duration time) {
    const absl::Time end = strand_.Now() + time;
    while (strand_.Now() < end) {
      strand_.Advance(absl::Milliseconds(10));
      if (answers_) AnswerAll(*connection_);
    }
  }

  // A call that node `at` has taken.
  Outcome Send(std::uint32_t at, const std::string& id) {
    auto outcome = std::make_shared<std::string>("open");
    entities::Command command;
    command.service = "test.One";
    command.method = "Call";
    command.trace = std::make_shared<trace::Trace>();
    command.abandoned = std::make_shared<bool>(false);
    ++open_[NodeId{at}];
    command.done = [this, outcome, at](absl::StatusOr<entities::Reply> reply) {
      --open_[NodeId{at}];
      *outcome = reply.ok() ? reply->action.reply().payload().value() : Text(reply.status());
    };
    node(at).Deliver(id, std::move(command));
    return outcome;
  }

  // The same to a CRDT; it ends with "done".
  Outcome SendCrdt(std::uint32_t at, const std::string& id) {
    auto outcome = std::make_shared<std::string>("open");
    auto command = std::make_shared<entities::CrdtCommand>();
    command->service = "test.Two";
    command->method = "Call";
    command->trace = std::make_shared<trace::Trace>();
    command->answered = [](entities::Reply) {};
    ++open_[NodeId{at}];
    command->ended = [this, outcome, at](const absl::Status& status) {
      --open_[NodeId{at}];
      *outcome = status.ok() ? "done" : Text(status);
    };
    node(at).DeliverCrdt(id, std::move(command));
    return outcome;
  }

  std::uint64_t CrdtCount(std::uint32_t at, const std::string& id) {
    const crdt::State* state = node(at).replicas()->Find({"persisted-Two", id});
    const auto value = state == nullptr ? std::nullopt : crdt::ValueOf(*state, {at, node(at).incarnation()}, {});
    return value.has_value() ? value->count : 0;
  }

  void AnswerAll(Streams& streams) {
    for (std::size_t i = 0; i < streams.streams.size(); ++i) Answer(*streams.streams[i]);
  }

  testing::VirtualStrand strand_;
  testing::MemoryJournal journal_;
  testing::MemoryReplicaStore replica_store_;
  base::Random random_{1};
  std::shared_ptr<Streams> connection_ = std::make_shared<Streams>();
  bool answers_ = true;  // else the user function has the commands in hand
  std::map<NodeId, std::size_t> open_;
  std::vector<std::string> reports_;
  Cluster cluster_{
      {}, strand_, random_, journal_, [this](const std::string& text) { reports_.push_back(text); }, &replica_store_};

 private:
  static std::string Text(const absl::Status& status) { return absl::StatusCodeToString(status.code()); }

  void Answer(Streams::OpenedStream& stream) {
    if (stream.destroyed || stream.paused) return;
    for (const std::string& written : std::exchange(stream.written, {})) {
      if (stream.method == "/cloudstate.crdt.Crdt/handle") {
        AnswerCrdt(stream, written);
      } else {
        AnswerEventSourced(stream, written);
      }
    }
    if (stream.half_closed && !stream.destroyed) stream.handler.on_closed(absl::OkStatus());
  }

  void AnswerEventSourced(Streams::OpenedStream& stream, const std::string& written) {
    eventsourced::EventSourcedStreamIn in;
    ASSERT_TRUE(in.ParseFromString(written));
    int& count = counts_[&stream];
    if (in.has_event()) ++count;
    if (!in.has_command()) return;
    eventsourced::EventSourcedStreamOut out;
    auto& reply = *out.mutable_reply();
    reply.set_command_id(in.command().id());
    reply.mutable_client_action()->mutable_reply()->mutable_payload()->set_value(absl::StrCat(++count));
    reply.add_events()->set_type_url("type.googleapis.com/test.Added");
    stream.handler.on_message(out.SerializeAsString());
  }

  static void AnswerCrdt(Streams::OpenedStream& stream, const std::string& written) {
    crdt::CrdtStreamIn in;
    ASSERT_TRUE(in.ParseFromString(written));
    if (!in.has_command()) return;
    crdt::CrdtStreamOut out;
    out.mutable_reply()->set_command_id(in.command().id());
    out.mutable_reply()->mutable_client_action()->mutable_reply();
    out.mutable_reply()->mutable_state_action()->mutable_update()->mutable_gcounter()->set_increment(1);
    stream.handler.on_message(out.SerializeAsString());
  }

  std::map<const Streams::OpenedStream*, int> counts_;
};

}  // namespace cloudstate::cluster
