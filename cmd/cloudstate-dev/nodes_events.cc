#include <memory>

#include "cmd/cloudstate-dev/cluster_command.h"
#include "cmd/cloudstate-dev/cluster_text.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {
namespace {

struct NodesEventsOptions {
  int count = 20;
  std::int32_t node = 0;
  bool follow = false;
};

void PrintEvent(const dev::v1::ClusterEvent& event, const Settings& settings, const Terminal& terminal) {
  Print(settings.json ? ToJson(event) + "\n" : FormatClusterEvent(event, terminal));
}

int Follow(Client& client, const Settings& settings, const NodesEventsOptions& options) {
  if (options.node != 0) {  // nothing would ever come from one that is not there
    dev::v1::GetNodeRequest known;
    known.set_node(options.node);
    if (const auto node = client.Call(&Client::ClusterStub::GetNode, known); !node.ok()) return Fail(node.status());
  }
  const Terminal terminal = StandardOutput();
  dev::v1::WatchClusterEventsRequest request;
  request.set_node(options.node);
  request.set_newest(options.count);
  return Fail(client.Follow<dev::v1::WatchClusterEventsRequest, dev::v1::ClusterEvent>(
      &Client::ClusterStub::WatchClusterEvents, request,
      [&](dev::v1::ClusterEvent& event) { PrintEvent(event, settings, terminal); }));
}

int Run(Client& client, const Settings& settings, const NodesEventsOptions& options) {
  if (options.follow) return Follow(client, settings, options);
  const Terminal terminal = StandardOutput();
  dev::v1::ListClusterEventsRequest request;
  request.set_node(options.node);
  request.set_limit(options.count);
  auto listed = client.Call(&Client::ClusterStub::ListClusterEvents, request);
  if (!listed.ok()) return Fail(listed.status());
  for (const dev::v1::ClusterEvent& event : listed->events()) PrintEvent(event, settings, terminal);
  if (listed->events().empty() && !settings.json) Print("No events that fit.\n");
  return kOk;
}

}  // namespace

void AddNodesEvents(CLI::App& nodes, Invocation& invocation) {
  auto options = std::make_shared<NodesEventsOptions>();
  CLI::App* command = Command(nodes, "events", "Show what the nodes decided and what was done to them",
                              "  cloudstate-dev nodes events -n 100\n"
                              "  cloudstate-dev nodes events --follow --node 2\n"
                              "  cloudstate-dev nodes events -f --json | jq -r .text");
  command->add_option("-n,--lines", options->count, "So many of the newest")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  AddNode(*command, "--node", options->node, "Only those of this node");
  command->add_flag("-f,--follow", options->follow, "Go on with new ones as they come, until Ctrl-C");
  SetClusterAction(*command, invocation,
                   [options](Client& client, const Settings& settings) { return Run(client, settings, *options); });
}

}  // namespace cloudstate::cli
