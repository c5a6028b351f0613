// CRDT entities of a whole cluster: commands at their nodes, a user function that the test plays, and the replicas that
// come of it on all nodes, whatever befalls them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cloudstate/crdt.pb.h"
#include "emulator/cluster/cluster.h"
#include "tests/support/fake_connection.h"
#include "tests/support/memory_journal.h"
#include "tests/support/test_services.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::cluster {
namespace {

using ::testing::Optional;

EntitySpec ACrdtService() {
  EntitySpec spec = testing::TwoServices();
  spec.mutable_entities(0)->set_entity_type("cloudstate.crdt.Crdt");
  return spec;
}

class ClusterReplicasTest : public ::testing::Test {
 protected:
  ClusterReplicasTest() {
    cluster_.Start(3);
    auto specification =
        userfunction::ParseSpecification(ACrdtService(), std::nullopt, userfunction::VersionCheck::kOn);
    EXPECT_TRUE(specification.ok()) << specification.status();
    cluster_.Connect(connection_, *specification, entities::ReplayFrom::kNewestSnapshot);
    Pass(absl::Seconds(5));
  }
  ~ClusterReplicasTest() override {
    cluster_.Stop();
    strand_.Run();
  }

  Node& node(std::uint32_t number) { return *cluster_.Find(NodeId{number}); }

  // Lets time pass, while the user function answers each command with an increment by one.
  void Pass(absl::Duration time) {
    const absl::Time end = strand_.Now() + time;
    while (strand_.Now() < end) {
      strand_.Advance(absl::Milliseconds(10));
      for (std::size_t i = 0; i < connection_->streams.size(); ++i) Answer(*connection_->streams[i]);
    }
  }

  using Outcome = std::shared_ptr<std::optional<absl::Status>>;
  Outcome Send(std::uint32_t at, const std::string& id) {
    auto outcome = std::make_shared<std::optional<absl::Status>>();
    auto command = std::make_shared<entities::CrdtCommand>();
    command->service = "test.One";
    command->method = "Call";
    command->trace = std::make_shared<trace::Trace>();
    command->answered = [](entities::Reply) {};
    command->ended = [outcome](absl::Status status) { *outcome = std::move(status); };
    node(at).DeliverCrdt(id, std::move(command));
    return outcome;
  }

  std::uint64_t Count(std::uint32_t at, const std::string& id) {
    const crdt::State* state = node(at).replicas()->Find({"persisted-One", id});
    const auto value = state == nullptr ? std::nullopt : crdt::ValueOf(*state, {at, node(at).incarnation()}, {});
    return value.has_value() ? value->count : 0;
  }

  testing::VirtualStrand strand_;
  testing::MemoryJournal journal_;
  base::Random random_{1};
  std::shared_ptr<testing::FakeConnection> connection_ = std::make_shared<testing::FakeConnection>();
  Cluster cluster_{{}, strand_, random_, journal_, [](const std::string& text) { ADD_FAILURE() << text; }};
  crdt::CrdtWriteConsistency consistency_ = crdt::MAJORITY;

