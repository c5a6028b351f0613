#include "emulator/cluster/shard_coordinator.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/log.h"

namespace cloudstate::cluster {
namespace {

std::string ShardName(ShardId shard) { return absl::StrCat("shard ", static_cast<std::uint32_t>(shard)); }

// "node 2: 33, node 3: 34"
std::string PerNode(const std::vector<journal::ShardHolder>& holders) {
  std::map<std::uint32_t, int> counts;
  for (const journal::ShardHolder& holder : holders) ++counts[holder.node];
  std::string text;
  for (const auto& [node, count] : counts) absl::StrAppend(&text, text.empty() ? "" : ", ", count, " to node ", node);
  return text;
}

}  // namespace

ShardCoordinator::ShardCoordinator(const Options& options, base::Strand& strand, journal::Journal& journal,
                                   ShardTable& table, std::function<void(const std::string&)> changed)
    : options_(options), strand_(strand), journal_(journal), table_(table), changed_(std::move(changed)) {}

void ShardCoordinator::Run(const View& view) {
  if (claiming_) return;
  if (auto orphans = AllocateOrphans(table_, view); !orphans.empty()) {
    Claim(orphans, view);
    return;
  }
  Stop(Evacuate(table_, view), "its node is leaving");
  if (strand_.Now() < next_rebalance_) return;
  next_rebalance_ = strand_.Now() + options_.rebalance_interval;
  Stop(Rebalance(table_, view, options_.rebalance), "to spread the load");
}

absl::Status ShardCoordinator::Move(ShardId shard, NodeId to, const View& view) {
  const auto found = view.find(to);
  if (found == view.end() || found->second.state != NodeState::kUp) {
    return absl::FailedPreconditionError(absl::StrCat("node ", ToString(to), " is not up"));
  }
  const ShardHome& home = table_.at(shard);
  if (home.phase != ShardPhase::kOwned || home.epoch == 0) {
    return absl::FailedPreconditionError(absl::StrCat(ShardName(shard), " is on its way already; try again"));
  }
  if (home.owner == to) {
    return absl::FailedPreconditionError(absl::StrCat(ShardName(shard), " is on node ", ToString(to), " already"));
  }
  Stop({{shard, to}}, "as it was told");
  return absl::OkStatus();
}

void ShardCoordinator::Claim(const std::vector<ShardMove>& homes, const View& view) {
  claiming_ = true;
  std::vector<journal::ShardClaim> claims;
  claims.reserve(homes.size());
  for (const ShardMove& home : homes) {
    claims.push_back(
        {home.shard, table_.at(home.shard).epoch, static_cast<std::uint32_t>(home.to), view.at(home.to).incarnation});
  }
  auto claimed = lifetime_.Guard([this, claims](const auto& holders) { OnClaimed(claims, holders); });
  journal_.Claim(std::move(claims), [&strand = strand_, claimed = std::move(claimed)](auto holders) mutable {
    strand.Post([claimed = std::move(claimed), holders = std::move(holders)]() mutable { claimed(holders); });
  });
}

void ShardCoordinator::OnClaimed(const std::vector<journal::ShardClaim>& claims,
                                 const absl::StatusOr<std::vector<journal::ShardHolder>>& holders) {
  claiming_ = false;
  if (!holders.ok()) {
    base::LogWarning(absl::StrCat("shards could not be claimed: ", holders.status().message()));
    return;
  }
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const journal::ShardHolder& holder = (*holders)[i];
    ShardHome home;
    home.epoch = holder.epoch;
    home.phase = ShardPhase::kOwned;
    home.owner = static_cast<NodeId>(holder.node);
    home.incarnation = holder.incarnation;
    table_.Merge(claims[i].shard, home);
  }
  const std::string what = claims.size() == 1 ? ShardName(claims[0].shard) : absl::StrCat(claims.size(), " shards");
  changed_(absl::StrCat("gave ", what, ": ", PerNode(*holders)));
}

void ShardCoordinator::Stop(const std::vector<ShardMove>& moves, absl::string_view why) {
  for (const ShardMove& move : moves) {
    ShardHome home = table_.at(move.shard);
    home.phase = ShardPhase::kStopping;
    home.target = move.to;
    table_.Merge(move.shard, home);
    changed_(absl::StrCat("moves ", ShardName(move.shard), " from node ", ToString(home.owner), " to node ",
                          ToString(move.to), " ", why));
  }
}

}  // namespace cloudstate::cluster
