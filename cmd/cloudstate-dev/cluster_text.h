#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cloudstate/dev/v1/cluster.pb.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

// What the cluster looks like, for people.

// "0-3, 7, 9-12" for numbers in order; "none" for none.
std::string FormatRanges(const std::vector<std::int32_t>& numbers);

std::string FormatNodes(const dev::v1::ListNodesResponse& nodes, const Terminal& terminal);
std::string FormatNode(const dev::v1::NodeDetail& detail, const Terminal& terminal);

// A line for each node, with its shards as ranges, and those that are on their way.
std::string FormatShards(const dev::v1::ListShardsResponse& shards, const Terminal& terminal);
// A line for each shard.
std::string FormatEveryShard(const dev::v1::ListShardsResponse& shards, const Terminal& terminal);

// One line, with its end; on a terminal not wider than that.
std::string FormatClusterEvent(const dev::v1::ClusterEvent& event, const Terminal& terminal);

// What `nodes top` shows at one time.
struct ClusterSnapshot {
  dev::v1::ListNodesResponse nodes;
  dev::v1::NetworkState network;
  dev::v1::ListClusterEventsResponse events;
};
// At most `lines` lines, on a terminal none wider than that; as many events as have room, the newest last. Where not
// all nodes have room, it tells how many are left out.
std::string FormatSnapshot(const ClusterSnapshot& snapshot, std::size_t lines, const Terminal& terminal);

}  // namespace cloudstate::cli
