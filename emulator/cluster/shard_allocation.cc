#include "emulator/cluster/shard_allocation.h"

#include <algorithm>
#include <map>

namespace cloudstate::cluster {
namespace {

// The shards of each node that is up, in their order; those on their way count for the node that still has them.
using Shares = std::map<NodeId, std::vector<ShardId>>;

bool IsUp(const View& view, NodeId node) {
  const auto found = view.find(node);
  return found != view.end() && found->second.state == NodeState::kUp;
}

// The owner, if it still lives the life in which it got the shard.
const NodeRecord* LivingOwner(const ShardHome& home, const View& view) {
  if (home.epoch == 0 || home.phase == ShardPhase::kReleased) return nullptr;
  const auto found = view.find(home.owner);
  const bool living = found != view.end() && found->second.IsMember() && found->second.incarnation == home.incarnation;
  return living ? &found->second : nullptr;
}

template <typename Use>
void ForEachShard(const ShardTable& table, Use use) {
  for (std::uint32_t shard = 0; shard < kShards; ++shard) use(ShardId{shard}, table.at(ShardId{shard}));
}

Shares SharesOf(const ShardTable& table, const View& view) {
  Shares shares;
  for (const auto& [node, record] : view) {
    if (record.state == NodeState::kUp) shares[node];
  }
  ForEachShard(table, [&](ShardId shard, const ShardHome& home) {
    if (LivingOwner(home, view) != nullptr && shares.contains(home.owner)) shares[home.owner].push_back(shard);
  });
  return shares;
}

bool HasFewer(const Shares::value_type& one, const Shares::value_type& other) {
  return one.second.size() < other.second.size();
}

// Of equals the lower node: that is the first one, both times.
Shares::iterator Fewest(Shares& shares) { return std::min_element(shares.begin(), shares.end(), HasFewer); }
Shares::iterator Most(Shares& shares) { return std::max_element(shares.begin(), shares.end(), HasFewer); }

}  // namespace

std::vector<ShardMove> AllocateOrphans(const ShardTable& table, const View& view) {
  std::vector<ShardMove> moves;
  Shares shares = SharesOf(table, view);
  if (shares.empty()) return moves;
  ForEachShard(table, [&](ShardId shard, const ShardHome& home) {
    if (LivingOwner(home, view) != nullptr) return;
    const NodeId to = IsUp(view, home.target) ? home.target : Fewest(shares)->first;
    shares[to].push_back(shard);
    moves.push_back({shard, to});
  });
  return moves;
}

// The published strategy takes two phases. In both, one of those with the most gives one to one of those with the
// fewest: in the first as long as somebody is above the limit (then somebody is below it), in the second as long as
// somebody is two below it (then somebody is at it). Either way the two differ by two or more; and where any two do,
// one of the phases has work.
std::vector<ShardMove> Rebalance(const ShardTable& table, const View& view, const RebalanceLimits& limits) {
  bool settled = true;
  ForEachShard(table, [&](ShardId, const ShardHome& home) {
    settled =
        settled && home.phase == ShardPhase::kOwned && LivingOwner(home, view) != nullptr && IsUp(view, home.owner);
  });
  std::vector<ShardMove> moves;
  if (!settled) return moves;
  const auto relative = static_cast<std::size_t>(std::max(limits.relative, 0.0) * kShards);
  const std::size_t limit = std::max<std::size_t>(1, std::min(relative, limits.absolute));
  Shares shares = SharesOf(table, view);
  while (moves.size() < limit) {
    const auto from = Most(shares);
    const auto to = Fewest(shares);
    if (from->second.size() < to->second.size() + 2) break;
    moves.push_back({from->second.front(), to->first});
    from->second.erase(from->second.begin());
    to->second.push_back(moves.back().shard);
  }
  return moves;
}

std::vector<ShardMove> Evacuate(const ShardTable& table, const View& view) {
  std::vector<ShardMove> moves;
  Shares shares = SharesOf(table, view);
  if (shares.empty()) return moves;
  ForEachShard(table, [&](ShardId shard, const ShardHome& home) {
    const NodeRecord* owner = LivingOwner(home, view);
    if (owner == nullptr || owner->state != NodeState::kLeaving || home.phase != ShardPhase::kOwned) return;
    const auto to = Fewest(shares);
    to->second.push_back(shard);
    moves.push_back({shard, to->first});
  });
  return moves;
}

}  // namespace cloudstate::cluster
