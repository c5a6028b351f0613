#include <memory>

#include "cmd/cloudstate-dev/cluster_command.h"
#include "cmd/cloudstate-dev/cluster_text.h"
#include "cmd/cloudstate-dev/cluster_values.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/admin/views.h"

namespace cloudstate::cli {
namespace {

constexpr char kWatchEvents[] = "`cloudstate-dev nodes events --follow` tells what comes of it.";

int List(Client& client, const Settings& settings) {
  auto nodes = client.Call(&Client::ClusterStub::ListNodes, dev::v1::ListNodesRequest());
  if (!nodes.ok()) return Fail(nodes.status());
  Print(settings.json ? ToJson(*nodes) + "\n" : FormatNodes(*nodes, StandardOutput()));
  return kOk;
}

int Show(Client& client, const Settings& settings, std::int32_t node) {
  dev::v1::GetNodeRequest request;
  request.set_node(node);
  auto detail = client.Call(&Client::ClusterStub::GetNode, request);
  if (!detail.ok()) return Fail(detail.status());
  Print(settings.json ? ToJson(*detail) + "\n" : FormatNode(*detail, StandardOutput()));
  return kOk;
}

void AddLooks(CLI::App& nodes, Invocation& invocation) {
  CLI::App* list = Command(nodes, "ls", "List the nodes",
                           "  cloudstate-dev nodes ls\n"
                           "  cloudstate-dev nodes ls --json | jq -r '.nodes[] | select(.state == \"up\") | .node'");
  SetClusterAction(*list, invocation, List);

  auto node = std::make_shared<std::int32_t>(0);
  CLI::App* show = Command(nodes, "show", "Show a node, its shards, and what it knows of the others",
                           "  cloudstate-dev nodes show 2");
  AddNodeArgument(*show, *node);
  SetClusterAction(*show, invocation,
                   [node](Client& client, const Settings& settings) { return Show(client, settings, *node); });
}

// A command that does one thing to one node.
struct OneNodeCommand {
  const char* name;
  const char* description;
  const char* example;
  dev::v1::OneNode* (dev::v1::Steering::*field)();
  const char* next;
};

constexpr OneNodeCommand kOneNodeCommands[] = {
    {"drain", "Have a node give its shards away, finish its calls, and leave", "  cloudstate-dev nodes drain 3",
     &dev::v1::Steering::mutable_drain,
     "`cloudstate-dev shards ls` shows where its shards go, `nodes start` brings it back."},
    {"kill", "End a node at once, as a crash does", "  cloudstate-dev nodes kill 2", &dev::v1::Steering::mutable_kill,
     "`cloudstate-dev nodes events --follow` shows how the others notice, `nodes start` begins its next life."},
    {"start", "Begin a new life of a node that was killed, or has left", "  cloudstate-dev nodes start 2",
     &dev::v1::Steering::mutable_start, kWatchEvents},
    {"resume", "End a node's pause", "  cloudstate-dev nodes resume 1", &dev::v1::Steering::mutable_resume,
     kWatchEvents},
};

void AddOneNodeCommands(CLI::App& nodes, Invocation& invocation) {
  for (const OneNodeCommand& each : kOneNodeCommands) {
    auto node = std::make_shared<std::int32_t>(0);
    CLI::App* command = Command(nodes, each.name, each.description, each.example);
    AddNodeArgument(*command, *node);
    SetClusterAction(*command, invocation, [&each, node](Client& client, const Settings& settings) {
      dev::v1::Steering steering;
      (steering.*each.field)()->set_node(*node);
      return SteerCluster(client, settings, steering, each.next);
    });
  }
}

void AddAdd(CLI::App& nodes, Invocation& invocation) {
  CLI::App* command = Command(nodes, "add", "Have one more node join", "  cloudstate-dev nodes add");
  SetClusterAction(*command, invocation, [](Client& client, const Settings& settings) {
    dev::v1::Steering steering;
    steering.mutable_add_node();
    return SteerCluster(client, settings, steering,
                        "`cloudstate-dev nodes ls` shows when it is up, `shards ls` how it gets its share.");
  });
}

void AddPause(CLI::App& nodes, Invocation& invocation) {
  auto node = std::make_shared<std::int32_t>(0);
  auto time = std::make_shared<absl::Duration>();
  CLI::App* command = Command(nodes, "pause", "Stop a node for a while, as a long garbage collection does",
                              "  cloudstate-dev nodes pause 1 --for 10s\n"
                              "  cloudstate-dev nodes pause 1              until `nodes resume 1`");
  AddNodeArgument(*command, *node);
  DurationSetting(*command, "--for", "", *time, "How long; until it is resumed if nothing is said")->default_str("");
  SetClusterAction(*command, invocation, [node, time](Client& client, const Settings& settings) {
    dev::v1::Steering steering;
    steering.mutable_pause()->set_node(*node);
    const bool limited = *time > absl::ZeroDuration();
    if (limited) *steering.mutable_pause()->mutable_for_() = admin::ToDuration(*time);
    return SteerCluster(
        client, settings, steering,
        limited ? kWatchEvents : "`cloudstate-dev nodes resume` ends it; `nodes top` shows the others meanwhile.");
  });
}

void AddSkew(CLI::App& nodes, Invocation& invocation) {
  auto node = std::make_shared<std::int32_t>(0);
  auto by = std::make_shared<absl::Duration>();
  CLI::App* command = Command(nodes, "skew", "Set a node's clock wrong",
                              "  cloudstate-dev nodes skew 2 --by 2s       ahead\n"
                              "  cloudstate-dev nodes skew 2 --by -500ms   behind\n"
                              "  cloudstate-dev nodes skew 2 --by 0        right again");
  AddNodeArgument(*command, *node);
  AddParsed(*command, "--by", *by, ParseSkew, "Added to its time of day, 24h at most")->type_name("TIME")->required();
  SetClusterAction(*command, invocation, [node, by](Client& client, const Settings& settings) {
    dev::v1::Steering steering;
    steering.mutable_skew()->set_node(*node);
    *steering.mutable_skew()->mutable_by() = admin::ToDuration(*by);
    return SteerCluster(client, settings, steering, "`cloudstate-dev nodes ls` shows the clocks that are wrong.");
  });
}

}  // namespace

void AddNodes(CLI::App& root, Invocation& invocation) {
  CLI::App* nodes = Command(root, "nodes", "Look at the nodes, and add, stop and disturb them",
                            "  cloudstate-dev run --nodes 3              in another terminal\n"
                            "  cloudstate-dev nodes top                  and in a third one:\n"
                            "  cloudstate-dev nodes kill 2");
  nodes->group(kClusterGroup);
  nodes->require_subcommand(1);
  AddLooks(*nodes, invocation);
  AddNodesTop(*nodes, invocation);
  AddNodesEvents(*nodes, invocation);
  AddAdd(*nodes, invocation);
  AddOneNodeCommands(*nodes, invocation);
  AddPause(*nodes, invocation);
  AddSkew(*nodes, invocation);
}

}  // namespace cloudstate::cli
