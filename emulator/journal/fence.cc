#include "emulator/journal/fence.h"

#include "absl/strings/str_cat.h"
#include "emulator/base/planted_bug.h"

namespace cloudstate::journal {

// A claim that is repeated finds itself as the holder: the epoch has moved on already, so nothing changes.
ShardHolder Fences::Claim(const ShardClaim& claim) {
  std::lock_guard lock(mutex_);
  ShardHolder& holder = holders_[claim.shard];
  if (holder.epoch == claim.expected) holder = {claim.expected + 1, claim.node, claim.incarnation};
  if (IsPlanted(base::PlantedBug::kEpochNotRaised)) holder = {1, claim.node, claim.incarnation};
  return holder;
}

ShardHolder Fences::HolderOf(ShardId shard) const {
  std::lock_guard lock(mutex_);
  auto found = holders_.find(shard);
  return found == holders_.end() ? ShardHolder{} : found->second;
}

bool Fences::Holds(const Fence& fence) const {
  if (IsPlanted(base::PlantedBug::kReadNotFenced)) return true;
  return fence.epoch == 0 || HolderOf(fence.shard).epoch == fence.epoch;
}

absl::Status Fences::Check(const Fence& fence) const {
  if (fence.epoch == 0 || IsPlanted(base::PlantedBug::kWriteNotFenced)) return absl::OkStatus();
  const ShardHolder holder = HolderOf(fence.shard);
  if (holder.epoch == fence.epoch) return absl::OkStatus();
  const auto shard = static_cast<std::uint32_t>(fence.shard);
  if (holder.epoch == 0) {
    return absl::AbortedError(absl::StrCat("epoch ", fence.epoch, " of shard ", shard, " was never claimed"));
  }
  return absl::AbortedError(absl::StrCat("epoch ", fence.epoch, " of shard ", shard, " is over: node ", holder.node,
                                         " holds the shard under epoch ", holder.epoch));
}

}  // namespace cloudstate::journal
