#include "emulator/routing/steering.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/support/memory_journal.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::routing {
namespace {

using cluster::NodeId;

class Steering : public ::testing::Test {
 protected:
  Steering() {
    cluster_.Start(3);
    strand_.Run();
  }
  ~Steering() override {
    cluster_.Stop();
    strand_.Run();
  }

  absl::Status Do(const dev::v1::Steering& steering) {
    const auto response = Steer(cluster_, steering);
    strand_.Run();
    if (response.ok()) {
      EXPECT_NE(response->text(), "");
    }
    return response.status();
  }
  bool IsCut(std::uint32_t from, std::uint32_t to) const {
    return cluster_.network().IsCut(static_cast<NodeId>(from), static_cast<NodeId>(to));
  }
  const cluster::Node& node(std::uint32_t number) const { return *cluster_.Find(static_cast<NodeId>(number)); }

  testing::VirtualStrand strand_;
  base::Random random_{1};
  testing::MemoryJournal journal_;
  cluster::Cluster cluster_{cluster::Node::Options(), strand_, random_, journal_, [](const std::string&) {}};
};

TEST_F(Steering, ANewNodeIsTold) {
  dev::v1::Steering steering;
  steering.mutable_add_node();
  const auto response = Steer(cluster_, steering);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->node(), 4);
  EXPECT_EQ(response->text(), "node 4 joins");
  EXPECT_NE(cluster_.Find(static_cast<NodeId>(4)), nullptr);
}

TEST_F(Steering, KillsAndStartsTheNodeThatIsNamed) {
  dev::v1::Steering steering;
  steering.mutable_kill()->set_node(2);
  ASSERT_EQ(Do(steering), absl::OkStatus());
  EXPECT_EQ(node(2).membership(), nullptr);
  EXPECT_NE(node(1).membership(), nullptr);
  steering.mutable_start()->set_node(2);
  ASSERT_EQ(Do(steering), absl::OkStatus());
  EXPECT_NE(node(2).membership(), nullptr);
  EXPECT_EQ(node(2).incarnation(), 2u);
}

TEST_F(Steering, DrainsTheNodeThatIsNamed) {
  dev::v1::Steering steering;
  steering.mutable_drain()->set_node(3);
  ASSERT_EQ(Do(steering), absl::OkStatus());
  EXPECT_EQ(node(3).state(), "leaving");
  EXPECT_EQ(node(1).state(), "up");
}

TEST_F(Steering, PausesUntilResumedOrForATime) {
  dev::v1::Steering steering;
  steering.mutable_pause()->set_node(1);
  ASSERT_EQ(Do(steering), absl::OkStatus());
  EXPECT_TRUE(node(1).strand().paused());
  steering.mutable_resume()->set_node(1);
  ASSERT_EQ(Do(steering), absl::OkStatus());
  EXPECT_FALSE(node(1).strand().paused());
  steering.mutable_pause()->set_node(1);
  steering.mutable_pause()->mutable_for_()->set_nanos(50'000'000);
  ASSERT_EQ(Do(steering), absl::OkStatus());
  strand_.Advance(absl::Milliseconds(49));
  EXPECT_TRUE(node(1).strand().paused());
  strand_.Advance(absl::Milliseconds(2));
  EXPECT_FALSE(node(1).strand().paused());
}

TEST_F(Steering, SetsClocksAheadAndBehind) {
  dev::v1::Steering steering;
  steering.mutable_skew()->set_node(2);
  steering.mutable_skew()->mutable_by()->set_seconds(-2);
  ASSERT_EQ(Do(steering), absl::OkStatus());
  EXPECT_EQ(node(2).strand().skew(), absl::Seconds(-2));
}

TEST_F(Steering, CutsOneWayDividesAndHeals) {
  dev::v1::Steering steering;
  steering.mutable_cut()->set_from(1);
  steering.mutable_cut()->set_to(2);
  ASSERT_EQ(Do(steering), absl::OkStatus());
  EXPECT_TRUE(IsCut(1, 2));
  EXPECT_FALSE(IsCut(2, 1));
  steering.mutable_partition()->add_groups()->add_nodes(3);
  ASSERT_EQ(Do(steering), absl::OkStatus());
  EXPECT_TRUE(IsCut(3, 1));
  EXPECT_TRUE(IsCut(2, 3));
  EXPECT_FALSE(IsCut(2, 1));
  steering.mutable_heal();
  ASSERT_EQ(Do(steering), absl::OkStatus());
  EXPECT_FALSE(IsCut(1, 2));
  EXPECT_FALSE(IsCut(3, 1));
}

