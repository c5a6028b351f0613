#include <limits>
#include <memory>

#include "cmd/cloudstate-dev/cluster_command.h"
#include "cmd/cloudstate-dev/crdt_reference.h"
#include "cmd/cloudstate-dev/crdt_text.h"
#include "cmd/cloudstate-dev/entity_reference.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/served_service.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {
namespace {

constexpr int kAllElements = 10'000;  // that the contract gives

// One entity, or for `watch` perhaps none.
struct CrdtArguments {
  std::string entity;
  std::string entity_id;
  std::int32_t node = 0;

  void AddTo(CLI::App& command, bool required) {
    command.add_option("ENTITY", entity, "PERSISTENCE_ID|ENTITY_ID, or the entity's id alone")->required(required);
    command.add_option("ENTITY_ID", entity_id, "Its id, where ENTITY is the persistence id");
  }
  std::vector<std::string> Words() const {
    return entity_id.empty() ? std::vector{entity} : std::vector{entity, entity_id};
  }
};

// Nothing ever comes of a node that is not there.
absl::Status CheckNodeIsThere(Client& client, std::int32_t node) {
  if (node == 0) return absl::OkStatus();
  dev::v1::GetNodeRequest request;
  request.set_node(node);
  return client.Call(&Client::ClusterStub::GetNode, request).status();
}

// ---- ls

struct CrdtListOptions {
  EntityFilterOptions filter;
  std::int32_t node = 0;
  int limit = 100;
  bool all = false;
};

int ListCrdtEntities(Client& client, const Settings& settings, CrdtListOptions options) {
  if (absl::Status named = UseServedService(client, options.filter.service); !named.ok()) return Fail(named);
  dev::v1::ListCrdtsRequest request;
  *request.mutable_filter() = options.filter.ToFilter();
  request.set_node(options.node);
  const auto listed =
      ListCrdts(client, std::move(request), options.all ? std::numeric_limits<int>::max() : options.limit);
  if (!listed.ok()) return Fail(listed.status());
  Print(settings.json ? ToJson(*listed) + "\n" : FormatCrdts(*listed, StandardOutput()));
  return kOk;
}

void AddCrdtList(CLI::App& crdt, Invocation& invocation) {
  auto options = std::make_shared<CrdtListOptions>();
  CLI::App* command = Command(crdt, "ls", "List CRDT entities, with their values on the nodes",
                              "  cloudstate-dev crdt ls\n"
                              "  cloudstate-dev crdt ls --node 2           as node 2 has them\n"
                              "  cloudstate-dev crdt ls --json | jq -r '.crdts[] | select(.agreed | not) | .entityId'");
  options->filter.AddTo(*command);
  AddNode(*command, "--node", options->node, "Values of this node only");
  command->add_option("--limit", options->limit, "At most so many")->check(CLI::PositiveNumber)->capture_default_str();
  command->add_flag("--all", options->all, "All of them");
  SetClusterAction(*command, invocation, [options](Client& client, const Settings& settings) {
    return ListCrdtEntities(client, settings, *options);
  });
}

// ---- show

int ShowCrdt(Client& client, const Settings& settings, const CrdtArguments& arguments) {
  if (const absl::Status status = CheckNodeIsThere(client, arguments.node); !status.ok()) return Fail(status);
  const auto crdt = FindCrdt(client, arguments.Words());
  if (!crdt.ok()) return Fail(crdt.status());
  dev::v1::GetCrdtRequest request;
  request.set_persistence_id(crdt->persistence_id());
  request.set_entity_id(crdt->entity_id());
  if (arguments.node != 0) request.set_elements(kAllElements);
  const auto detail = client.Call(&Client::CrdtsStub::GetCrdt, request);
  if (!detail.ok()) return Fail(detail.status());
  if (arguments.node == 0) {
    Print(settings.json ? ToJson(*detail) + "\n" : FormatCrdt(*detail, StandardOutput()));
    return kOk;
  }
  const auto replica = std::ranges::find(detail->replicas(), arguments.node, &dev::v1::CrdtReplica::node);
  if (replica == detail->replicas().end()) {
    return Fail(
        absl::NotFoundError(absl::StrCat("Node ", arguments.node, " has left the cluster, and has no replica.")));
  }
  Print(settings.json ? ToJson(*replica) + "\n" : FormatReplica(*detail, arguments.node, StandardOutput()));
  return kOk;
}

void AddCrdtShow(CLI::App& crdt, Invocation& invocation) {
  auto arguments = std::make_shared<CrdtArguments>();
  CLI::App* command =
      Command(crdt, "show", "Show an entity's replicas side by side, what is on its way, what differs and why",
              "  cloudstate-dev crdt show visits\n"
              "  cloudstate-dev crdt show com.example.counters.Counters visits      where others have that id, too\n"
              "  cloudstate-dev crdt show visits --node 2       all that node 2 has of it\n"
              "  cloudstate-dev crdt show visits --json | jq '.differences[].reasons[].text'");
  arguments->AddTo(*command, true);
  AddNode(*command, "--node", arguments->node, "What this node has, in full");
  SetClusterAction(*command, invocation, [arguments](Client& client, const Settings& settings) {
    return ShowCrdt(client, settings, *arguments);
  });
}

// ---- watch

int WatchCrdts(Client& client, const Settings& settings, const CrdtArguments& arguments) {
  if (const absl::Status status = CheckNodeIsThere(client, arguments.node); !status.ok()) return Fail(status);
  dev::v1::WatchCrdtsRequest request;
  request.set_node(arguments.node);
  if (!arguments.entity.empty()) {
    const auto crdt = FindCrdt(client, arguments.Words());
    if (!crdt.ok() && !absl::IsNotFound(crdt.status())) return Fail(crdt.status());
    // It may be written for the first time later.
    if (!crdt.ok()) PrintError("No node knows of it yet; waiting. `cloudstate-dev crdt ls` shows what there is.");
    const EntityReference reference = ParseEntityReference(arguments.Words()).front();
    request.set_persistence_id(crdt.ok() ? crdt->persistence_id() : reference.persistence_id.value_or(""));
    request.set_entity_id(crdt.ok() ? crdt->entity_id() : reference.entity_id);
  }
  const Terminal terminal = StandardOutput();
  const EntityName name =
      request.persistence_id().empty() || request.entity_id().empty() ? EntityName::kShown : EntityName::kLeftOut;
  return Fail(client.Follow<dev::v1::WatchCrdtsRequest, dev::v1::CrdtEvent>(
      &Client::CrdtsStub::WatchCrdts, request, [&](dev::v1::CrdtEvent& event) {
        Print(settings.json ? ToJson(event) + "\n" : FormatCrdtEvent(event, name, terminal));
      }));
}

void AddCrdtWatch(CLI::App& crdt, Invocation& invocation) {
  auto arguments = std::make_shared<CrdtArguments>();
  CLI::App* command = Command(crdt, "watch", "Show writes, deltas on their way, and what becomes of them, until Ctrl-C",
                              "  cloudstate-dev crdt watch\n"
                              "  cloudstate-dev crdt watch visits --node 2     what happens to it on node 2\n"
                              "  cloudstate-dev crdt watch --json | jq -r 'select(.kind == \"sent\") | .text'");
  arguments->AddTo(*command, false);
  AddNode(*command, "--node", arguments->node, "Only what happens on this node");
  SetClusterAction(*command, invocation, [arguments](Client& client, const Settings& settings) {
    return WatchCrdts(client, settings, *arguments);
  });
}

}  // namespace

void AddCrdt(CLI::App& root, Invocation& invocation) {
  CLI::App* crdt = Command(root, "crdt", "Look at CRDT entities and their replicas: ls, show, watch",
                           "  cloudstate-dev run --sample counters --nodes 3      in another terminal\n"
                           "  cloudstate-dev crdt watch                           and in a third one:\n"
                           "  cloudstate-dev call Counters.Increment '{\"name\": \"visits\"}'\n"
                           "  cloudstate-dev crdt show visits");
  crdt->group(kClusterGroup);
  crdt->require_subcommand(1);
  AddCrdtList(*crdt, invocation);
  AddCrdtShow(*crdt, invocation);
  AddCrdtWatch(*crdt, invocation);
}

}  // namespace cloudstate::cli
