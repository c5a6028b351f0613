// What the admin contract shows of a cluster, and the nodes' own ports.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>

#include "emulator/runtime/cluster_views.h"
#include "emulator/runtime/node_ports.h"
#include "tests/support/memory_journal.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::runtime {
namespace {

using ::testing::HasSubstr;

class ClusterViews : public ::testing::Test {
 protected:
  ~ClusterViews() override {
    cluster_.Stop();
    strand_.Run();
  }
  void StartNodes(std::size_t count) {
    cluster_.Start(count);
    strand_.Run();
  }
  absl::Status Shards(std::int32_t node) const {
    dev::v1::ListShardsRequest request;
    request.set_node(node);
    return ListShards(cluster_, request).status();
  }
  absl::Status Events(std::int32_t node) const {
    dev::v1::ListClusterEventsRequest request;
    request.set_node(node);
    return ListClusterEvents(cluster_, request).status();
  }

  testing::VirtualStrand strand_;
  base::Random random_{1};
  testing::MemoryJournal journal_;
  cluster::Cluster cluster_{cluster::Node::Options(), strand_, random_, journal_, [](const std::string&) {}};
};

TEST_F(ClusterViews, TellThatNobodyIsTheCoordinatorAsAStateOfTheClusterAndNotALostConnection) {
  StartNodes(2);
  EXPECT_EQ(Shards(0), absl::OkStatus());
  for (const int node : {1, 2}) ASSERT_TRUE(cluster_.Kill(cluster::NodeId(node)).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(Shards(0))) << Shards(0);
  EXPECT_THAT(std::string(Shards(0).message()), HasSubstr("No node is the coordinator"));
}

TEST_F(ClusterViews, NameTheNodesThereAreWhereOneIsNot) {
  StartNodes(1);
  EXPECT_EQ(Shards(9), absl::NotFoundError("there is no node 9; there is node 1 only"));
  ASSERT_TRUE(cluster_.AddNode().ok());
  EXPECT_EQ(Shards(9), absl::NotFoundError("there is no node 9; there are nodes 1 to 2"));
  EXPECT_EQ(Events(77), absl::NotFoundError("there is no node 77; there are nodes 1 to 2"));
  EXPECT_EQ(Events(2), absl::OkStatus());
  EXPECT_EQ(Events(0), absl::OkStatus());
}

TEST_F(ClusterViews, ShowThreeDigitsOfASuspicion) {
  StartNodes(2);
  strand_.Advance(absl::Seconds(3));
  ASSERT_TRUE(cluster_.Kill(cluster::NodeId(2)).ok());
  strand_.Advance(absl::Milliseconds(2'123));
  const std::function<std::string(cluster::NodeId)> none;
  dev::v1::GetNodeRequest request;
  request.set_node(1);
  const auto detail = GetNode({cluster_, strand_, none}, request);
  ASSERT_TRUE(detail.ok()) << detail.status();
  const double phi = detail->peers(0).phi();
  EXPECT_GT(phi, 0);
  EXPECT_EQ(phi, std::round(phi * 1'000) / 1'000);
}

class NoUserFunction final : public serving::Backend {
 public:
  std::shared_ptr<const serving::Services> CurrentServices() const override {
    return std::make_shared<const serving::Services>();
  }
  absl::Status Availability() const override { return absl::UnavailableError("none"); }
  void Start(serving::Call, std::shared_ptr<serving::Responder>) override {}
};

TEST(NodePorts, AboveTheLastOneAreNoneAndAProblem) {
  Settings settings;
  settings.node_port = 65'534;
  NodePorts ports(settings);
  NoUserFunction backend;
  ports.Add(cluster::NodeId(3), backend);
  ports.Add(cluster::NodeId(4), backend);
  EXPECT_EQ(ports.AddressOf(cluster::NodeId(3)), "");
  EXPECT_EQ(ports.AddressOf(cluster::NodeId(4)), "");
  EXPECT_TRUE(absl::IsOutOfRange(ports.Check())) << ports.Check();
  EXPECT_THAT(std::string(ports.Check().message()), HasSubstr("65536"));
}

}  // namespace
}  // namespace cloudstate::runtime