TEST_F(Steering, SetsOneLinkOrAll) {
  dev::v1::Steering steering;
  steering.mutable_link()->mutable_settings()->set_latency("5ms");
  ASSERT_EQ(Do(steering), absl::OkStatus());
  EXPECT_EQ(cluster_.network().default_settings().latency.low, absl::Milliseconds(5));
  steering.mutable_link()->set_from(1);
  steering.mutable_link()->set_to(2);
  steering.mutable_link()->set_one_way(true);
  steering.mutable_link()->mutable_settings()->set_loss(0.5);
  ASSERT_EQ(Do(steering), absl::OkStatus());
  EXPECT_EQ(cluster_.network().SettingsOf(static_cast<NodeId>(1), static_cast<NodeId>(2)).loss, 0.5);
  EXPECT_EQ(cluster_.network().SettingsOf(static_cast<NodeId>(2), static_cast<NodeId>(1)).loss, 0);
}

TEST_F(Steering, WhatOnlySimulationsCanDoIsRefused) {
  dev::v1::Steering steering;
  steering.mutable_crash_all();
  EXPECT_TRUE(absl::IsFailedPrecondition(Do(steering)));
  steering.mutable_journal();
  EXPECT_TRUE(absl::IsFailedPrecondition(Do(steering)));
}

TEST_F(Steering, ANodeThatNeverWasIsNotFound) {
  dev::v1::Steering steering;
  steering.mutable_kill()->set_node(9);
  EXPECT_TRUE(absl::IsNotFound(Do(steering)));
  steering.mutable_partition()->add_groups()->add_nodes(9);
  EXPECT_TRUE(absl::IsNotFound(Do(steering)));
}

// Each of them alone makes no sense.
std::vector<dev::v1::Steering> Nonsense() {
  std::vector<dev::v1::Steering> all(1);  // no action at all
  const auto add = [&]() -> dev::v1::Steering& { return all.emplace_back(); };
  add().mutable_kill();
  add().mutable_drain()->set_node(-1);
  dev::v1::PauseNode& pause = *add().mutable_pause();
  pause.set_node(1);
  pause.mutable_for_();
  dev::v1::SkewNode& skew = *add().mutable_skew();
  skew.set_node(1);
  skew.mutable_by()->set_seconds(std::numeric_limits<std::int64_t>::max());
  add().mutable_partition();
  add().mutable_partition()->add_groups();
  dev::v1::Partition& twice = *add().mutable_partition();
  twice.add_groups()->add_nodes(1);
  twice.add_groups()->add_nodes(1);
  add().mutable_partition()->add_groups()->add_nodes(0);
  dev::v1::NodeGroup& everybody = *add().mutable_partition()->add_groups();
  for (const int node : {3, 1, 2}) everybody.add_nodes(node);
  dev::v1::SkewNode& too_much = *add().mutable_skew();
  too_much.set_node(1);
  too_much.mutable_by()->set_seconds(-86'401);
  add().mutable_link()->set_one_way(true);
  add().mutable_cut()->set_from(1);
  dev::v1::OneWay& itself = *add().mutable_cut();
  itself.set_from(1);
  itself.set_to(1);
  dev::v1::SetLink& own_link = *add().mutable_link();
  own_link.set_from(2);
  own_link.set_to(2);
  add().mutable_link()->mutable_settings()->set_latency("soon");
  add().mutable_link()->mutable_settings()->set_loss(1.1);
  add().mutable_link()->mutable_settings()->set_duplicate(-0.1);
  add().mutable_link()->mutable_settings()->set_reorder(std::numeric_limits<double>::quiet_NaN());
  add().mutable_link()->mutable_settings()->set_bytes_per_second(-1);
  add().mutable_move_shard()->set_shard(1);
  dev::v1::MoveShard& below = *add().mutable_move_shard();
  below.set_shard(-1);
  below.set_to(1);
  dev::v1::MoveShard& beyond = *add().mutable_move_shard();
  beyond.set_shard(cluster::kShards);
  beyond.set_to(1);
  return all;
}

TEST_F(Steering, WhatMakesNoSenseIsRefusedAndChangesNothing) {
  for (const dev::v1::Steering& steering : Nonsense()) {
    EXPECT_TRUE(absl::IsInvalidArgument(Do(steering))) << Do(steering) << " for " << steering.ShortDebugString();
  }
  EXPECT_EQ(cluster_.network().default_settings(), cluster::LinkSettings());
  EXPECT_TRUE(cluster_.network().cuts().empty());
  EXPECT_TRUE(cluster_.network().partition().empty());
}

TEST(SteeringSettings, SurviveTheWayThroughTheContract) {
  dev::v1::LinkSettings settings;
  EXPECT_EQ(ToProto(*FromProto(settings)).SerializeAsString(), settings.SerializeAsString());
  settings.set_latency("uniform(1ms, 20ms)");
  settings.set_loss(0.1);
  settings.set_duplicate(0.2);
  settings.set_reorder(0.3);
  settings.set_bytes_per_second(1'000);
  const auto parsed = FromProto(settings);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->latency.high, absl::Milliseconds(20));
  EXPECT_EQ(ToProto(*parsed).SerializeAsString(), settings.SerializeAsString());
}

}  // namespace
}  // namespace cloudstate::routing
