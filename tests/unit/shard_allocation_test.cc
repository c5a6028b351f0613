#include "emulator/cluster/shard_allocation.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace cloudstate::cluster {
namespace {

View UpView(std::uint32_t nodes) {
  View view;
  for (std::uint32_t node = 1; node <= nodes; ++node) view[NodeId{node}] = {1, NodeState::kUp, node};
  return view;
}

// A table to play with: what is allocated is owned at once.
class Shards {
 public:
  explicit Shards(View nodes) : view(std::move(nodes)) {}

  void Own(std::uint32_t shard, NodeId node) { Put(ShardId{shard}, ShardPhase::kOwned, node, NodeId::kNone); }
  void Set(std::uint32_t shard, ShardPhase phase, NodeId node, NodeId target) {
    Put(ShardId{shard}, phase, node, target);
  }
  void Apply(const std::vector<ShardMove>& moves) {
    for (const ShardMove& move : moves) Put(move.shard, ShardPhase::kOwned, move.to, NodeId::kNone);
  }

  std::map<NodeId, std::size_t> Counts() const {
    std::map<NodeId, std::size_t> counts;
    for (const auto& [node, record] : view) {
      if (record.state == NodeState::kUp) counts[node];
    }
    for (std::uint32_t shard = 0; shard < kShards; ++shard) ++counts[table.at(ShardId{shard}).owner];
    return counts;
  }
  std::size_t Spread() const {
    const auto counts = Counts();
    const auto fewer = [](const auto& one, const auto& other) { return one.second < other.second; };
    const auto [fewest, most] = std::minmax_element(counts.begin(), counts.end(), fewer);
    return most->second - fewest->second;
  }

  View view;
  ShardTable table;

 private:
  void Put(ShardId shard, ShardPhase phase, NodeId node, NodeId target) {
    const std::uint64_t epoch = table.at(shard).epoch + 1;
    const auto owner = view.find(node);
    const std::uint64_t incarnation = owner == view.end() ? 1 : owner->second.incarnation;
    ASSERT_TRUE(table.Merge(shard, {epoch, phase, node, incarnation, target}));
  }
};

TEST(AllocateOrphansTest, TheFirstTimeAllShardsAreSpreadEvenly) {
  for (std::uint32_t nodes = 1; nodes <= 100; ++nodes) {
    Shards shards(UpView(nodes));
    const auto moves = AllocateOrphans(shards.table, shards.view);
    ASSERT_EQ(moves.size(), kShards);
    shards.Apply(moves);
    EXPECT_LE(shards.Spread(), 1u) << nodes;
    EXPECT_TRUE(AllocateOrphans(shards.table, shards.view).empty()) << nodes;
  }
}

TEST(AllocateOrphansTest, WithoutANodeThatIsUpNothingIsAllocated) {
  EXPECT_TRUE(AllocateOrphans(ShardTable(), {}).empty());
  const View view = {{NodeId{1}, {1, NodeState::kJoining, 0}}, {NodeId{2}, {1, NodeState::kLeaving, 1}}};
  EXPECT_TRUE(AllocateOrphans(ShardTable(), view).empty());
}

// Node 1 has all shards but shard 7, which is as `phase` says.
Shards WithOneOdd(ShardPhase phase, NodeId owner, NodeId target) {
  Shards shards(UpView(3));
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    if (shard != 7) shards.Own(shard, NodeId{1});
  }
  shards.Set(7, phase, owner, target);
  return shards;
}

TEST(AllocateOrphansTest, AReleasedShardGoesWhereItIsToGo) {
  const Shards shards = WithOneOdd(ShardPhase::kReleased, NodeId{1}, NodeId{3});
  EXPECT_EQ(AllocateOrphans(shards.table, shards.view), (std::vector<ShardMove>{{ShardId{7}, NodeId{3}}}));
}

TEST(AllocateOrphansTest, WhereTheTargetIsGoneItGoesToTheNodeWithTheFewest) {
  Shards shards = WithOneOdd(ShardPhase::kReleased, NodeId{1}, NodeId{3});
  shards.view[NodeId{3}].state = NodeState::kLeaving;
  EXPECT_EQ(AllocateOrphans(shards.table, shards.view), (std::vector<ShardMove>{{ShardId{7}, NodeId{2}}}));
}

