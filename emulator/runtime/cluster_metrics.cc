#include "emulator/runtime/cluster_metrics.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "emulator/trace/metrics.h"

namespace cloudstate::runtime {
namespace {

struct Family {
  absl::string_view name;
  absl::string_view help;
  absl::string_view type;
  std::uint64_t (*value)(const cluster::Cluster& cluster, const cluster::Node& node);
};

template <std::uint64_t cluster::LinkCounters::*counter>
std::uint64_t Sum(const cluster::Cluster& cluster, const cluster::Node& node) {
  std::uint64_t sum = 0;
  for (const auto& [to, unused] : cluster.nodes()) sum += cluster.network().CountersOf(node.id(), to).*counter;
  return sum;
}

template <std::uint64_t cluster::ReplicationFigures::*figure>
std::uint64_t Figure(const cluster::Cluster&, const cluster::Node& node) {
  return node.replication().*figure;
}

constexpr Family kFamilies[] = {
    {"cloudstate_node_up", "Whether the node is up", "gauge",
     [](const cluster::Cluster&, const cluster::Node& node) -> std::uint64_t { return node.state() == "up" ? 1 : 0; }},
    {"cloudstate_node_incarnation", "Which of its lives the node is in", "gauge",
     [](const cluster::Cluster&, const cluster::Node& node) { return node.incarnation(); }},
    {"cloudstate_node_shards", "Shards that the node owns", "gauge",
     [](const cluster::Cluster&, const cluster::Node& node) -> std::uint64_t { return node.owned_shards().size(); }},
    {"cloudstate_node_active_entities", "Entities with a stream to the user function", "gauge",
     [](const cluster::Cluster&, const cluster::Node& node) -> std::uint64_t { return node.active_entities(); }},
    {"cloudstate_node_waiting_commands", "Commands that wait for their entity or its shard", "gauge",
     [](const cluster::Cluster&, const cluster::Node& node) -> std::uint64_t { return node.waiting_commands(); }},
    {"cloudstate_node_open_calls", "Calls of clients that the node has taken", "gauge",
     [](const cluster::Cluster&, const cluster::Node& node) -> std::uint64_t { return node.open_calls(); }},
    {"cloudstate_node_sent_messages_total", "Messages sent to other nodes", "counter",
     Sum<&cluster::LinkCounters::sent>},
    {"cloudstate_node_sent_bytes_total", "Bytes sent to other nodes", "counter",
     Sum<&cluster::LinkCounters::sent_bytes>},
    {"cloudstate_node_lost_messages_total", "Messages to other nodes that the network lost", "counter",
     Sum<&cluster::LinkCounters::lost>},
    {"cloudstate_replication_entities", "CRDT entities that the node knows something of", "gauge",
     [](const cluster::Cluster&, const cluster::Node& node) -> std::uint64_t {
       return node.replicas() == nullptr ? 0 : node.replicas()->entities();
     }},
    {"cloudstate_replication_pending_changes", "Changes due to other nodes, or not acknowledged", "gauge",
     [](const cluster::Cluster&, const cluster::Node& node) -> std::uint64_t {
       return node.replicas() == nullptr ? 0 : node.replicas()->pending();
     }},
    {"cloudstate_replication_sent_changes_total", "Deltas and states sent to other nodes", "counter",
     Figure<&cluster::ReplicationFigures::sent_changes>},
    {"cloudstate_replication_sent_bytes_total", "Bytes of deltas and states sent to other nodes", "counter",
     Figure<&cluster::ReplicationFigures::sent_change_bytes>},
    {"cloudstate_replication_received_changes_total", "Deltas and states that came from other nodes", "counter",
     Figure<&cluster::ReplicationFigures::received_changes>},
    {"cloudstate_replication_received_bytes_total", "Bytes of deltas and states that came from other nodes", "counter",
     Figure<&cluster::ReplicationFigures::received_change_bytes>},
    {"cloudstate_replication_acknowledged_changes_total", "Deltas and states that other nodes have acknowledged",
     "counter", Figure<&cluster::ReplicationFigures::acknowledged_changes>},
    {"cloudstate_replication_sent_digests_total", "Digests of replicas sent to other nodes", "counter",
     Figure<&cluster::ReplicationFigures::sent_digests>},
    {"cloudstate_replication_received_digests_total", "Digests of replicas that came from other nodes", "counter",
     Figure<&cluster::ReplicationFigures::received_digests>},
    {"cloudstate_replication_differing_digests_total", "Digests that came and were not those of the node's replicas",
     "counter", Figure<&cluster::ReplicationFigures::differing_digests>},
    {"cloudstate_replication_timeouts_total", "Reads and writes that too few nodes have answered in time", "counter",
     Figure<&cluster::ReplicationFigures::timeouts>},
};

}  // namespace

std::string ClusterMetricsText(const cluster::Cluster& cluster) {
  std::string text;
  for (const Family& family : kFamilies) {
    trace::AppendMetricHeader(text, family.name, family.help, family.type);
    for (const auto& [id, node] : cluster.nodes()) {
      absl::StrAppend(&text, family.name, "{node=\"", node->name(), "\"} ", family.value(cluster, *node), "\n");
    }
  }
  return text;
}

}  // namespace cloudstate::runtime
