#include "emulator/runtime/cluster_views.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/admin/views.h"
#include "emulator/routing/steering.h"

namespace cloudstate::runtime {
namespace {

using cluster::Cluster;
using cluster::NodeId;

std::int32_t Number(NodeId node) { return static_cast<std::int32_t>(node); }

dev::v1::Node ToProto(const cluster::Node& node, const ClusterSight& sight) {
  dev::v1::Node result;
  result.set_node(Number(node.id()));
  result.set_state(std::string(node.state()));
  result.set_incarnation(static_cast<std::int64_t>(node.incarnation()));
  result.set_paused(node.strand().paused());
  result.set_coordinator(node.is_coordinator());
  result.set_shards(static_cast<std::int32_t>(node.owned_shards().size()));
  result.set_active_entities(static_cast<std::int64_t>(node.active_entities()));
  result.set_waiting_commands(static_cast<std::int64_t>(node.waiting_commands()));
  result.set_open_calls(static_cast<std::int64_t>(node.open_calls()));
  if (sight.client_address) result.set_client_address(sight.client_address(node.id()));
  *result.mutable_skew() = admin::ToDuration(node.strand().skew());
  *result.mutable_since() = admin::ToTimestamp(node.state_since());
  if (const cluster::Membership* membership = node.membership(); membership != nullptr) {
    result.set_age(static_cast<std::int64_t>(membership->self().age));
    for (const auto& [peer, record] : membership->view()) {
      if (record.MayBeAlive() && !membership->IsReachable(peer)) result.add_unreachable(Number(peer));
    }
  }
  return result;
}

dev::v1::Peer ToPeer(const cluster::Node& node, const cluster::Membership& membership, NodeId peer,
                     const cluster::NodeRecord& record, absl::Time now) {
  dev::v1::Peer result;
  result.set_node(Number(peer));
  result.set_state(std::string(cluster::StateName(record.state)));
  result.set_incarnation(static_cast<std::int64_t>(record.incarnation));
  result.set_reachable(membership.IsReachable(peer));
  result.set_phi(std::round(membership.Phi(peer, now) * 1'000) / 1'000);  // more digits mean nothing
  const absl::Time heard = membership.LastHeard(peer);
  if (heard != absl::InfinitePast()) *result.mutable_last_heard() = admin::ToDuration(now - heard);
  result.set_unacknowledged(static_cast<std::int64_t>(node.unacknowledged(peer)));
  return result;
}

absl::StatusOr<const cluster::Node*> FindNode(const Cluster& cluster, std::int32_t number) {
  return cluster.FindOrFail(static_cast<NodeId>(std::max(number, 0)));
}

// Whose sight of the shards is asked for.
absl::StatusOr<const cluster::Node*> ObservedFrom(const Cluster& cluster, std::int32_t number) {
  if (number != 0) {
    absl::StatusOr<const cluster::Node*> node = FindNode(cluster, number);
    if (node.ok() && (*node)->shards() == nullptr) {
      return absl::FailedPreconditionError(absl::StrCat("Node ", number, " does not run, and knows of no shards."));
    }
    return node;
  }
  const cluster::Node* coordinator = cluster.Coordinator();
  if (coordinator != nullptr && coordinator->shards() != nullptr) return coordinator;
  return absl::FailedPreconditionError(
      "No node is the coordinator now, whose sight counts. `shards ls --node 1` shows how node 1 sees it, if it runs.");
}

absl::string_view PhaseName(cluster::ShardPhase phase) {
  switch (phase) {
    case cluster::ShardPhase::kOwned:
      return "owned";
    case cluster::ShardPhase::kStopping:
      return "stopping";
    case cluster::ShardPhase::kReleased:
      return "released";
  }
  return "";
}

dev::v1::LinkState ToLink(const cluster::Network& network, NodeId from, NodeId to) {
  dev::v1::LinkState link;
  link.set_from(Number(from));
  link.set_to(Number(to));
  *link.mutable_settings() = routing::ToProto(network.SettingsOf(from, to));
  link.set_cut(network.IsCut(from, to));
  const cluster::LinkCounters counters = network.CountersOf(from, to);
  link.set_sent(static_cast<std::int64_t>(counters.sent));
  link.set_sent_bytes(static_cast<std::int64_t>(counters.sent_bytes));
  link.set_delivered(static_cast<std::int64_t>(counters.delivered));
  link.set_lost(static_cast<std::int64_t>(counters.lost));
  link.set_duplicated(static_cast<std::int64_t>(counters.duplicated));
  link.set_in_flight(static_cast<std::int64_t>(counters.in_flight));
  return link;
}

}  // namespace

dev::v1::ListNodesResponse ListNodes(const ClusterSight& sight) {
  dev::v1::ListNodesResponse response;
  for (const auto& [id, node] : sight.cluster.nodes()) *response.add_nodes() = ToProto(*node, sight);
  return response;
}

absl::StatusOr<dev::v1::NodeDetail> GetNode(const ClusterSight& sight, const dev::v1::GetNodeRequest& request) {
  absl::StatusOr<const cluster::Node*> node = FindNode(sight.cluster, request.node());
  if (!node.ok()) return node.status();
  dev::v1::NodeDetail detail;
  *detail.mutable_node() = ToProto(**node, sight);
  if (const cluster::Membership* membership = (*node)->membership(); membership != nullptr) {
    for (const auto& [peer, record] : membership->view()) {
      if (peer == (*node)->id()) continue;
      *detail.add_peers() = ToPeer(**node, *membership, peer, record, sight.strand.Now());
    }
  }
  for (const cluster::ShardId shard : (*node)->owned_shards()) {
    detail.add_owned_shards(static_cast<std::int32_t>(shard));
  }
  return detail;
}

absl::StatusOr<dev::v1::ListShardsResponse> ListShards(const Cluster& cluster,
                                                       const dev::v1::ListShardsRequest& request) {
  absl::StatusOr<const cluster::Node*> observer = ObservedFrom(cluster, request.node());
  if (!observer.ok()) return observer.status();
  dev::v1::ListShardsResponse response;
  response.set_seen_by(Number((*observer)->id()));
  for (std::uint32_t i = 0; i < cluster::kShards; ++i) {
    const auto id = static_cast<cluster::ShardId>(i);
    const cluster::ShardHome& home = (*observer)->shards()->at(id);
    dev::v1::Shard& shard = *response.add_shards();
    shard.set_shard(static_cast<std::int32_t>(i));
    shard.set_owner(Number(home.owner));
    shard.set_owner_incarnation(static_cast<std::int64_t>(home.incarnation));
    shard.set_epoch(static_cast<std::int64_t>(home.epoch));
    shard.set_phase(std::string(PhaseName(home.phase)));
    shard.set_target(Number(home.target));
    const cluster::Node* owner = cluster.Find(home.owner);
    if (owner != nullptr) shard.set_active_entities(static_cast<std::int64_t>(owner->active_entities(id)));
  }
  return response;
}

dev::v1::NetworkState GetNetwork(const Cluster& cluster) {
  const cluster::Network& network = cluster.network();
  dev::v1::NetworkState state;
  *state.mutable_default_settings() = routing::ToProto(network.default_settings());
  for (const auto& [from, sender] : cluster.nodes()) {
    for (const auto& [to, receiver] : cluster.nodes()) {
      if (from != to) *state.add_links() = ToLink(network, from, to);
    }
  }
  for (const std::set<NodeId>& group : network.partition()) {
    dev::v1::NodeGroup& nodes = *state.add_partition();
    for (const NodeId node : group) nodes.add_nodes(Number(node));
  }
  return state;
}

absl::StatusOr<dev::v1::ListClusterEventsResponse> ListClusterEvents(const Cluster& cluster,
                                                                     const dev::v1::ListClusterEventsRequest& request) {
  absl::StatusOr<int> limit = admin::PageSize(request.limit());
  if (!limit.ok()) return limit.status();
  if (request.node() != 0) {
    if (const auto node = FindNode(cluster, request.node()); !node.ok()) return node.status();
  }
  const std::deque<cluster::ClusterEvent>& events = cluster.events().events();
  std::vector<const cluster::ClusterEvent*> newest;
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    if (newest.size() == static_cast<std::size_t>(*limit)) break;
    if (request.node() == 0 || Number(event->node) == request.node()) newest.push_back(&*event);
  }
  dev::v1::ListClusterEventsResponse response;
  for (auto event = newest.rbegin(); event != newest.rend(); ++event) *response.add_events() = ToProto(**event);
  return response;
}

dev::v1::ClusterEvent ToProto(const cluster::ClusterEvent& event) {
  dev::v1::ClusterEvent result;
  *result.mutable_time() = admin::ToTimestamp(event.time);
  result.set_node(Number(event.node));
  result.set_kind(std::string(event.kind));
  result.set_text(event.text);
  return result;
}

int CountNodes(const Cluster& cluster) {
  return static_cast<int>(
      std::ranges::count_if(cluster.nodes(), [](const auto& each) { return each.second->membership() != nullptr; }));
}

}  // namespace cloudstate::runtime
