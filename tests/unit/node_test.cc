// Nodes as clients and the user function meet them: who takes a call, what becomes of it when a node's life ends, and
// when a node may leave.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cloudstate/action.pb.h"
#include "tests/unit/router_fixture.h"

namespace cloudstate::routing {
namespace {

using action::ActionResponse;
using cloudstate::testing::Request;
using cloudstate::testing::ServicesWithAnAction;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class NodeTest : public RouterFixture {
 protected:
  NodeTest() : RouterFixture(ServicesWithAnAction()) {}

  static ActionResponse Reply() {
    ActionResponse response;
    response.mutable_reply()->mutable_payload()->set_type_url("type.googleapis.com/test.Response");
    return response;
  }

  using RouterFixture::node;
  cluster::Node& node(std::uint32_t number) { return *cluster_.Find(cluster::NodeId{number}); }
  void Pass(absl::Duration time) { strand_.Advance(time); }

  void AddSecondNode() {
    ASSERT_TRUE(cluster_.AddNode().ok());
    Pass(absl::Seconds(60));  // joins, and gets its share of the shards
    ASSERT_TRUE(cluster_.Converged());
    ASSERT_THAT(node(2).owned_shards(), SizeIs(50));
  }

  // A unary call of an entity at this node.
  std::shared_ptr<FakeClient> CallAt(const std::string& number, const std::string& id) {
    auto client = std::make_shared<FakeClient>();
    serving::Call call;
    call.service = "test.One";
    call.method = "Call";
    call.payload = Request(id);
    auto& entry = *call.metadata.add_entries();
    entry.set_key(serving::kNodeHeader);
    entry.set_string_value(number);
    router_.Start(std::move(call), client);
    strand_.Run();
    return client;
  }

  // An entity that lives on the second node.
  std::string IdOnSecond() {
    for (char id = 'a';; ++id) {
      const cluster::ShardHome& home = node(1).shards()->at(cluster::ShardOf(std::string(1, id)));
      if (home.owner == cluster::NodeId{2}) return std::string(1, id);
    }
  }
};

TEST_F(NodeTest, TheHeaderPicksANodeAndNamesThoseThereAreOtherwise) {
  AddSecondNode();
  for (const char* wrong : {"3", "0", "x", ""}) {
    const auto client = CallAt(wrong, "a");
    ASSERT_TRUE(client->status.has_value()) << wrong;
    EXPECT_EQ(client->status->code(), absl::StatusCode::kInvalidArgument) << wrong;
    EXPECT_THAT(std::string(client->status->message()), HasSubstr("nodes 1 to 2")) << wrong;
  }
  node(2).Kill();
  EXPECT_EQ(CallAt("2", "a")->status->code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(CallAt("1", "a")->status.has_value());
}

TEST_F(NodeTest, ACommandOfAnotherNodesEntityTravelsThereAndItsTraceTellsAllOfIt) {
  AddSecondNode();
  const auto client = CallAt("1", IdOnSecond());
  EXPECT_EQ(node(1).active_entities(), 0U);
  EXPECT_EQ(node(2).active_entities(), 1U);
  eventsourced::EventSourcedStreamOut out;
  out.mutable_reply()->set_command_id(1);
  out.mutable_reply()->mutable_client_action()->mutable_reply()->mutable_payload()->set_value("hello");
  Say(0, out);
  ASSERT_TRUE(client->status.has_value());
  EXPECT_EQ(client->messages, std::vector<std::string>{"hello"});
  const trace::Trace& trace = *recorder_.traces().front();
  EXPECT_EQ(trace.node, "1");
  EXPECT_THAT(trace.steps, Contains(AllOf(Field(&trace::Step::kind, trace::StepKind::kRouted),
                                          Field(&trace::Step::detail, HasSubstr("to node 2")))));
  EXPECT_THAT(trace.steps, Contains(Field(&trace::Step::kind, trace::StepKind::kSent)));
}

TEST_F(NodeTest, ACommandOnANodeThatIsKilledEndsWithAnUnknownOutcome) {
  AddSecondNode();
  const auto client = CallAt("1", IdOnSecond());
  ASSERT_FALSE(client->status.has_value());
  ASSERT_TRUE(cluster_.Kill(cluster::NodeId{2}).ok());
  EXPECT_FALSE(client->status.has_value());
  // Half of two, with the oldest, goes on.
  Pass(absl::Seconds(10));
  ASSERT_TRUE(client->status.has_value());
  EXPECT_EQ(client->status->code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(client->status->message()), HasSubstr("not known"));
  EXPECT_THAT(node(1).owned_shards(), SizeIs(100));
}

TEST_F(NodeTest, ADeletedEntityIsForgottenWhereverItLives) {
  AddSecondNode();
  const std::string id = IdOnSecond();
  journal_.entities[{"persisted-One", id}].events.push_back({1, {"type", "e1"}});
  const auto client = CallAt("1", id);
  absl::StatusOr<journal::Deleted> deleted = absl::UnknownError("no answer");
  cluster_.Delete({"persisted-One", id}, [&](absl::StatusOr<journal::Deleted> answer) { deleted = answer; });
  strand_.Run();
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(deleted->events, 1);
  ASSERT_TRUE(client->status.has_value());
  EXPECT_TRUE(absl::IsAborted(*client->status)) << *client->status;
  EXPECT_THAT(std::string(client->status->message()), HasSubstr("was deleted"));
}

TEST_F(NodeTest, TheEndOfALifeEndsItsCallsAndLeavesNothingBehind) {
  const auto client = Start("test.Act", "Unary", Request("a"), std::nullopt);
  ActionResponse response = Reply();
  auto& effect = *response.add_side_effects();
  effect.set_service_name("test.Act");
  effect.set_command_name("Unary");
  effect.mutable_payload()->set_value(Request("a"));
  Say(0, response);
  End(0);
  ASSERT_THAT(connection_->streams, SizeIs(2));
  const auto waiting = Start("test.Act", "Out", Request("a"), std::nullopt);
  node().Kill();
  strand_.Run();
  EXPECT_EQ(client->status, absl::OkStatus());
  EXPECT_EQ(waiting->status->code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(Stream(1).destroyed);
  EXPECT_TRUE(Stream(2).destroyed);
  EXPECT_THAT(recorder_.traces(), SizeIs(2)) << "a call whose trace never ends";
}

TEST_F(NodeTest, WhatCameWhileANodeSleptIsAnsweredEvenIfItWentTwice) {
  const auto client = Start("test.Act", "Out", Request("a"), std::nullopt);
  node().Pause();
  cluster_.Disconnect(absl::UnavailableError("gone"));
  Stream(0).handler.on_closed(absl::UnavailableError("gone"));
  Serve(ServicesWithAnAction());
  cluster_.Disconnect(absl::UnavailableError("gone again"));
  strand_.Run();
  EXPECT_FALSE(client->status.has_value());
  node().Resume();
  strand_.Run();
  EXPECT_TRUE(client->status.has_value());
}

TEST_F(NodeTest, ANodeLeavesThoughAStreamWouldGoOnForEver) {
  AddSecondNode();
  const auto client = Start("test.Act", "Out", Request("a"), std::nullopt);
  const auto holder = node(1).open_calls() > 0 ? cluster::NodeId{1} : cluster::NodeId{2};
  ASSERT_TRUE(cluster_.Drain(holder).ok());
  Pass(absl::Seconds(30));
  EXPECT_FALSE(client->status.has_value());
  Pass(absl::Seconds(60));
  ASSERT_TRUE(client->status.has_value());
  EXPECT_EQ(client->status->code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(cluster_.Find(holder)->state(), "removed");
}

TEST_F(NodeTest, TheLastNodeThatIsUpCannotBeDrained) {
  const auto drained = cluster_.Drain(cluster::NodeId{1});
  EXPECT_EQ(drained.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(drained.status().message()), HasSubstr("add or start another"));
}

}  // namespace
}  // namespace cloudstate::routing
