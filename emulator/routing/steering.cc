#include "emulator/routing/steering.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/base/proto_time.h"

namespace cloudstate::routing {
namespace {

using cluster::Cluster;
using cluster::NodeId;
using Text = absl::StatusOr<std::string>;

// protobuf's own limit, about 10,000 years: beyond it arithmetic with times has no meaning.
constexpr std::int64_t kMostSeconds = 315'576'000'000;
constexpr absl::Duration kMostSkew = absl::Hours(24);

absl::Status CheckNode(std::int32_t node) {
  if (node >= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("there is no node ", node, "; nodes are numbered from 1"));
}

NodeId ToNode(std::int32_t node) { return static_cast<NodeId>(node); }

absl::StatusOr<absl::Duration> ToTime(const google::protobuf::Duration& duration) {
  if (duration.seconds() < -kMostSeconds || duration.seconds() > kMostSeconds) {
    return absl::InvalidArgumentError(absl::StrCat("A time of ", duration.seconds(), " seconds is too long."));
  }
  return base::FromDuration(duration);
}

absl::Status CheckShare(absl::string_view name, double share) {
  if (share >= 0 && share <= 1) return absl::OkStatus();  // not so for what is no number
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": ", share, " is no share of the messages; 0 is none of them, 0.1 every tenth, 1 all."));
}

// ---- each action

Text Of(Text (Cluster::*action)(NodeId), Cluster& cluster, const dev::v1::OneNode& request) {
  if (absl::Status status = CheckNode(request.node()); !status.ok()) return status;
  return (cluster.*action)(ToNode(request.node()));
}

Text Pause(Cluster& cluster, const dev::v1::PauseNode& request) {
  if (absl::Status status = CheckNode(request.node()); !status.ok()) return status;
  std::optional<absl::Duration> time;
  if (request.has_for_()) {
    absl::StatusOr<absl::Duration> asked = ToTime(request.for_());
    if (!asked.ok()) return asked.status();
    time = *asked;
  }
  return cluster.Pause(ToNode(request.node()), time);
}

Text Skew(Cluster& cluster, const dev::v1::SkewNode& request) {
  if (absl::Status status = CheckNode(request.node()); !status.ok()) return status;
  absl::StatusOr<absl::Duration> by = ToTime(request.by());
  if (!by.ok()) return by.status();
  if (absl::AbsDuration(*by) > kMostSkew) {
    return absl::InvalidArgumentError(
        absl::StrCat("A clock is wrong by ", absl::FormatDuration(kMostSkew), " at most."));
  }
  return cluster.Skew(ToNode(request.node()), *by);
}

bool HasAll(const std::vector<NodeId>& group, const Cluster& cluster) {
  return std::ranges::all_of(cluster.nodes(),
                             [&](const auto& each) { return std::ranges::find(group, each.first) != group.end(); });
}

Text Partition(Cluster& cluster, const dev::v1::Partition& request) {
  if (request.groups().empty()) {
    return absl::InvalidArgumentError("A partition needs a group of nodes; those in no group make up one more.");
  }
  std::vector<std::vector<NodeId>> groups;
  for (const dev::v1::NodeGroup& group : request.groups()) {
    if (group.nodes().empty()) return absl::InvalidArgumentError("A group of a partition has no nodes.");
    std::vector<NodeId>& nodes = groups.emplace_back();
    for (const std::int32_t node : group.nodes()) {
      if (absl::Status status = CheckNode(node); !status.ok()) return status;
      nodes.push_back(ToNode(node));
    }
  }
  if (groups.size() == 1 && HasAll(groups.front(), cluster)) {
    return absl::InvalidArgumentError("All nodes are in the one group: that parts nobody.");
  }
  return cluster.Partition(groups);
}

Text Cut(Cluster& cluster, const dev::v1::OneWay& request) {
  for (const std::int32_t node : {request.from(), request.to()}) {
    if (absl::Status status = CheckNode(node); !status.ok()) return status;
  }
  return cluster.Cut(ToNode(request.from()), ToNode(request.to()));
}

