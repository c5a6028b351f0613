#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <mutex>

#include "absl/status/status.h"

namespace cloudstate::journal {

// Entities are spread over this many parts, each of which lives on one node at a time.
enum class ShardId : std::uint32_t {};

// The right to write a shard's entities: it ends when the shard is claimed anew. An epoch of 0 stands for entities that
// belong to no shard, whose writes are not fenced.
struct Fence {
  ShardId shard{};
  std::uint64_t epoch = 0;
  std::uint32_t node = 0;  // that acts under it; for people, and for those who check that it is one only

  auto operator<=>(const Fence&) const = default;
};

// Who holds a shard: one life of a node.
struct ShardHolder {
  std::uint64_t epoch = 0;  // 0: nobody yet
  std::uint32_t node = 0;
  std::uint64_t incarnation = 0;

  bool operator==(const ShardHolder&) const = default;
};

// Asks for a shard on behalf of a node. It is granted, with the next epoch, if `expected` is the shard's present one.
struct ShardClaim {
  ShardId shard{};
  std::uint64_t expected = 0;
  std::uint32_t node = 0;
  std::uint64_t incarnation = 0;
};

// The holders of all shards. Lives as long as the journal's process: a new one has no old nodes that could still write.
// Any thread.
class Fences {
 public:
  // The holder after the claim: the claimant where it was granted, or has been before.
  ShardHolder Claim(const ShardClaim& claim);
  bool Holds(const Fence& fence) const;
  // Nobody holds any shard any more; whoever asks for one gets it, whichever epoch it knows of.
  void Vacate();
  // OK while it holds; else ABORTED, with the epoch that is over and who holds the shard now.
  absl::Status Check(const Fence& fence) const;

 private:
  ShardHolder HolderOf(ShardId shard) const;

  mutable std::mutex mutex_;
  std::map<ShardId, ShardHolder> holders_;
};

}  // namespace cloudstate::journal
