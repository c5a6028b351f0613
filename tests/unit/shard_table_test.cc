#include "emulator/cluster/shard_table.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace cloudstate::cluster {
namespace {

struct Vector {
  std::string hex;
  std::int32_t hash;
  std::int32_t published_shard;
};

std::vector<Vector> ReadVectors() {
  std::ifstream file(absl::StrCat(TEST_DATA, "/shards/java_hashes.txt"));
  std::vector<Vector> vectors;
  for (Vector vector; file >> vector.hex >> vector.hash >> vector.published_shard;) vectors.push_back(vector);
  return vectors;
}

std::string Bytes(const Vector& vector) { return vector.hex == "-" ? "" : absl::HexStringToBytes(vector.hex); }

TEST(ShardOfTest, HashesAreThoseOfJava) {
  const std::vector<Vector> vectors = ReadVectors();
  ASSERT_GE(vectors.size(), 100u);
  for (const Vector& vector : vectors) EXPECT_EQ(JavaHash(Bytes(vector)), vector.hash) << vector.hex;
}

TEST(ShardOfTest, ShardsAreThoseOfThePublishedSystem) {
  for (const Vector& vector : ReadVectors()) {
    EXPECT_EQ(static_cast<std::int32_t>(ShardOf(Bytes(vector))), std::abs(vector.published_shard)) << vector.hex;
  }
}

TEST(ShardOfTest, TheSmallestIntHasAShardToo) { EXPECT_EQ(ShardOf("polygenelubricants"), ShardId{48}); }

TEST(ShardOfTest, UsualIdsReachEveryShard) {
  std::set<ShardId> reached;
  for (int number = 0; number < 2000; ++number) reached.insert(ShardOf(absl::StrCat("cart-", number)));
  EXPECT_EQ(reached.size(), kShards);
}

ShardHome Home(std::uint64_t epoch, ShardPhase phase, std::uint32_t owner, std::uint32_t target = 0) {
  return {.epoch = epoch, .phase = phase, .owner = NodeId{owner}, .incarnation = 1, .target = NodeId{target}};
}

TEST(ShardTableTest, AtFirstNobodyHasAShard) {
  const ShardTable table;
  for (std::uint32_t shard = 0; shard < kShards; ++shard) EXPECT_EQ(table.at(ShardId{shard}), ShardHome());
  EXPECT_EQ(table.Digest(), ShardTable().Digest());
}

TEST(ShardTableTest, TheHigherEpochIsRightThenTheLaterPhase) {
  ShardTable table;
  const ShardId shard{7};
  EXPECT_TRUE(table.Merge(shard, Home(2, ShardPhase::kOwned, 1)));
  EXPECT_FALSE(table.Merge(shard, Home(2, ShardPhase::kOwned, 1)));
  EXPECT_FALSE(table.Merge(shard, Home(1, ShardPhase::kReleased, 3)));
  EXPECT_TRUE(table.Merge(shard, Home(2, ShardPhase::kStopping, 1, 2)));
  EXPECT_FALSE(table.Merge(shard, Home(2, ShardPhase::kOwned, 1)));
  EXPECT_TRUE(table.Merge(shard, Home(2, ShardPhase::kReleased, 1, 2)));
  EXPECT_TRUE(table.Merge(shard, Home(3, ShardPhase::kOwned, 2)));
  EXPECT_EQ(table.at(shard), Home(3, ShardPhase::kOwned, 2));
}

TEST(ShardTableTest, ThereAreNoShardsBeyondTheLast) {
  ShardTable table;
  EXPECT_FALSE(table.Merge(ShardId{kShards}, Home(2, ShardPhase::kOwned, 1)));
  EXPECT_EQ(table.Digest(), ShardTable().Digest());
}

TEST(ShardTableTest, InWhateverOrderTheSameNewsComeTheTablesAreEqual) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::pair<ShardId, ShardHome>> news;
    for (int count = 0; count < 30; ++count) {
      const auto phase = static_cast<ShardPhase>(random() % 3);
      const auto owner = static_cast<std::uint32_t>(random() % 4);
      news.emplace_back(ShardId{static_cast<std::uint32_t>(random() % 3)},
                        Home(random() % 4, phase, owner, static_cast<std::uint32_t>(random() % 4)));
    }
    ShardTable one;
    ShardTable other;
    for (const auto& [shard, home] : news) one.Merge(shard, home);
    std::shuffle(news.begin(), news.end(), random);
    for (const auto& [shard, home] : news) other.Merge(shard, home);
    for (std::uint32_t shard = 0; shard < 3; ++shard) {
      ASSERT_EQ(one.at(ShardId{shard}), other.at(ShardId{shard})) << "round " << round;
    }
    ASSERT_EQ(one.Digest(), other.Digest()) << "round " << round;
  }
}

TEST(ShardTableTest, EveryPartOfAHomeIsInTheDigest) {
  std::set<std::uint64_t> digests = {ShardTable().Digest()};
  const auto add = [&](ShardId shard, const ShardHome& home) {
    ShardTable table;
    table.Merge(shard, home);
    EXPECT_TRUE(digests.insert(table.Digest()).second);
  };
  const ShardHome home = Home(1, ShardPhase::kStopping, 1, 2);
  add(ShardId{0}, home);
  add(ShardId{1}, home);
  for (int part = 0; part < 5; ++part) {
    ShardHome changed = home;
    if (part == 0) changed.epoch = 2;
    if (part == 1) changed.phase = ShardPhase::kReleased;
    if (part == 2) changed.owner = NodeId{2};
    if (part == 3) changed.incarnation = 2;
    if (part == 4) changed.target = NodeId{3};
    add(ShardId{0}, changed);
  }
}

TEST(ShardTableTest, WhatItDescribesMakesAnEqualTable) {
  ShardTable table;
  table.Merge(ShardId{0}, Home(4, ShardPhase::kStopping, 1, 2));
  table.Merge(ShardId{99}, Home(2, ShardPhase::kOwned, 3));
  wire::Gossip gossip;
  table.Describe(gossip);
  EXPECT_EQ(gossip.shards_size(), 2);
  ShardTable copy;
  for (const wire::ShardHome& home : gossip.shards()) EXPECT_TRUE(copy.Merge(ShardId{home.shard()}, FromWire(home)));
  EXPECT_EQ(copy.at(ShardId{0}), table.at(ShardId{0}));
  EXPECT_EQ(copy.at(ShardId{99}), table.at(ShardId{99}));
  EXPECT_EQ(copy.Digest(), table.Digest());
}

}  // namespace
}  // namespace cloudstate::cluster