Text SetLink(Cluster& cluster, const dev::v1::SetLink& request) {
  for (const std::int32_t node : {request.from(), request.to()}) {
    if (absl::Status status = node == 0 ? absl::OkStatus() : CheckNode(node); !status.ok()) return status;
  }
  if (request.one_way() && request.from() == 0 && request.to() == 0) {
    return absl::InvalidArgumentError("All links have both ways: one way needs a node that it goes from or to.");
  }
  absl::StatusOr<cluster::LinkSettings> settings = FromProto(request.settings());
  if (!settings.ok()) return settings.status();
  return cluster.SetLink(ToNode(request.from()), ToNode(request.to()),
                         request.one_way() ? Cluster::Ways::kOne : Cluster::Ways::kBoth, *settings);
}

Text MoveShard(Cluster& cluster, const dev::v1::MoveShard& request) {
  if (request.shard() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no shard ", request.shard(), "; shards are numbered from 0"));
  }
  if (absl::Status status = CheckNode(request.to()); !status.ok()) return status;
  return cluster.MoveShard(static_cast<std::uint32_t>(request.shard()), ToNode(request.to()));
}

// All but the new node.
Text Apply(Cluster& cluster, const dev::v1::Steering& steering) {
  switch (steering.action_case()) {
    case dev::v1::Steering::kDrain:
      return Of(&Cluster::Drain, cluster, steering.drain());
    case dev::v1::Steering::kKill:
      return Of(&Cluster::Kill, cluster, steering.kill());
    case dev::v1::Steering::kStart:
      return Of(&Cluster::StartAgain, cluster, steering.start());
    case dev::v1::Steering::kPause:
      return Pause(cluster, steering.pause());
    case dev::v1::Steering::kResume:
      return Of(&Cluster::Resume, cluster, steering.resume());
    case dev::v1::Steering::kSkew:
      return Skew(cluster, steering.skew());
    case dev::v1::Steering::kPartition:
      return Partition(cluster, steering.partition());
    case dev::v1::Steering::kCut:
      return Cut(cluster, steering.cut());
    case dev::v1::Steering::kLink:
      return SetLink(cluster, steering.link());
    case dev::v1::Steering::kHeal:
      return cluster.Heal();
    case dev::v1::Steering::kMoveShard:
      return MoveShard(cluster, steering.move_shard());
    case dev::v1::Steering::kCrashAll:
    case dev::v1::Steering::kJournal:
      return absl::FailedPreconditionError(
          "This is done in simulations only: a running emulator keeps what its journal has acknowledged.");
    default:
      return absl::InvalidArgumentError("Nothing to do: one of the actions must be set.");
  }
}

}  // namespace

absl::StatusOr<dev::v1::SteerResponse> Steer(Cluster& cluster, const dev::v1::Steering& steering) {
  dev::v1::SteerResponse response;
  if (steering.has_add_node()) {
    absl::StatusOr<NodeId> added = cluster.AddNode();
    if (!added.ok()) return added.status();
    response.set_node(static_cast<std::int32_t>(*added));
    response.set_text(absl::StrCat("node ", cluster::ToString(*added), " joins"));
    return response;
  }
  Text text = Apply(cluster, steering);
  if (!text.ok()) return text.status();
  response.set_text(*std::move(text));
  return response;
}

absl::StatusOr<cluster::LinkSettings> FromProto(const dev::v1::LinkSettings& settings) {
  absl::StatusOr<cluster::Latency> latency = cluster::Latency();
  if (!settings.latency().empty()) latency = cluster::Latency::Parse(settings.latency());
  if (!latency.ok()) return latency.status();
  const std::pair<absl::string_view, double> shares[] = {
      {"loss", settings.loss()}, {"duplicate", settings.duplicate()}, {"reorder", settings.reorder()}};
  for (const auto& [name, share] : shares) {
    if (absl::Status status = CheckShare(name, share); !status.ok()) return status;
  }
  if (settings.bytes_per_second() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("bytes_per_second: ", settings.bytes_per_second(), " is less than nothing; 0 is no limit."));
  }
  return cluster::LinkSettings{.latency = *latency,
                               .loss = settings.loss(),
                               .duplicate = settings.duplicate(),
                               .reorder = settings.reorder(),
                               .bytes_per_second = settings.bytes_per_second()};
}

dev::v1::LinkSettings ToProto(const cluster::LinkSettings& settings) {
  dev::v1::LinkSettings result;
  if (settings.latency != cluster::Latency{}) result.set_latency(settings.latency.ToString());
  result.set_loss(settings.loss);
  result.set_duplicate(settings.duplicate);
  result.set_reorder(settings.reorder);
  result.set_bytes_per_second(settings.bytes_per_second);
  return result;
}

}  // namespace cloudstate::routing
