#include <memory>

#include "cmd/cloudstate-dev/cluster_command.h"
#include "cmd/cloudstate-dev/cluster_values.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/network_text.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {
namespace {

constexpr char kSeeAndHeal[] =
    "`cloudstate-dev nodes events --follow` tells what the nodes make of it, `network heal` ends it.";

int Show(Client& client, const Settings& settings, bool all) {
  auto network = client.Call(&Client::ClusterStub::GetNetwork, dev::v1::GetNetworkRequest());
  if (!network.ok()) return Fail(network.status());
  const Terminal terminal = StandardOutput();
  Print(settings.json ? ToJson(*network) + "\n"
        : all         ? FormatEveryLink(*network, terminal)
                      : FormatNetwork(*network, terminal));
  return kOk;
}

void AddNetworkShow(CLI::App& network, Invocation& invocation) {
  auto all = std::make_shared<bool>(false);
  CLI::App* command = Command(network, "show", "Show the links between nodes",
                              "  cloudstate-dev network show\n"
                              "  cloudstate-dev network show --all     a line for each, with what went over it");
  command->add_flag("--all", *all, "A line for each link");
  SetClusterAction(*command, invocation,
                   [all](Client& client, const Settings& settings) { return Show(client, settings, *all); });
}

void AddPartition(CLI::App& network, Invocation& invocation) {
  auto groups = std::make_shared<std::vector<std::vector<std::int32_t>>>();
  CLI::App* command = Command(network, "partition", "Divide the nodes into groups that do not reach each other",
                              "  cloudstate-dev network partition 1,2/3,4,5\n"
                              "  cloudstate-dev network partition 3           node 3 alone, the others together");
  AddParsed(*command, "GROUPS", *groups, ParseGroups, "Nodes with commas between, groups with / between")
      ->type_name("")
      ->required();
  SetClusterAction(*command, invocation, [groups](Client& client, const Settings& settings) {
    dev::v1::Steering steering;
    for (const std::vector<std::int32_t>& group : *groups) {
      dev::v1::NodeGroup& nodes = *steering.mutable_partition()->add_groups();
      for (const std::int32_t node : group) nodes.add_nodes(node);
    }
    return SteerCluster(client, settings, steering, kSeeAndHeal);
  });
}

void AddCut(CLI::App& network, Invocation& invocation) {
  auto from = std::make_shared<std::int32_t>(0);
  auto to = std::make_shared<std::int32_t>(0);
  CLI::App* command = Command(network, "cut", "Let nothing go from one node to another; the way back stays",
                              "  cloudstate-dev network cut 1 2");
  AddNode(*command, "FROM", *from, "The node that is not heard any more")->required();
  AddNode(*command, "TO", *to, "The node that does not hear it")->required();
  SetClusterAction(*command, invocation, [from, to](Client& client, const Settings& settings) {
    dev::v1::Steering steering;
    steering.mutable_cut()->set_from(*from);
    steering.mutable_cut()->set_to(*to);
    return SteerCluster(client, settings, steering, kSeeAndHeal);
  });
}

struct LinkOptions {
  std::int32_t from = 0;
  std::int32_t to = 0;
  bool one_way = false;
  std::string latency;
  double loss = 0;
  double duplicate = 0;
  double reorder = 0;
  std::int64_t bytes_per_second = 0;
};

void AddLinkOptions(CLI::App& command, LinkOptions& options) {
  AddNode(command, "--from", options.from, "Links from this node to those that there are now");
  AddNode(command, "--to", options.to, "Links to this node from those that there are now");
  command.add_flag("--one-way", options.one_way, "Not the way back; with --from or --to");
  AddParsed(command, "--latency", options.latency, ParseLatency,
            "How long messages take: a time, uniform(LEAST, MOST), normal(MEAN, DEVIATION) or "
            "exponential(LEAST, MEAN)")
      ->type_name("LATENCY");
  AddParsed(command, "--loss", options.loss, ParseShare, "Share that never arrives")->type_name("SHARE");
  AddParsed(command, "--duplicate", options.duplicate, ParseShare, "Share that arrives twice")->type_name("SHARE");
  AddParsed(command, "--reorder", options.reorder, ParseShare, "Share that may overtake others")->type_name("SHARE");
  AddParsed(command, "--bandwidth", options.bytes_per_second, ParseBytes, "Bytes per second; 0 for no limit")
      ->type_name("BYTES");
}

dev::v1::Steering ToSteering(const LinkOptions& options) {
  dev::v1::Steering steering;
  dev::v1::SetLink& link = *steering.mutable_link();
  link.set_from(options.from);
  link.set_to(options.to);
  link.set_one_way(options.one_way);
  link.mutable_settings()->set_latency(options.latency);
  link.mutable_settings()->set_loss(options.loss);
  link.mutable_settings()->set_duplicate(options.duplicate);
  link.mutable_settings()->set_reorder(options.reorder);
  link.mutable_settings()->set_bytes_per_second(options.bytes_per_second);
  return steering;
}

void AddLink(CLI::App& network, Invocation& invocation) {
  auto options = std::make_shared<LinkOptions>();
  CLI::App* command = Command(network, "link", "Say what links do to messages; what is not named, they do not do",
                              "  cloudstate-dev network link --latency 5ms                          all links\n"
                              "  cloudstate-dev network link --from 1 --to 2 --loss 10%             both ways\n"
                              "  cloudstate-dev network link --from 1 --latency 'uniform(1ms, 2s)' --one-way\n"
                              "  cloudstate-dev network link --from 1 --to 2 --bandwidth 64KiB --reorder 5%\n"
                              "  cloudstate-dev network link                                        all perfect");
  AddLinkOptions(*command, *options);
  SetClusterAction(
      *command, invocation,
      [options](Client& client, const Settings& settings) {
        return SteerCluster(client, settings, ToSteering(*options), "`cloudstate-dev network show` has all links.");
      },
      [options] {
        if (!options->one_way || options->from != 0 || options->to != 0) return;
        throw CLI::ValidationError("--one-way", "of all links there is no way back to leave out; add --from or --to");
      });
}

void AddHeal(CLI::App& network, Invocation& invocation) {
  CLI::App* command =
      Command(network, "heal", "End partition, cuts and the settings of single links; those of all links stay",
              "  cloudstate-dev network heal");
  SetClusterAction(*command, invocation, [](Client& client, const Settings& settings) {
    dev::v1::Steering steering;
    steering.mutable_heal();
    return SteerCluster(client, settings, steering,
                        "`cloudstate-dev nodes ls` shows whether all hear each other again.");
  });
}

}  // namespace

void AddNetwork(CLI::App& root, Invocation& invocation) {
  CLI::App* network = Command(root, "network", "See and disturb the network between the nodes",
                              "  cloudstate-dev network show\n"
                              "  cloudstate-dev network partition 1,2/3\n"
                              "  cloudstate-dev network heal");
  network->group(kClusterGroup);
  network->require_subcommand(1);
  AddNetworkShow(*network, invocation);
  AddPartition(*network, invocation);
  AddCut(*network, invocation);
  AddLink(*network, invocation);
  AddHeal(*network, invocation);
}

}  // namespace cloudstate::cli
