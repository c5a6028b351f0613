#include "emulator/cluster/shard_coordinator.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/log.h"
#include "emulator/base/on_strand.h"

namespace cloudstate::cluster {
namespace {

std::string ShardName(ShardId shard) { return absl::StrCat("shard ", static_cast<std::uint32_t>(shard)); }

// Shards that went to nodes, such as "gave shard 80 to node 3" or "gave 66 shards: 33 to node 2, 33 to node 3".
std::string WhatWasGiven(const std::vector<ShardMove>& given) {
  if (given.size() == 1) return absl::StrCat("gave ", ShardName(given[0].shard), " to node ", ToString(given[0].to));
  std::map<NodeId, int> counts;
  for (const ShardMove& each : given) ++counts[each.to];
  std::string text;
  for (const auto& [node, count] : counts) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", count, " to node ", ToString(node));
  }
  return absl::StrCat("gave ", given.size(), " shards: ", text);
}

}  // namespace

ShardCoordinator::ShardCoordinator(const Options& options, base::Strand& strand, journal::Journal& journal,
                                   ShardTable& table, Changed changed)
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
  Stop({{shard, to}}, "it was told to");
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
  auto claimed = [this, claims](const auto& holders) { OnClaimed(claims, holders); };
  journal_.Claim(std::move(claims), base::OnStrand(strand_, lifetime_, std::move(claimed)));
}

void ShardCoordinator::OnClaimed(const std::vector<journal::ShardClaim>& claims,
                                 const absl::StatusOr<std::vector<journal::ShardHolder>>& holders) {
  claiming_ = false;
  if (!holders.ok()) {
    if (!std::exchange(warned_, true)) {
      base::LogWarning(absl::StrCat("shards cannot be claimed: ", holders.status().message()));
    }
    return;
  }
  warned_ = false;
  std::vector<ShardMove> given;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const journal::ShardHolder& holder = (*holders)[i];
    ShardHome home;
    home.epoch = holder.epoch;
    home.phase = ShardPhase::kOwned;
    home.owner = static_cast<NodeId>(holder.node);
    home.incarnation = holder.incarnation;
    table_.Merge(claims[i].shard, home);
    const bool granted = holder.epoch > claims[i].expected && holder.node == claims[i].node &&
                         holder.incarnation == claims[i].incarnation;
    if (granted) given.push_back({claims[i].shard, home.owner});
  }
  const std::size_t learned = claims.size() - given.size();
  std::vector<std::string> what;
  if (learned > 0) what.push_back(absl::StrCat("learned who holds ", learned, learned == 1 ? " shard" : " shards"));
  if (!given.empty()) what.push_back(WhatWasGiven(given));
  changed_(what);
}

void ShardCoordinator::Stop(const std::vector<ShardMove>& moves, absl::string_view why) {
  if (moves.empty()) return;
  std::vector<std::string> what;
  for (const ShardMove& move : moves) {
    ShardHome home = table_.at(move.shard);
    home.phase = ShardPhase::kStopping;
    home.target = move.to;
    table_.Merge(move.shard, home);
    what.push_back(absl::StrCat("moves ", ShardName(move.shard), " from node ", ToString(home.owner), " to node ",
                                ToString(move.to), ": ", why));
  }
  changed_(what);
}

}  // namespace cloudstate::cluster
