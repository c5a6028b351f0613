#include <memory>

#include "cmd/cloudstate-dev/cluster_command.h"
#include "cmd/cloudstate-dev/cluster_text.h"
#include "cmd/cloudstate-dev/cluster_values.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {
namespace {

struct ShardsOptions {
  std::int32_t node = 0;
  bool all = false;
  std::int32_t shard = 0;
  std::int32_t to = 0;
};

int List(Client& client, const Settings& settings, const ShardsOptions& options) {
  dev::v1::ListShardsRequest request;
  request.set_node(options.node);
  auto shards = client.Call(&Client::ClusterStub::ListShards, request);
  if (!shards.ok()) return Fail(shards.status());
  const Terminal terminal = StandardOutput();
  Print(settings.json ? ToJson(*shards) + "\n"
        : options.all ? FormatEveryShard(*shards, terminal)
                      : FormatShards(*shards, terminal));
  return kOk;
}

int Move(Client& client, const Settings& settings, const ShardsOptions& options) {
  dev::v1::Steering steering;
  steering.mutable_move_shard()->set_shard(options.shard);
  steering.mutable_move_shard()->set_to(options.to);
  return SteerCluster(client, settings, steering, "`cloudstate-dev shards ls` shows it on its way.");
}

}  // namespace

void AddShards(CLI::App& root, Invocation& invocation) {
  CLI::App* shards = Command(root, "shards", "See which node has which entities: ls, move",
                             "  cloudstate-dev shards ls\n"
                             "  cloudstate-dev shards move 17 --to 2");
  shards->group(kClusterGroup);
  shards->require_subcommand(1);

  auto options = std::make_shared<ShardsOptions>();
  CLI::App* list = Command(*shards, "ls", "Show where the shards are",
                           "  cloudstate-dev shards ls\n"
                           "  cloudstate-dev shards ls --node 2     as node 2 sees it\n"
                           "  cloudstate-dev shards ls --all        a line for each");
  AddNode(*list, "--node", options->node, "As this node sees it; the coordinator if nothing is said");
  list->add_flag("--all", options->all, "A line for each shard");
  SetClusterAction(*list, invocation,
                   [options](Client& client, const Settings& settings) { return List(client, settings, *options); });

  CLI::App* move = Command(*shards, "move", "Bring a shard and its entities to another node",
                           "  cloudstate-dev shards move 17 --to 2");
  AddParsed(*move, "SHARD", options->shard, ParseShard, "Its number, as `shards ls` shows it")
      ->type_name("")
      ->required();
  AddNode(*move, "--to", options->to, "The node that gets it")->required();
  SetClusterAction(*move, invocation,
                   [options](Client& client, const Settings& settings) { return Move(client, settings, *options); });
}

}  // namespace cloudstate::cli
