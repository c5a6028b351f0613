// What people write about a cluster on the command line, and how it is shown to them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cmd/cloudstate-dev/cluster_text.h"
#include "cmd/cloudstate-dev/cluster_values.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/network_text.h"

namespace cloudstate::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr Terminal kPipe;

// ---- values

TEST(CliGroups, AreNodesWithCommasBetweenAndGroupsWithSlashes) {
  using Groups = std::vector<std::vector<std::int32_t>>;
  EXPECT_EQ(*ParseGroups("1,2/3,4,5"), (Groups{{1, 2}, {3, 4, 5}}));
  EXPECT_EQ(*ParseGroups("3"), (Groups{{3}}));
  EXPECT_EQ(*ParseGroups(" 1, 2 / 3 "), (Groups{{1, 2}, {3}}));
}

TEST(CliGroups, NameEveryNodeOnceAndNoneThatCannotBe) {
  for (const char* text : {"", "1,2/", "/1", "1,,2", "0", "-1", "one", "1,2/2", "1,1", "99999999999"}) {
    const auto groups = ParseGroups(text);
    EXPECT_TRUE(absl::IsInvalidArgument(groups.status())) << text;
    EXPECT_THAT(std::string(groups.status().message()), HasSubstr("1,2/3,4,5"));
  }
}

TEST(CliShare, IsAPercentageOrAPartOfOne) {
  EXPECT_DOUBLE_EQ(*ParseShare("10%"), 0.1);
  EXPECT_DOUBLE_EQ(*ParseShare("0.25"), 0.25);
  EXPECT_DOUBLE_EQ(*ParseShare("100%"), 1);
  EXPECT_DOUBLE_EQ(*ParseShare("0.5%"), 0.005);
  EXPECT_DOUBLE_EQ(*ParseShare("0"), 0);
  for (const char* text : {"", "%", "10", "101%", "-1%", "1.1", "nan", "many"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseShare(text).status())) << text;
  }
}

