#pragma once

#include <cstddef>
#include <vector>

#include "emulator/cluster/shard_table.h"

namespace cloudstate::cluster {

struct ShardMove {
  ShardId shard{};
  NodeId to = NodeId::kNone;

  bool operator==(const ShardMove&) const = default;
};

// A node may own shards when it is up. Pure functions of what the coordinator knows; the same input gives the same
// result, with the lower shard and the lower node first where there is a choice.

// Homes for the shards that have none or have been released, and for those whose owner is down, removed or in another
// life: each goes to its target if that is up, else to the node that has the fewest.
std::vector<ShardMove> AllocateOrphans(const ShardTable& table, const View& view);

// The published way to spread shards evenly (Akka's least-shard strategy of 2.6): with n shards on k nodes none should
// have more than ceil(n / k); what is above that moves to those with the fewest. Where none is above, but a node has at
// least two fewer, nodes at the limit give one each. In one round `relative` of all shards at most, and `absolute` at
// most, but always one. Nothing while a shard is on its way.
struct RebalanceLimits {
  double relative = 0.1;
  std::size_t absolute = 2;
};
std::vector<ShardMove> Rebalance(const ShardTable& table, const View& view, const RebalanceLimits& limits);

// The shards of nodes that are leaving, all at once.
std::vector<ShardMove> Evacuate(const ShardTable& table, const View& view);

}  // namespace cloudstate::cluster
