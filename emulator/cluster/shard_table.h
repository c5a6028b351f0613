#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "cloudstate/cluster/wire.pb.h"
#include "emulator/cluster/node_id.h"
#include "emulator/journal/fence.h"

namespace cloudstate::cluster {

using journal::ShardId;

// The published number.
inline constexpr std::uint32_t kShards = 100;

// The absolute value of Java's String.hashCode of the entity id (over its UTF-16 units) modulo the number of shards, as
// published; that of the smallest int, which has no absolute value, is taken as its remainder's. Bytes that are no
// UTF-8 count as U+FFFD, as Java decodes them.
ShardId ShardOf(absl::string_view entity_id);
std::int32_t JavaHash(absl::string_view utf8);

enum class ShardPhase : std::uint32_t {
  kOwned,     // its owner runs its entities
  kStopping,  // its owner is to stop them
  kReleased,  // its owner has stopped them
};

// Where a shard is. Of two, the one with the higher epoch is right, then the one with the later phase: tables can be
// merged in any order.
struct ShardHome {
  std::uint64_t epoch = 0;  // the fence's; 0: nobody has had it yet
  ShardPhase phase = ShardPhase::kReleased;
  NodeId owner = NodeId::kNone;
  std::uint64_t incarnation = 0;  // the owner's life
  NodeId target = NodeId::kNone;  // where it is to go, from kStopping on; kNone for wherever there is room

  bool operator==(const ShardHome&) const = default;
};

// All shards as one node knows them. Pure.
class ShardTable {
 public:
  const ShardHome& at(ShardId shard) const { return homes_[static_cast<std::size_t>(shard)]; }
  // True if that is news.
  bool Merge(ShardId shard, const ShardHome& home);
  std::uint64_t Digest() const { return digest_; }

  void Describe(wire::Gossip& gossip) const;

 private:
  std::array<ShardHome, kShards> homes_;
  std::uint64_t digest_ = 0;
};

ShardHome FromWire(const wire::ShardHome& home);

}  // namespace cloudstate::cluster