TEST(AllocateOrphansTest, AShardIsItsOwnersWhileThatStopsIt) {
  const Shards shards = WithOneOdd(ShardPhase::kStopping, NodeId{2}, NodeId{3});
  EXPECT_TRUE(AllocateOrphans(shards.table, shards.view).empty());
}

TEST(AllocateOrphansTest, ALeavingNodeStillHasItsShards) {
  Shards shards = WithOneOdd(ShardPhase::kOwned, NodeId{2}, NodeId::kNone);
  shards.view[NodeId{2}].state = NodeState::kLeaving;
  EXPECT_TRUE(AllocateOrphans(shards.table, shards.view).empty());
}

TEST(AllocateOrphansTest, TheShardsOfALifeThatIsOverAreOrphans) {
  const std::vector<ShardMove> to_node_3 = {{ShardId{7}, NodeId{3}}};
  for (const NodeState state : {NodeState::kDown, NodeState::kRemoved}) {
    Shards shards = WithOneOdd(ShardPhase::kOwned, NodeId{2}, NodeId::kNone);
    shards.view[NodeId{2}].state = state;
    EXPECT_EQ(AllocateOrphans(shards.table, shards.view), to_node_3);
  }
  Shards stopping = WithOneOdd(ShardPhase::kStopping, NodeId{2}, NodeId{3});
  stopping.view[NodeId{2}].state = NodeState::kDown;
  EXPECT_EQ(AllocateOrphans(stopping.table, stopping.view), to_node_3);
  Shards again = WithOneOdd(ShardPhase::kOwned, NodeId{3}, NodeId::kNone);
  again.view[NodeId{3}].incarnation = 2;
  EXPECT_EQ(AllocateOrphans(again.table, again.view), (std::vector<ShardMove>{{ShardId{7}, NodeId{2}}}));
  again.view.erase(NodeId{3});
  EXPECT_EQ(AllocateOrphans(again.table, again.view), (std::vector<ShardMove>{{ShardId{7}, NodeId{2}}}));
}

// Shards 0 to 33 on node 1, 34 to 66 on node 2, 67 to 99 on node 3, and a fourth that has just come up.
Shards ThreeAndANewOne() {
  Shards shards(UpView(4));
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    shards.Own(shard, NodeId{shard < 34 ? 1u : shard < 67 ? 2u : 3u});
  }
  return shards;
}

TEST(RebalanceTest, AFourthNodeGetsAQuarterFromThoseWithTheMost) {
  Shards shards = ThreeAndANewOne();
  EXPECT_EQ(Rebalance(shards.table, shards.view, {}),
            (std::vector<ShardMove>{{ShardId{0}, NodeId{4}}, {ShardId{1}, NodeId{4}}}));
  std::size_t rounds = 0;
  for (auto moves = Rebalance(shards.table, shards.view, {}); !moves.empty();
       moves = Rebalance(shards.table, shards.view, {})) {
    for (const ShardMove& move : moves) EXPECT_EQ(move.to, NodeId{4});
    shards.Apply(moves);
    ++rounds;
  }
  EXPECT_EQ(rounds, 13u);  // 25 shards, two at a time
  EXPECT_EQ(shards.Counts(),
            (std::map<NodeId, std::size_t>{{NodeId{1}, 25}, {NodeId{2}, 25}, {NodeId{3}, 25}, {NodeId{4}, 25}}));
}

TEST(RebalanceTest, InARoundOnlySoManyMove) {
  const Shards shards = ThreeAndANewOne();
  const auto moved = [&](const RebalanceLimits& limits) { return Rebalance(shards.table, shards.view, limits).size(); };
  EXPECT_EQ(moved({}), 2u);
  EXPECT_EQ(moved({.relative = 0.1, .absolute = 100}), 10u);
  EXPECT_EQ(moved({.relative = 1, .absolute = 7}), 7u);
  EXPECT_EQ(moved({.relative = 0, .absolute = 0}), 1u);
  EXPECT_EQ(moved({.relative = 1, .absolute = 100}), 25u);
}

TEST(RebalanceTest, WhoIsAtTheLimitGivesToWhoIsTwoBelowIt) {
  // At most 34 each: nobody is above that, but one has two fewer.
  Shards shards(UpView(3));
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    shards.Own(shard, NodeId{shard < 34 ? 1u : shard < 68 ? 2u : 3u});
  }
  EXPECT_EQ(Rebalance(shards.table, shards.view, {}), (std::vector<ShardMove>{{ShardId{0}, NodeId{3}}}));
}

