#include "emulator/cluster/shard_table.h"

#include <cstddef>
#include <cstdlib>
#include <tuple>

#include "emulator/cluster/digest.h"

namespace cloudstate::cluster {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

struct Decoded {
  std::uint32_t code_point = kReplacement;
  std::size_t length = 1;  // in bytes
};

bool IsContinuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// How many bytes a character has that starts with this one; 0 where none does.
std::size_t LengthAfter(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

// Whether the second byte does not make the character longer than it had to be, or larger than there are any.
bool Follows(unsigned char first, unsigned char second) {
  if (!IsContinuation(second)) return false;
  if (first == 0xE0) return second >= 0xA0;
  if (first == 0xF0) return second >= 0x90;
  return first != 0xF4 || second <= 0x8F;
}

// What Java's decoder makes of the start of `bytes`, which is not empty. As much as could have become a character is
// replaced as one; a surrogate is that, unlike elsewhere: all three bytes of it are replaced as one.
Decoded Decode(absl::string_view bytes) {
  const auto at = [&](std::size_t index) { return static_cast<unsigned char>(bytes[index]); };
  const unsigned char first = at(0);
  const std::size_t length = LengthAfter(first);
  if (length == 0) return {};
  if (length == 1) return {first, 1};
  std::uint32_t code_point = first & (0x7Fu >> length);
  for (std::size_t index = 1; index < length; ++index) {
    const bool fits = index < bytes.size() && (index == 1 ? Follows(first, at(1)) : IsContinuation(at(index)));
    if (!fits) return {kReplacement, index};
    code_point = code_point << 6 | (at(index) & 0x3Fu);
  }
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  return {surrogate ? kReplacement : code_point, length};
}

// Records that differ in nothing that the rule looks at can only come of two coordinators that do not know of each
// other; any order will do for them as long as it is everybody's.
auto Rank(const ShardHome& home) { return std::tie(home.epoch, home.phase, home.incarnation, home.owner, home.target); }

std::uint64_t DigestOfHome(ShardId shard, const ShardHome& home) {
  if (home == ShardHome()) return 0;
  return DigestOf({static_cast<std::uint64_t>(shard), home.epoch, static_cast<std::uint64_t>(home.phase),
                   static_cast<std::uint64_t>(home.owner), home.incarnation, static_cast<std::uint64_t>(home.target)});
}

}  // namespace

std::int32_t JavaHash(absl::string_view utf8) {
  std::uint32_t hash = 0;
  while (!utf8.empty()) {
    const auto [code_point, length] = Decode(utf8);
    utf8.remove_prefix(length);
    if (code_point > 0xFFFF) {
      hash = 31 * hash + (0xD7C0 + (code_point >> 10));
      hash = 31 * hash + (0xDC00 + (code_point & 0x3FF));
    } else {
      hash = 31 * hash + code_point;
    }
  }
  return static_cast<std::int32_t>(hash);
}

// The remainder first: it always has an absolute value. In Java, Math.abs of the smallest int is that int again, so
// that the published system calls its shard "-48".
ShardId ShardOf(absl::string_view entity_id) {
  const std::int32_t remainder = JavaHash(entity_id) % static_cast<std::int32_t>(kShards);
  return ShardId{static_cast<std::uint32_t>(std::abs(remainder))};
}

bool ShardTable::Merge(ShardId shard, const ShardHome& home) {
  const auto index = static_cast<std::size_t>(shard);
  if (index >= homes_.size() || Rank(home) <= Rank(homes_[index])) return false;
  digest_ += DigestOfHome(shard, home) - DigestOfHome(shard, homes_[index]);
  homes_[index] = home;
  return true;
}

void ShardTable::Describe(wire::Gossip& gossip) const {
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    const ShardHome& home = homes_[shard];
    if (home.epoch == 0) continue;
    wire::ShardHome& described = *gossip.add_shards();
    described.set_shard(shard);
    described.set_epoch(home.epoch);
    described.set_phase(static_cast<std::uint32_t>(home.phase));
    described.set_owner(static_cast<std::uint32_t>(home.owner));
    described.set_owner_incarnation(home.incarnation);
    described.set_target(static_cast<std::uint32_t>(home.target));
  }
}

ShardHome FromWire(const wire::ShardHome& home) {
  return {.epoch = home.epoch(),
          .phase = static_cast<ShardPhase>(home.phase()),
          .owner = NodeId{home.owner()},
          .incarnation = home.owner_incarnation(),
          .target = NodeId{home.target()}};
}

}  // namespace cloudstate::cluster
