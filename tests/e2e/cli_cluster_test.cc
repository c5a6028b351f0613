// The commands that look at a cluster and steer it, against a running emulator with three nodes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "cloudstate/dev/v1/cluster.pb.h"
#include "tests/e2e/running_emulator.h"

namespace cloudstate {
namespace {

using support::RunTool;
using support::StartTool;
using support::ToolResult;
using ::testing::HasSubstr;

class CliCluster : public RunningEmulator {
 protected:
  CliCluster() : RunningEmulator({"--sample", "shopping-cart", "--nodes", "3", "--ephemeral"}) {}

  dev::v1::ListNodesResponse Nodes() const {
    return FromJson<dev::v1::ListNodesResponse>(Output({"nodes", "ls", "--json"}));
  }
  dev::v1::NetworkState Network() const {
    return FromJson<dev::v1::NetworkState>(Output({"network", "show", "--json"}));
  }
  bool EventuallyNode(int number, const std::string& state) const {
    return Eventually([&] {
      const dev::v1::ListNodesResponse nodes = Nodes();
      return nodes.nodes_size() >= number && nodes.nodes(number - 1).state() == state;
    });
  }
};

TEST_F(CliCluster, ShowsNodesAndTheirShards) {
  ASSERT_TRUE(Eventually([&] {
    int shards = 0;
    const dev::v1::ListNodesResponse response = Nodes();
    for (const dev::v1::Node& node : response.nodes()) shards += node.shards();
    return shards == 100;
  }));
  EXPECT_THAT(Output({"nodes", "ls"}), HasSubstr("coordinator"));
  EXPECT_THAT(Output({"nodes", "show", "2"}), HasSubstr("Node 2  up"));
  EXPECT_THAT(Output({"shards", "ls"}), HasSubstr("As node 1 sees it."));
  const auto shards = FromJson<dev::v1::ListShardsResponse>(Output({"shards", "ls", "--node", "3", "--json"}));
  EXPECT_EQ(shards.shards_size(), 100);
  EXPECT_EQ(shards.seen_by(), 3);
  EXPECT_THAT(Output({"status"}), HasSubstr("Nodes          3 run"));
}

TEST_F(CliCluster, AddsKillsAndStartsNodes) {
  EXPECT_THAT(Output({"nodes", "add"}), HasSubstr("node 4 joins"));
  EXPECT_TRUE(EventuallyNode(4, "up"));
  Output({"nodes", "kill", "4"});
  EXPECT_TRUE(EventuallyNode(4, "stopped"));
  Output({"nodes", "start", "4"});
  EXPECT_TRUE(EventuallyNode(4, "up"));
  Output({"nodes", "drain", "4"});
  EXPECT_TRUE(EventuallyNode(4, "removed"));
  EXPECT_THAT(Output({"nodes", "events", "-n", "100"}), HasSubstr("steered"));
}

TEST_F(CliCluster, PausesAndResumesAndSetsClocks) {
  Output({"nodes", "pause", "2"});
  EXPECT_TRUE(Nodes().nodes(1).paused());
  Output({"nodes", "resume", "2"});
  EXPECT_FALSE(Nodes().nodes(1).paused());
  Output({"nodes", "skew", "2", "--by", "-2s"});
  EXPECT_EQ(Nodes().nodes(1).skew().seconds(), -2);
}

// Its own clock and timers stand still: somebody else must end the call.
TEST_F(CliCluster, GivesUpACallAtAPausedNodeAtItsDeadline) {
  Output({"nodes", "pause", "2"});
  const std::vector<std::string> call = {
      "call", "ShoppingCart/GetCart", R"({"userId": "me"})", "--node", "2", "--deadline", "100ms"};
  const ToolResult text = Tool(call);
  EXPECT_EQ(text.exit_code, 1);
  EXPECT_THAT(text.errors, HasSubstr("DEADLINE_EXCEEDED: no reply to"));
  std::vector<std::string> as_json = call;
  as_json.push_back("--json");
  const ToolResult json = Tool(as_json);
  EXPECT_EQ(json.exit_code, 1);
  EXPECT_THAT(json.output, HasSubstr("\"code\":4"));
}

TEST_F(CliCluster, DisturbsTheNetworkAndHealsIt) {
  Output({"network", "partition", "1,2/3"});
  EXPECT_EQ(Network().partition_size(), 2);
  EXPECT_TRUE(Eventually([&] { return absl::StrContains(Output({"nodes", "events"}), "unreachable"); }));
  Output({"network", "heal"});
  EXPECT_EQ(Network().partition_size(), 0);
  Output({"network", "cut", "1", "2"});
  EXPECT_THAT(Output({"network", "show"}), HasSubstr("cut"));
  Output({"network", "heal"});
  Output({"network", "link", "--from", "1", "--to", "2", "--latency", "5ms", "--loss", "1%"});
  EXPECT_THAT(Output({"network", "show"}), HasSubstr("5ms, loss 1%"));
}

TEST_F(CliCluster, MovesAShard) {
  const auto owner = [&](int shard) {
    return FromJson<dev::v1::ListShardsResponse>(Output({"shards", "ls", "--json"})).shards(shard).owner();
  };
  ASSERT_TRUE(Eventually([&] { return owner(17) != 0; }));
  const int to = owner(17) == 3 ? 2 : 3;
  Output({"shards", "move", "17", "--to", std::to_string(to)});
  EXPECT_TRUE(Eventually([&] { return owner(17) == to; }));
}

TEST_F(CliCluster, FollowsEvents) {
  auto follower = StartTool(WithAdmin({"nodes", "events", "--follow", "--json"}));
  Output({"nodes", "skew", "3", "--by", "1s"});
  EXPECT_TRUE(follower->WaitUntil(
      [](const std::string& output, const std::string&) { return absl::StrContains(output, "\"steered\""); },
      kPatience))
      << follower->errors();
}

TEST_F(CliCluster, PrintsTheViewAsTextWhereThereIsNoTerminal) {
  const std::string text = Output({"nodes", "top", "--count", "2", "--interval", "10ms"});
  EXPECT_THAT(text, HasSubstr("NODE  STATE"));
  EXPECT_THAT(text, HasSubstr("Network: links are"));
  EXPECT_FALSE(absl::StrContains(text, "\x1b")) << "codes for a terminal";
}

TEST_F(CliCluster, TellsWhatCannotBeDone) {
  const ToolResult unknown = Tool({"nodes", "kill", "9"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.errors, HasSubstr("9"));
  EXPECT_EQ(Tool({"nodes", "start", "1"}).exit_code, 1) << "it runs";
  EXPECT_THAT(Tool({"nodes", "show", "9"}).errors, HasSubstr("there is no node 9; there are nodes 1 to 3"));
  EXPECT_EQ(Tool({"nodes", "events", "--node", "77"}).exit_code, 1);
  EXPECT_EQ(Tool({"nodes", "events", "--node", "77", "--follow"}).exit_code, 1);
  EXPECT_THAT(Tool({"network", "partition", "1,2,3"}).errors, HasSubstr("All nodes are in the one group"));
  EXPECT_EQ(Tool({"network", "partition", "1,1"}).exit_code, 2);
  EXPECT_EQ(RunTool({"nodes", "ls", "--admin", "127.0.0.1:1"}).exit_code, 3);
}

}  // namespace
}  // namespace cloudstate
