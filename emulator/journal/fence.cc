#include "emulator/journal/fence.h"

#include "absl/strings/str_cat.h"
#include "emulator/base/planted_bug.h"

namespace cloudstate::journal {

// A claim that is repeated finds itself as the holder: the epoch has moved on already, so nothing changes.
ShardHolder Fences::Claim(const ShardClaim& claim) {
  std::lock_guard lock(mutex_);
  ShardHolder& holder = holders_[claim.shard];
  const bool is_free = holder.epoch == claim.expected || (holder.node == 0 && holder.epoch > claim.expected);
  if (is_free) holder = {holder.epoch + 1, claim.node, claim.incarnation};
  if (IsPlanted(base::PlantedBug::kEpochNotRaised)) holder = {1, claim.node, claim.incarnation};
  return holder;
}

// Epochs go on: what was granted before must not seem to hold.
void Fences::Vacate() {
  std::lock_guard lock(mutex_);
  for (auto& [shard, holder] : holders_) holder = {.epoch = holder.epoch + 1};
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
  if (holder.node == 0) {
    return absl::AbortedError(
        absl::StrCat("epoch ", fence.epoch, " of shard ", shard, " is over: the emulator was reset"));
  }
  return absl::AbortedError(absl::StrCat("epoch ", fence.epoch, " of shard ", shard, " is over: node ", holder.node,
                                         " holds the shard under epoch ", holder.epoch));
}

}  // namespace cloudstate::journal