TEST(RebalanceTest, NothingMovesWhileAShardIsOnItsWayOrHomeless) {
  const auto rebalance_with = [](ShardPhase phase, NodeId owner, NodeState state) {
    Shards shards = ThreeAndANewOne();
    shards.Set(50, phase, owner, NodeId{4});
    shards.view[owner].state = state;
    return Rebalance(shards.table, shards.view, {});
  };
  EXPECT_FALSE(rebalance_with(ShardPhase::kOwned, NodeId{2}, NodeState::kUp).empty());
  EXPECT_TRUE(rebalance_with(ShardPhase::kStopping, NodeId{2}, NodeState::kUp).empty());
  EXPECT_TRUE(rebalance_with(ShardPhase::kReleased, NodeId{2}, NodeState::kUp).empty());
  EXPECT_TRUE(rebalance_with(ShardPhase::kOwned, NodeId{2}, NodeState::kLeaving).empty());
  EXPECT_TRUE(rebalance_with(ShardPhase::kOwned, NodeId{2}, NodeState::kDown).empty());
  EXPECT_TRUE(Rebalance(ShardTable(), UpView(2), {}).empty());
}

TEST(RebalanceTest, FromAnyStartItEndsBalancedInSmallSteps) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    std::mt19937_64 random(seed);
    const auto nodes = static_cast<std::uint32_t>(1 + random() % 100);
    const auto used = static_cast<std::uint32_t>(1 + random() % nodes);
    Shards shards(UpView(nodes));
    for (std::uint32_t shard = 0; shard < kShards; ++shard) {
      shards.Own(shard, NodeId{static_cast<std::uint32_t>(1 + random() % used)});
    }
    std::size_t rounds = 0;
    for (auto moves = Rebalance(shards.table, shards.view, {}); !moves.empty() && rounds < 60; ++rounds) {
      ASSERT_LE(moves.size(), 2u) << "seed " << seed;
      for (const ShardMove& move : moves) ASSERT_NE(shards.table.at(move.shard).owner, move.to) << "seed " << seed;
      shards.Apply(moves);
      moves = Rebalance(shards.table, shards.view, {});
    }
    ASSERT_LE(rounds, 50u) << "seed " << seed;
    ASSERT_LE(shards.Spread(), 1u) << "seed " << seed;
  }
}

TEST(EvacuateTest, AllShardsOfLeavingNodesGoAtOnceAndEvenly) {
  Shards shards = ThreeAndANewOne();
  shards.view[NodeId{1}].state = NodeState::kLeaving;
  shards.view[NodeId{2}].state = NodeState::kLeaving;
  const auto moves = Evacuate(shards.table, shards.view);
  ASSERT_EQ(moves.size(), 67u);
  for (std::uint32_t shard = 0; shard < 67; ++shard) EXPECT_EQ(moves[shard].shard, ShardId{shard});
  shards.Apply(moves);
  EXPECT_EQ(shards.Counts(), (std::map<NodeId, std::size_t>{{NodeId{3}, 50}, {NodeId{4}, 50}}));
}

TEST(EvacuateTest, WhatIsOnItsWayAlreadyOrBelongsToOthersStays) {
  Shards shards = ThreeAndANewOne();
  EXPECT_TRUE(Evacuate(shards.table, shards.view).empty());
  shards.view[NodeId{1}].state = NodeState::kLeaving;
  shards.Set(0, ShardPhase::kStopping, NodeId{1}, NodeId{2});
  shards.Set(1, ShardPhase::kReleased, NodeId{1}, NodeId{2});
  const auto moves = Evacuate(shards.table, shards.view);
  ASSERT_EQ(moves.size(), 32u);
  EXPECT_EQ(moves.front().shard, ShardId{2});
}

TEST(EvacuateTest, WithNowhereToGoAllStays) {
  Shards shards(UpView(1));
  for (std::uint32_t shard = 0; shard < kShards; ++shard) shards.Own(shard, NodeId{1});
  shards.view[NodeId{1}].state = NodeState::kLeaving;
  EXPECT_TRUE(Evacuate(shards.table, shards.view).empty());
}

}  // namespace
}  // namespace cloudstate::cluster
