#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "emulator/base/lifetime.h"
#include "emulator/base/strand.h"
#include "emulator/cluster/shard_allocation.h"
#include "emulator/cluster/shard_table.h"
#include "emulator/journal/journal.h"

namespace cloudstate::cluster {

// Finds homes for shards, while its node is the one to do it. What it grants is claimed in the journal first: should
// two nodes ever believe that it is theirs to decide, the journal lets one of them win, for each shard, and the other
// one learns from it who did. On the node's strand.
class ShardCoordinator {
 public:
  struct Options {
    RebalanceLimits rebalance = {};
    absl::Duration rebalance_interval = absl::Seconds(2);
  };
  // `changed` runs after the table was changed, with what has happened, for people.
  using Changed = std::function<void(const std::vector<std::string>& what)>;
  ShardCoordinator(const Options& options, base::Strand& strand, journal::Journal& journal, ShardTable& table,
                   Changed changed);

  // What is due, in the eyes of a node that knows `view` and coordinates. Often.
  void Run(const View& view);
  // Begins to move a shard. INVALID_ARGUMENT, FAILED_PRECONDITION where it cannot go.
  absl::Status Move(ShardId shard, NodeId to, const View& view);

 private:
  void Claim(const std::vector<ShardMove>& homes, const View& view);
  void OnClaimed(const std::vector<journal::ShardClaim>& claims,
                 const absl::StatusOr<std::vector<journal::ShardHolder>>& holders);
  void Stop(const std::vector<ShardMove>& moves, absl::string_view why);

  const Options options_;
  base::Strand& strand_;
  journal::Journal& journal_;
  ShardTable& table_;
  const Changed changed_;
  bool claiming_ = false;
  bool warned_ = false;  // that claims fail
  absl::Time next_rebalance_ = absl::InfinitePast();
  base::Lifetime lifetime_;
};

}  // namespace cloudstate::cluster