 private:
  void Answer(testing::FakeConnection::OpenedStream& stream) {
    if (stream.destroyed || stream.paused) return;
    if (stream.half_closed) return stream.handler.on_closed(absl::OkStatus());
    for (const std::string& written : std::exchange(stream.written, {})) {
      crdt::CrdtStreamIn in;
      ASSERT_TRUE(in.ParseFromString(written));
      if (!in.has_command()) continue;
      crdt::CrdtStreamOut out;
      out.mutable_reply()->set_command_id(in.command().id());
      out.mutable_reply()->mutable_client_action()->mutable_reply();
      crdt::CrdtStateAction& action = *out.mutable_reply()->mutable_state_action();
      action.mutable_update()->mutable_gcounter()->set_increment(1);
      action.set_write_consistency(consistency_);
      stream.handler.on_message(out.SerializeAsString());
    }
  }
};

TEST_F(ClusterReplicasTest, EachNodeServesAnEntityAndAllComeToKnowTheSame) {
  for (const std::uint32_t at : {1U, 2U, 3U}) {
    const Outcome outcome = Send(at, "a");
    Pass(absl::Seconds(1));
    EXPECT_THAT(*outcome, Optional(absl::OkStatus()));
  }
  for (const std::uint32_t at : {1U, 2U, 3U}) EXPECT_EQ(Count(at, "a"), 3U);
  EXPECT_TRUE(cluster_.Converged());
}

TEST_F(ClusterReplicasTest, ANodeThatWasKilledGetsEverythingWhenItJoinsAgain) {
  Send(3, "a");
  Pass(absl::Seconds(1));
  ASSERT_TRUE(cluster_.Kill(NodeId{3}).ok());
  Pass(absl::Seconds(30));
  Send(1, "a");
  Pass(absl::Seconds(1));
  ASSERT_TRUE(cluster_.StartAgain(NodeId{3}).ok());
  Pass(absl::Seconds(30));
  EXPECT_TRUE(cluster_.Converged());
  EXPECT_EQ(Count(3, "a"), 2U);
}

TEST_F(ClusterReplicasTest, BothSidesOfAPartitionGoOnAndAgreeAfterIt) {
  consistency_ = crdt::LOCAL;
  ASSERT_TRUE(cluster_.Partition({{NodeId{1}, NodeId{2}}, {NodeId{3}}}).ok());
  Send(1, "a");
  Send(3, "a");
  Pass(absl::Seconds(3));
  EXPECT_EQ(Count(2, "a"), 1U);
  EXPECT_EQ(Count(3, "a"), 1U);
  EXPECT_FALSE(cluster_.Converged());
  ASSERT_TRUE(cluster_.Heal().ok());
  Pass(absl::Seconds(10));
  EXPECT_TRUE(cluster_.Converged());
  for (const std::uint32_t at : {1U, 2U, 3U}) EXPECT_EQ(Count(at, "a"), 2U);
}

TEST_F(ClusterReplicasTest, ANodeThatWasPausedCatchesUp) {
  ASSERT_TRUE(cluster_.Pause(NodeId{3}, std::nullopt).ok());
  Send(1, "a");
  Pass(absl::Seconds(1));
  EXPECT_EQ(Count(3, "a"), 0U);
  ASSERT_TRUE(cluster_.Resume(NodeId{3}).ok());
  Pass(absl::Seconds(2));
  EXPECT_EQ(Count(3, "a"), 1U);
}

TEST_F(ClusterReplicasTest, WhatWasWrittenOnANodeThatLeavesStays) {
  consistency_ = crdt::LOCAL;
  const Outcome outcome = Send(3, "a");
  strand_.Run();
  Pass(absl::Milliseconds(100));
  ASSERT_THAT(*outcome, Optional(absl::OkStatus()));
  ASSERT_TRUE(cluster_.Drain(NodeId{3}).ok());
  Pass(absl::Seconds(60));
  EXPECT_EQ(node(3).state(), "removed");
  EXPECT_EQ(Count(1, "a"), 1U);
  EXPECT_EQ(Count(2, "a"), 1U);
}

TEST_F(ClusterReplicasTest, ANodeThatDiedWhileItJoinedHoldsUpNobodyThatLeaves) {
  ASSERT_TRUE(cluster_.AddNode().ok());
  Pass(absl::Milliseconds(600));
  ASSERT_EQ(node(4).state(), "joining");
  ASSERT_TRUE(cluster_.Kill(NodeId{4}).ok());
  Send(3, "a");
  Pass(absl::Seconds(60));
  ASSERT_TRUE(cluster_.Drain(NodeId{3}).ok());
  Pass(absl::Seconds(60));
  EXPECT_EQ(node(3).state(), "removed");
}

TEST_F(ClusterReplicasTest, WithoutLifeOrUserFunctionThereIsNoService) {
  ASSERT_TRUE(cluster_.Kill(NodeId{3}).ok());
  EXPECT_EQ(Send(3, "a")->value().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(node(3).replicas(), nullptr);
  const Outcome outcome = Send(1, "a");
  cluster_.Disconnect(absl::UnavailableError("the user function has gone"));
  strand_.Run();
  EXPECT_EQ(outcome->value().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Send(1, "a")->value().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace cloudstate::cluster