TEST(CliBytes, HaveUnitsOfBothKinds) {
  EXPECT_EQ(*ParseBytes("1500"), 1'500);
  EXPECT_EQ(*ParseBytes("64KiB"), 65'536);
  EXPECT_EQ(*ParseBytes("1MiB/s"), 1'048'576);
  EXPECT_EQ(*ParseBytes("1.5MB"), 1'500'000);
  EXPECT_EQ(*ParseBytes("2kB"), 2'000);
  EXPECT_EQ(*ParseBytes("0"), 0);
  for (const char* text : {"", "MiB", "-1", "1Mib", "0.1", "nan", "1e30", "fast"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseBytes(text).status())) << text;
  }
}

TEST(CliNumbers, OfNodesBeginWithOneAndThoseOfShardsWithZero) {
  EXPECT_EQ(*ParseNode("1"), 1);
  EXPECT_EQ(*ParseShard("0"), 0);
  EXPECT_EQ(*ParseShard("99"), 99);
  for (const std::string text : {"0", "-1", "two", "", "1.5", "99999999999"}) {
    EXPECT_EQ(std::string(ParseNode(text).status().message()), "'" + text + "' is no node; nodes are numbered from 1");
  }
  for (const std::string text : {"-1", "100", "all"}) {
    EXPECT_EQ(std::string(ParseShard(text).status().message()),
              "'" + text + "' is no shard; shards are numbered from 0 to 99");
  }
}

TEST(CliSkew, IsADayAtMostEitherWay) {
  EXPECT_EQ(*ParseSkew("-24h"), -absl::Hours(24));
  EXPECT_EQ(*ParseSkew("500ms"), absl::Milliseconds(500));
  for (const char* text : {"24h1ns", "-25h", "inf", "-inf", "nan", "2", "much"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseSkew(text).status())) << text;
  }
}

// ---- commands

// Empty, or what is wrong with the arguments.
std::string Parse(std::vector<std::string> arguments) {
  CLI::App root;
  Invocation invocation;
  BuildCommands(root, invocation);
  std::reverse(arguments.begin(), arguments.end());
  try {
    root.parse(arguments);
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  return invocation.action ? "" : "nothing to do";
}

TEST(CliClusterCommands, TakeWhatTheirHelpShows) {
  const std::vector<std::string> lines = {
      "nodes ls",
      "nodes show 2",
      "nodes add",
      "nodes drain 3",
      "nodes kill 2",
      "nodes start 2",
      "nodes pause 1 --for 10s",
      "nodes pause 1",
      "nodes resume 1",
      "nodes skew 2 --by 2s",
      "nodes skew 2 --by -500ms",
      "nodes skew 2 --by 0",
      "nodes top --interval 5s --count 1",
      "nodes events -n 100 --node 2 --follow",
      "shards ls --all",
      "shards move 17 --to 2",
      "shards move 0 --to 1",
      "network show --all",
      "network partition 1,2/3,4,5",
      "network cut 1 2",
      "network link",
      "network link --from 1 --latency uniform(1ms,2s) --one-way",
      "network link --from 1 --to 2 --loss 10% --duplicate 1% --reorder 0.05 --bandwidth 1MiB",
      "network heal",
  };
  for (const std::string& line : lines) {
    EXPECT_EQ(Parse(absl::StrSplit(line, ' ')), "") << line;
    EXPECT_EQ(Parse(absl::StrSplit(line + " --json", ' ')), "") << line;
  }
}

TEST(CliClusterCommands, RefuseWhatMakesNoSense) {
  const std::vector<std::string> lines = {"nodes",
                                          "nodes show",
                                          "nodes show 0",
                                          "nodes show two",
                                          "nodes pause 1 --for 0s",
                                          "nodes pause 1 --for soon",
                                          "nodes skew 2",
                                          "nodes skew 2 --by much",
                                          "nodes events -n 0",
                                          "shards move 17",
                                          "shards move -1 --to 2",
                                          "network partition 1,1",
                                          "network cut 1",
                                          "nodes skew 2 --by 25h",
                                          "nodes events --node 0",
                                          "shards ls --node one",
                                          "shards move 100 --to 2",
                                          "network link --loss 110%",
                                          "network link --latency soon",
                                          "network link --one-way",
                                          "network link --one-way --loss 1%",
                                          "network link --bandwidth fast"};
  for (const std::string& line : lines) EXPECT_NE(Parse(absl::StrSplit(line, ' ')), "") << line;
  EXPECT_THAT(Parse({"network", "link", "--loss", "110%"}), HasSubstr("10% or 0.1"));
}

TEST(CliClusterCommands, CallAnArgumentOrAnOptionsValueWhatItIs) {
  CLI::App root;
  Invocation invocation;
  BuildCommands(root, invocation);
  const auto help = [&](const char* command, const char* sub) {
    return root.get_subcommand(command)->get_subcommand(sub)->help();
  };
  for (const std::string& text : {help("nodes", "kill"), help("shards", "ls"), help("shards", "move"),
                                  help("network", "cut"), help("network", "link"), help("network", "partition")}) {
    for (const char* type : {"INT", "TEXT", "POSITIVE", "NONNEGATIVE"}) EXPECT_THAT(text, Not(HasSubstr(type)));
  }
  EXPECT_THAT(help("shards", "move"), HasSubstr("--to NODE REQUIRED"));
}

// ---- texts

TEST(CliRanges, JoinNeighbours) {
  EXPECT_EQ(FormatRanges({}), "none");
  EXPECT_EQ(FormatRanges({7}), "7");
  EXPECT_EQ(FormatRanges({0, 1, 2, 3, 7, 9, 10}), "0-3, 7, 9-10");
}

dev::v1::Node MakeNode(int number, const std::string& state) {
  dev::v1::Node node;
  node.set_node(number);
  node.set_state(state);
  node.set_incarnation(1);
  return node;
}

TEST(CliNodes, ShowWhatIsOutOfTheOrdinary) {
  dev::v1::ListNodesResponse nodes;
  *nodes.add_nodes() = MakeNode(1, "up");
  nodes.mutable_nodes(0)->set_coordinator(true);
  nodes.mutable_nodes(0)->set_shards(50);
  nodes.mutable_nodes(0)->add_unreachable(2);
  *nodes.add_nodes() = MakeNode(2, "up");
  nodes.mutable_nodes(1)->set_paused(true);
  nodes.mutable_nodes(1)->set_incarnation(3);
  nodes.mutable_nodes(1)->mutable_skew()->set_seconds(2);
  EXPECT_EQ(
      FormatNodes(nodes, kPipe),
      "NODE  STATE       SINCE                     SHARDS  ENTITIES  WAITING  CALLS  NOTES\n"
      "   1  up          1970-01-01T00:00:00.000Z      50         0        0      0  coordinator; does not hear 2\n"
      "   2  up, paused  1970-01-01T00:00:00.000Z       0         0        0      0  clock +2s; life 3\n");
  nodes.mutable_nodes(1)->set_client_address("127.0.0.1:9102");
  EXPECT_THAT(FormatNodes(nodes, kPipe), HasSubstr("127.0.0.1:9102  clock +2s"));
}

TEST(CliNodes, OneOfThemShowsHowItSeesTheOthers) {
  dev::v1::NodeDetail detail;
  *detail.mutable_node() = MakeNode(1, "up");
  for (const int shard : {0, 1, 2, 9}) detail.add_owned_shards(shard);
  dev::v1::Peer& peer = *detail.add_peers();
  peer.set_node(2);
  peer.set_state("up");
  peer.set_incarnation(4);
  peer.set_phi(12.34);
  peer.mutable_last_heard()->set_seconds(7);
  detail.add_peers()->set_node(3);
  const std::string text = FormatNode(detail, kPipe);
  EXPECT_THAT(text, HasSubstr("Shards    4: 0-2, 9\n"));
  EXPECT_THAT(text, HasSubstr("   2  up        4  no         12.3      7s ago               0\n"));
  EXPECT_THAT(text, HasSubstr("never"));
}

dev::v1::ListShardsResponse Shards() {
  dev::v1::ListShardsResponse shards;
  shards.set_seen_by(2);
  for (int i = 0; i < 6; ++i) {
    dev::v1::Shard& shard = *shards.add_shards();
    shard.set_shard(i);
    shard.set_owner(i < 3 ? 1 : 2);
    shard.set_phase("owned");
    shard.set_active_entities(1);
  }
  shards.mutable_shards(4)->set_phase("stopping");
  shards.mutable_shards(4)->set_target(1);
  shards.mutable_shards(5)->set_owner(0);
  shards.mutable_shards(5)->set_phase("released");
  return shards;
}

TEST(CliShards, AreALineForEachNodeAndThoseOnTheirWay) {
  EXPECT_EQ(FormatShards(Shards(), kPipe),
            "  NODE  SHARDS  ENTITIES  WHICH\n"
            "nobody       1         1  5\n"
            "     1       3         3  0-2\n"
            "     2       2         2  3-4\n"
            "On their way:\n"
            "  shard 4 from node 2 to node 1 (stopping)\n"
            "As node 2 sees it.\n");
}

TEST(CliShards, CanBeALineEach) {
  const std::vector<std::string> lines = absl::StrSplit(FormatEveryShard(Shards(), kPipe), '\n');
  ASSERT_EQ(lines.size(), 9u);  // titles, six shards, whose sight it is, the end
  EXPECT_THAT(lines[5], HasSubstr("stopping   1"));
  EXPECT_THAT(lines[6], HasSubstr("   -  "));
}

dev::v1::NetworkState MakeNetwork(int nodes) {
  dev::v1::NetworkState network;
  network.mutable_default_settings()->set_latency("5ms");
  for (int from = 1; from <= nodes; ++from) {
    for (int to = 1; to <= nodes; ++to) {
      if (from == to) continue;
      dev::v1::LinkState& link = *network.add_links();
      link.set_from(from);
      link.set_to(to);
      link.set_sent(10);
      link.set_sent_bytes(1'024);
      *link.mutable_settings() = network.default_settings();
    }
  }
  return network;
}

TEST(CliNetwork, OfFewNodesIsAMatrix) {
  dev::v1::NetworkState network = MakeNetwork(3);
  network.mutable_links(0)->set_cut(true);                      // 1 to 2
  network.mutable_links(5)->mutable_settings()->set_loss(0.1);  // 3 to 2
  EXPECT_EQ(FormatNetwork(network, kPipe),
            "FROM \\ TO  1   2              3\n"
            "        1  ·   cut            ok\n"
            "        2  ok  ·              ok\n"
            "        3  ok  5ms, loss 10%  ·\n"
            "\n"
            "All links  5ms\n"
            "Messages   60 sent (6KiB), 0 lost, 0 duplicated, 0 on their way\n");
}

TEST(CliNetwork, OfManyNodesShowsWhatIsNotAsUsual) {
  dev::v1::NetworkState network = MakeNetwork(11);
  EXPECT_THAT(FormatNetwork(network, kPipe), HasSubstr("No link is cut by itself"));
  network.mutable_links(0)->set_cut(true);  // 1 to 2
  network.add_partition()->add_nodes(11);
  network.mutable_links(9)->set_cut(true);  // 1 to 11, by the partition
  const std::string text = FormatNetwork(network, kPipe);
  EXPECT_THAT(text, HasSubstr("   1   2  cut\n"));
  EXPECT_THAT(text, Not(HasSubstr("   1  11  cut\n")));
  EXPECT_THAT(text, HasSubstr("Partition  11\n"));
  EXPECT_THAT(FormatEveryLink(network, kPipe), HasSubstr("   1  11    10   1024 "));
}

TEST(CliNetwork, OfOneNodeHasNoLinks) {
  EXPECT_THAT(FormatNetwork(dev::v1::NetworkState(), kPipe), HasSubstr("nodes add"));
}

TEST(CliLinkSettings, NameOnlyWhatTheLinkDoes) {
  dev::v1::LinkSettings settings;
  EXPECT_EQ(FormatLinkSettings(settings), "perfect");
  settings.set_latency("uniform(1ms, 20ms)");
  settings.set_loss(0.125);
  settings.set_duplicate(0.01);
  settings.set_reorder(1);
  settings.set_bytes_per_second(1'572'864);
  EXPECT_EQ(FormatLinkSettings(settings), "uniform(1ms, 20ms), loss 12.5%, duplicate 1%, reorder 100%, 1.5MiB/s");
}

TEST(CliClusterEvents, AreLinesThatFitTheTerminal) {
  dev::v1::ClusterEvent event;
  event.set_node(2);
  event.set_kind("unreachable");
  event.set_text("Node 2 cannot hear node 1 any more.");
  EXPECT_EQ(FormatClusterEvent(event, kPipe),
            "1970-01-01T00:00:00.000Z  node 2   unreachable  Node 2 cannot hear node 1 any more.\n");
  Terminal terminal;
  terminal.width = 60;
  EXPECT_LE(Width(FormatClusterEvent(event, terminal)), 61u);
  event.set_node(0);
  event.set_text("a\x1b[31mb");
  EXPECT_EQ(FormatClusterEvent(event, kPipe), "1970-01-01T00:00:00.000Z           unreachable  a\\x1b[31mb\n");
}

TEST(CliSnapshot, ShowsAsManyOfTheNewestEventsAsHaveRoom) {
  ClusterSnapshot snapshot;
  *snapshot.nodes.add_nodes() = MakeNode(1, "up");
  snapshot.network = MakeNetwork(2);
  snapshot.network.mutable_links(1)->set_cut(true);
  for (int i = 0; i < 9; ++i) snapshot.events.add_events()->set_text(absl::StrCat("event ", i));
  const std::string text = FormatSnapshot(snapshot, 8, kPipe);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 8) << text;
  EXPECT_THAT(text, HasSubstr("Network: links are 5ms; cut 2 to 1\n"));
  EXPECT_THAT(text, HasSubstr("event 8"));
  EXPECT_THAT(text, HasSubstr("event 6"));
  EXPECT_THAT(text, Not(HasSubstr("event 5")));
  EXPECT_THAT(text, Not(HasSubstr("more node")));
  const std::string small = FormatSnapshot(snapshot, 2, kPipe);
  EXPECT_EQ(std::count(small.begin(), small.end(), '\n'), 2) << small;
}

TEST(CliSnapshot, TellsOfNodesThatHaveNoRoomAndKeepsTheNetwork) {
  ClusterSnapshot snapshot;
  for (int i = 1; i <= 9; ++i) *snapshot.nodes.add_nodes() = MakeNode(i, "up");
  const std::vector<std::string> lines = absl::StrSplit(FormatSnapshot(snapshot, 6, kPipe), '\n');
  ASSERT_EQ(lines.size(), 7u);  // the last one is empty
  EXPECT_THAT(lines[3], HasSubstr("   3  up"));
  EXPECT_EQ(lines[4], "… and 6 more nodes");
  EXPECT_THAT(lines[5], HasSubstr("Network: "));
}

TEST(CliSnapshot, HasNoLineThatIsWiderThanTheTerminal) {
  ClusterSnapshot snapshot;
  for (int i = 1; i <= 3; ++i) *snapshot.nodes.add_nodes() = MakeNode(i, "up");
  snapshot.nodes.mutable_nodes(1)->set_client_address("127.0.0.1:9102");
  snapshot.events.add_events()->set_text("an event with a text that is rather long");
  Terminal terminal;
  terminal.colour = true;
  for (const std::size_t width : {1, 30, 40, 63, 80}) {
    terminal.width = width;
    const std::vector<std::string> lines = absl::StrSplit(FormatSnapshot(snapshot, 20, terminal), '\n');
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_LE(Width(lines[i]), width) << lines[i];
      EXPECT_EQ(absl::StrContains(lines[i], "\x1b["), absl::StrContains(lines[i], "\x1b[0m")) << lines[i];
    }
  }
  terminal.width = 30;
  EXPECT_THAT(FormatSnapshot(snapshot, 20, terminal), HasSubstr("…"));
}

}  // namespace
}  // namespace cloudstate::cli
