#include "emulator/runtime/cluster_metrics.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
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

struct MeterName {
  absl::string_view label;
  trace::LoadMeter trace::NodeLoad::*meter;
};
constexpr MeterName kMeters[] = {{"requests", &trace::NodeLoad::requests},
                                 {"user_function", &trace::NodeLoad::user_function},
                                 {"journal", &trace::NodeLoad::journal}};

// One line of what is metered.
struct LoadLine {
  absl::string_view suffix;
  std::string (*value)(const trace::LoadMeter& meter, absl::Time now);
};

std::string Seconds(absl::Duration time) { return absl::StrFormat("%.6f", absl::ToDoubleSeconds(time)); }

void AppendLoad(std::string& text, const cluster::Cluster& cluster, absl::string_view name,
                absl::Span<const LoadLine> lines) {
  for (const auto& [id, node] : cluster.nodes()) {
    const absl::Time now = node->strand().Now();
    for (const MeterName& meter : kMeters) {
      for (const LoadLine& line : lines) {
        absl::StrAppend(&text, name, line.suffix, "{node=\"", node->name(), "\",load=\"", meter.label, "\"} ",
                        line.value(node->load().*meter.meter, now), "\n");
      }
    }
  }
}

// The rate of the integral is how many were under way, on average.
void AppendLoads(std::string& text, const cluster::Cluster& cluster) {
  constexpr LoadLine kOpen[] = {
      {"", [](const trace::LoadMeter& meter, absl::Time) { return absl::StrCat(meter.open()); }}};
  constexpr LoadLine kIntegral[] = {
      {"", [](const trace::LoadMeter& meter, absl::Time now) { return Seconds(meter.Read(now).integral); }}};
  constexpr LoadLine kEnded[] = {
      {"_sum", [](const trace::LoadMeter& meter, absl::Time now) { return Seconds(meter.Read(now).time); }},
      {"_count", [](const trace::LoadMeter& meter, absl::Time now) { return absl::StrCat(meter.Read(now).ended); }}};
  constexpr absl::string_view kOpenName = "cloudstate_node_load_open";
  trace::AppendMetricHeader(text, kOpenName,
                            "Under way: clients' calls, commands in the hands of the user function, reads and writes "
                            "that entities wait for",
                            "gauge");
  AppendLoad(text, cluster, kOpenName, kOpen);
  constexpr absl::string_view kIntegralName = "cloudstate_node_load_integral_seconds_total";
  trace::AppendMetricHeader(text, kIntegralName, "How many of them were under way, integrated over time", "counter");
  AppendLoad(text, cluster, kIntegralName, kIntegral);
  constexpr absl::string_view kEndedName = "cloudstate_node_load_seconds";
  trace::AppendMetricHeader(text, kEndedName, "How long those took that have ended", "summary");
  AppendLoad(text, cluster, kEndedName, kEnded);
}

}  // namespace

std::string ClusterMetricsText(const cluster::Cluster& cluster) {
  std::string text;
  for (const Family& family : kFamilies) {
    trace::AppendMetricHeader(text, family.name, family.help, family.type);
    for (const auto& [id, node] : cluster.nodes()) {
      absl::StrAppend(&text, family.name, "{node=\"", node->name(), "\"} ", family.value(cluster, *node), "\n");
    }
  }
  AppendLoads(text, cluster);
  return text;
}

std::string ScalingMetricsText(const dev::v1::ScalingState& scaling) {
  std::string text;
  constexpr absl::string_view kReplicas = "cloudstate_scaling_replicas";
  trace::AppendMetricHeader(text, kReplicas, "Replicas, by what has become of them", "gauge");
  for (const absl::string_view state : {"starting", "joining", "ready", "draining"}) {
    const auto count = std::ranges::count(scaling.replicas(), state, &dev::v1::Replica::state);
    absl::StrAppend(&text, kReplicas, "{state=\"", state, "\"} ", count, "\n");
  }
  constexpr absl::string_view kWanted = "cloudstate_scaling_wanted";
  trace::AppendMetricHeader(text, kWanted, "Replicas that there are to be", "gauge");
  absl::StrAppend(&text, kWanted, " ", scaling.wanted(), "\n");
  constexpr absl::string_view kHeld = "cloudstate_activator_held_calls";
  trace::AppendMetricHeader(text, kHeld, "Calls that wait for a replica that can take them", "gauge");
  absl::StrAppend(&text, kHeld, " ", scaling.held_calls(), "\n");
  return text;
}

}  // namespace cloudstate::runtime
