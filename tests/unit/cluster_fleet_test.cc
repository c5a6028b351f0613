// Replicas as nodes of a cluster in virtual time, with user functions that are ready when the test says so.

#include "emulator/scaling/cluster_fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/base/proto_time.h"
#include "emulator/scaling/autoscaler.h"
#include "emulator/simulation/simulated_user_function.h"
#include "tests/support/fake_connection.h"
#include "tests/support/memory_journal.h"
#include "tests/support/virtual_strand.h"
#include "tests/unit/router_fixture.h"

namespace cloudstate::scaling {
namespace {

using cluster::NodeId;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class FakeSupply final : public Supply {
 public:
  void Start(NodeId node, Listener listener) override {
    started.push_back(node);
    EXPECT_TRUE(listeners_.emplace(node, std::move(listener)).second) << "started twice";
  }
  void Stop(NodeId node) override {
    EXPECT_EQ(listeners_.erase(node), 1U) << "stopped, and not started";
    stopped.push_back(node);
  }
  Process Describe(NodeId node) const override {
    return {.pid = 1000 + static_cast<std::int64_t>(node), .address = absl::StrCat("here:", ToString(node))};
  }

  void Ready(std::uint32_t node) {
    listeners_.at(NodeId{node})
        .ready(std::make_shared<cloudstate::testing::FakeConnection>(),
               simulation::SimulatedUserFunction::Specification(), entities::ReplayFrom::kNewestSnapshot);
  }
  void Lose(std::uint32_t node) { listeners_.at(NodeId{node}).lost(absl::UnavailableError("it has crashed")); }

  std::vector<NodeId> started;
  std::vector<NodeId> stopped;

 private:
  std::map<NodeId, Listener> listeners_;
};

class ClusterFleetTest : public ::testing::Test {
 protected:
  static constexpr absl::Duration kLong = absl::Seconds(30);

  ClusterFleetTest() {
    fleet_.Watch({.replica = [this](std::uint32_t, std::string text, auto) { told_.push_back(std::move(text)); },
                  .held = [](std::int64_t) {}});
    cluster_.StartEmpty(1);
    strand_.Run();
  }
  ~ClusterFleetTest() override {
    cluster_.Stop();
    strand_.Run();
  }

  const cluster::Node& Node(std::uint32_t node) const { return *cluster_.Find(NodeId{node}); }
  std::string State(std::uint32_t node) const { return std::string(Node(node).state()); }
  bool Until(const std::function<bool()>& holds) { return strand_.RunUntil(holds, kLong); }
  bool UntilReady(int ready) {
    const bool came = Until([&] { return fleet_.counts().ready == ready; });
    strand_.Run();  // it is told
    return came;
  }
  // So many are ready, with the lowest numbers.
  void HaveReady(std::uint32_t replicas) {
    fleet_.Resize(static_cast<int>(replicas));
    for (std::uint32_t node = 1; node <= replicas; ++node) supply_.Ready(node);
    ASSERT_TRUE(UntilReady(static_cast<int>(replicas)));
  }

  // Its user function has something in hand that keeps it from leaving.
  void BeBusy(std::uint32_t node) { cluster_.Find(NodeId{node})->load().user_function.Begin(strand_.Now()); }
  void BeIdle(std::uint32_t node) {
    cluster_.Find(NodeId{node})->load().user_function.End(strand_.Now(), absl::ZeroDuration());
  }

  testing::VirtualStrand strand_;
  testing::MemoryJournal journal_;
  trace::Recorder recorder_{100};
  base::Random random_{1};
  cluster::Cluster cluster_{{}, strand_, random_, journal_, [](const std::string&) {}};
  routing::Gateway gateway_{{}, cluster_, recorder_, [](const std::string&) {}};
  FakeSupply supply_;
  std::vector<std::string> told_;
  ClusterFleet fleet_{strand_, cluster_, gateway_, supply_, 10};
};

TEST_F(ClusterFleetTest, AReplicaHasNoNodeUntilItsUserFunctionIsReady) {
  fleet_.Resize(1);
  strand_.Advance(kLong);
  EXPECT_EQ(State(1), "stopped");
  EXPECT_EQ(fleet_.counts().starting, 1);
  EXPECT_EQ(fleet_.counts().ready, 0);
}

TEST_F(ClusterFleetTest, TheFirstReplicaServesAsSoonAsItsUserFunctionIsReady) {
  fleet_.Resize(1);
  supply_.Ready(1);
  strand_.Run();  // without any time
  EXPECT_EQ(fleet_.counts().ready, 1);
  EXPECT_EQ(State(1), "up");
  EXPECT_TRUE(gateway_.Availability().ok()) << gateway_.Availability();
}

TEST_F(ClusterFleetTest, ReplicasMayBecomeReadyInAnyOrder) {
  fleet_.Resize(3);
  for (const std::uint32_t node : {3U, 1U, 2U}) {
    supply_.Ready(node);
    strand_.Advance(absl::Milliseconds(1));
  }
  EXPECT_TRUE(UntilReady(3));
  EXPECT_TRUE(Until([&] { return cluster_.Converged(); }));
}

TEST_F(ClusterFleetTest, AColdStartIsCountedFromTheDecision) {
  fleet_.Resize(1);
  strand_.Advance(absl::Milliseconds(700));
  EXPECT_FALSE(fleet_.Describe().at(0).has_cold_start());
  supply_.Ready(1);
  strand_.Run();
  EXPECT_EQ(base::FromDuration(fleet_.Describe().at(0).cold_start()), absl::Milliseconds(700));
  EXPECT_THAT(told_, Contains("node 1 is ready, 700ms after it was asked for"));
}

TEST_F(ClusterFleetTest, TheHighestNumbersAreDrained) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(3));
  fleet_.Resize(1);
  EXPECT_EQ(fleet_.counts().draining, 2);
  ASSERT_TRUE(Until([&] { return fleet_.counts().draining == 0; }));
  EXPECT_EQ(State(1), "up");
  EXPECT_EQ(State(2), "removed");
  EXPECT_EQ(State(3), "removed");
}

TEST_F(ClusterFleetTest, AUserFunctionStaysUntilItsNodeHasLeft) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(2));
  fleet_.Resize(1);
  ASSERT_TRUE(Until([&] { return State(2) == "leaving"; }));
  EXPECT_THAT(supply_.stopped, IsEmpty());
  ASSERT_TRUE(Until([&] { return Node(2).membership() == nullptr; }));
  strand_.Run();
  EXPECT_THAT(supply_.stopped, ElementsAre(NodeId{2}));
}

TEST_F(ClusterFleetTest, OneThatIsStillStartingIsTheFirstToGo) {
  fleet_.Resize(3);
  supply_.Ready(1);
  supply_.Ready(3);
  ASSERT_TRUE(UntilReady(2));
  fleet_.Resize(2);
  EXPECT_THAT(supply_.stopped, ElementsAre(NodeId{2}));
  EXPECT_EQ(fleet_.counts().draining, 0);
}

TEST_F(ClusterFleetTest, AllCanGo) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(3));
  fleet_.Resize(0);
  ASSERT_TRUE(Until([&] { return fleet_.Describe().empty(); }));
  EXPECT_EQ(supply_.stopped.size(), 3U);
  EXPECT_EQ(supply_.stopped.back(), NodeId{1});
}

TEST_F(ClusterFleetTest, FromZeroTheOneThatLeftLastIsTheFirstToStart) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(2));
  ASSERT_TRUE(cluster_.Drain(NodeId{1}).ok());
  ASSERT_TRUE(UntilReady(1));
  ASSERT_TRUE(Until([&] { return fleet_.counts().draining == 0; }));
  fleet_.Resize(0);
  ASSERT_TRUE(Until([&] { return fleet_.Describe().empty(); }));
  supply_.started.clear();
  fleet_.Resize(2);
  EXPECT_THAT(supply_.started, ElementsAre(NodeId{2}, NodeId{1}));
}

TEST_F(ClusterFleetTest, FromZeroAReplicaServesAtOnce) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(2));
  fleet_.Resize(0);
  ASSERT_TRUE(Until([&] { return fleet_.Describe().empty(); }));
  fleet_.Resize(1);
  supply_.Ready(1);
  strand_.Run();
  EXPECT_EQ(fleet_.counts().ready, 1);
}

TEST_F(ClusterFleetTest, OneThatDoesNotKnowYetThatItIsToGoIsCalledBack) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(3));
  fleet_.Resize(0);
  strand_.Run();  // the last one waits for the others
  fleet_.Resize(1);
  EXPECT_EQ(fleet_.counts().ready, 1);
  ASSERT_TRUE(Until([&] { return fleet_.counts().draining == 0; }));
  EXPECT_EQ(State(1), "up");
  EXPECT_EQ(supply_.started.size(), 3U);
}

TEST_F(ClusterFleetTest, OneThatIsDrainingIsNotCalledBack) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(2));
  fleet_.Resize(1);
  ASSERT_TRUE(Until([&] { return State(2) == "leaving"; }));
  fleet_.Resize(2);
  EXPECT_EQ(supply_.started.back(), NodeId{3});
}

TEST_F(ClusterFleetTest, AReplicaThatHasLostItsUserFunctionIsStartingAgain) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(1));
  supply_.Lose(1);
  strand_.Run();
  EXPECT_EQ(fleet_.counts().ready, 0);
  EXPECT_EQ(fleet_.counts().starting, 1);
  EXPECT_EQ(told_.back(), "node 1 has lost its user function");
  supply_.Ready(1);
  strand_.Run();
  EXPECT_EQ(fleet_.counts().ready, 1);
  EXPECT_EQ(told_.back(), "node 1 is ready again");
}

TEST_F(ClusterFleetTest, AUserFunctionThatIsLostBeforeItsNodeIsUpMayComeBack) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(1));
  fleet_.Resize(2);
  supply_.Ready(2);
  strand_.Run();
  ASSERT_EQ(State(2), "joining");
  supply_.Lose(2);
  ASSERT_TRUE(Until([&] { return State(2) == "up"; }));
  EXPECT_EQ(fleet_.counts().ready, 1);
  supply_.Ready(2);
  strand_.Run();
  EXPECT_EQ(fleet_.counts().ready, 2);
}

TEST_F(ClusterFleetTest, AReplicaThatIsKilledIsReplacedByTheNextResize) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(2));
  ASSERT_TRUE(cluster_.Kill(NodeId{2}).ok());
  strand_.Run();
  EXPECT_EQ(told_.back(), "node 2 was killed");
  EXPECT_THAT(supply_.stopped, ElementsAre(NodeId{2}));
  EXPECT_EQ(fleet_.counts().starting, 0);
  fleet_.Resize(2);
  EXPECT_EQ(supply_.started.back(), NodeId{2});
}

TEST_F(ClusterFleetTest, AReplicaThatJoinsBeginsAnewWhereTheOnlyMemberIsKilled) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(1));
  fleet_.Resize(2);
  supply_.Ready(2);
  strand_.Run();
  ASSERT_EQ(State(2), "joining");
  ASSERT_TRUE(cluster_.Kill(NodeId{1}).ok());
  strand_.Run();
  EXPECT_EQ(State(2), "up");
}

TEST_F(ClusterFleetTest, ANodeThatIsStartedByHandIsAReplica) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(1));
  ASSERT_TRUE(cluster_.AddNode().ok());
  strand_.Run();
  EXPECT_EQ(supply_.started.back(), NodeId{2});
  supply_.Ready(2);
  EXPECT_TRUE(UntilReady(2));
  fleet_.Resize(1);
  EXPECT_TRUE(Until([&] { return State(2) == "removed"; }));
}

TEST_F(ClusterFleetTest, AReplicaThatIsStillJoiningGoesAtOnce) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(1));
  fleet_.Resize(2);
  supply_.Ready(2);
  strand_.Run();
  ASSERT_EQ(State(2), "joining");
  fleet_.Resize(1);
  EXPECT_EQ(fleet_.counts().draining, 1);
  strand_.Run();  // without any time
  EXPECT_EQ(State(2), "removed");
  EXPECT_EQ(told_.back(), "node 2 has gone");
  strand_.Advance(kLong);
  EXPECT_TRUE(cluster_.Converged()) << "nobody misses it";
}

TEST_F(ClusterFleetTest, OneThatCannotJoinDoesNotKeepTheOthers) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(3));
  ASSERT_TRUE(cluster_.Partition({{NodeId{1}, NodeId{2}}, {NodeId{3}}}).ok());
  ASSERT_TRUE(Until([&] { return State(3) == "joining"; }));
  fleet_.Resize(0);
  EXPECT_TRUE(Until([&] { return fleet_.Describe().empty(); }));
}

// What node 3 knows is from before it was cut off.
TEST_F(ClusterFleetTest, OneThatOnlyJoinedIsNotTheOneThatLeftLast) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(3));
  ASSERT_TRUE(cluster_.Partition({{NodeId{1}, NodeId{2}}, {NodeId{3}}}).ok());
  ASSERT_TRUE(Until([&] { return State(3) == "joining"; }));
  for (const std::uint32_t node : {1U, 2U, 3U}) ASSERT_TRUE(cluster_.Kill(NodeId{node}).ok());
  strand_.Run();
  fleet_.Resize(1);
  EXPECT_EQ(supply_.started.back(), NodeId{2});
}

// It is cut off from the other, which has gone, and would wait for it for ever.
TEST_F(ClusterFleetTest, OneThatWasLeftBehindWhileItWasLeavingGoesAsWell) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(2));
  BeBusy(2);
  fleet_.Resize(0);
  strand_.Run();
  ASSERT_EQ(State(2), "leaving");
  ASSERT_TRUE(cluster_.Kill(NodeId{1}).ok());
  EXPECT_TRUE(Until([&] { return fleet_.Describe().empty(); }));
  BeIdle(2);
}

TEST_F(ClusterFleetTest, OneThatWasLeftBehindAndIsWantedServesAgain) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(2));
  BeBusy(2);
  fleet_.Resize(0);
  strand_.Run();
  ASSERT_TRUE(cluster_.Kill(NodeId{1}).ok());
  ASSERT_TRUE(Until([&] { return State(2) == "down"; }));
  fleet_.Resize(1);  // it does not know any more that it is to go
  BeIdle(2);
  EXPECT_TRUE(UntilReady(1));
  EXPECT_EQ(supply_.started.size(), 2U);
}

// Being the older one it stays what it is, and has nobody to give its shards to.
TEST_F(ClusterFleetTest, TheOlderOfTwoThatWasLeavingGoesAsTheLastOne) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(2));
  BeBusy(1);
  ASSERT_TRUE(cluster_.Drain(NodeId{1}).ok());
  strand_.Run();
  ASSERT_TRUE(cluster_.Kill(NodeId{2}).ok());
  strand_.Advance(absl::Seconds(1));
  BeIdle(1);
  EXPECT_TRUE(Until([&] { return fleet_.Describe().empty(); }));
}

TEST_F(ClusterFleetTest, TheLastOneWaitsForAnotherThatIsPausedAndDoesNotKnowYetThatItLeaves) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(2));
  ASSERT_TRUE(cluster_.Pause(NodeId{2}, absl::Seconds(1)).ok());
  fleet_.Resize(0);
  strand_.Run();
  EXPECT_EQ(State(1), "up");
  EXPECT_TRUE(Until([&] { return fleet_.Describe().empty(); }));
}

TEST_F(ClusterFleetTest, AllThatCrashAtOnceServeAgainAtOnce) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(3));
  ASSERT_TRUE(cluster_.CrashAll().ok());
  strand_.Run();
  EXPECT_EQ(fleet_.counts().ready, 1);
  EXPECT_TRUE(UntilReady(3));
}

TEST_F(ClusterFleetTest, OneThatStartsWhileTheLastOneLeavesGivesWayToIt) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(1));
  BeBusy(1);
  fleet_.Resize(0);
  strand_.Run();
  ASSERT_EQ(State(1), "leaving");
  fleet_.Resize(2);
  EXPECT_THAT(supply_.started, ElementsAre(NodeId{1}, NodeId{2}, NodeId{3}));
  BeIdle(1);
  ASSERT_TRUE(Until([&] { return supply_.stopped.size() == 2; }));
  EXPECT_THAT(supply_.stopped, ElementsAre(NodeId{1}, NodeId{3}));
  EXPECT_EQ(supply_.started.back(), NodeId{1});
  supply_.Ready(2);
  strand_.Run();
  EXPECT_EQ(State(2), "stopped") << "it waits for the one that knows most";
  supply_.Ready(1);
  strand_.Run();
  EXPECT_EQ(State(1), "up");
  EXPECT_TRUE(UntilReady(2));
}

// It is not needed then after all: the other need not wait for it.
TEST_F(ClusterFleetTest, WhoWaitsForTheOneThatLeftLastBeginsWhereThatIsNotToStart) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(2));
  ASSERT_TRUE(cluster_.Drain(NodeId{1}).ok());
  ASSERT_TRUE(Until([&] { return State(1) == "removed"; }));
  fleet_.Resize(0);
  ASSERT_TRUE(Until([&] { return fleet_.Describe().empty(); }));
  fleet_.Resize(2);
  supply_.Ready(1);
  strand_.Run();
  ASSERT_EQ(State(1), "removed");
  fleet_.Resize(1);  // node 2 goes, which is still starting
  strand_.Run();
  EXPECT_EQ(State(1), "up");
}

TEST_F(ClusterFleetTest, NothingIsStartedOnceTheEmulatorEnds) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(1));
  fleet_.End();
  fleet_.Resize(2);
  ASSERT_TRUE(cluster_.Kill(NodeId{1}).ok());
  strand_.Advance(absl::Seconds(5));
  EXPECT_THAT(supply_.started, ElementsAre(NodeId{1}));
}

TEST_F(ClusterFleetTest, ThereAreNoMoreReplicasThanNodesCanBe) {
  fleet_.Resize(1'000);
  EXPECT_EQ(fleet_.counts().starting, static_cast<int>(cluster::Cluster::kMostNodes));
}

TEST_F(ClusterFleetTest, ReportsTellWhatANodeDidSinceTheLastOnes) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(1));
  trace::NodeLoad& load = cluster_.Find(NodeId{1})->load();
  fleet_.TakeReports();
  load.requests.Begin(strand_.Now());
  load.requests.Begin(strand_.Now());
  strand_.Advance(absl::Seconds(1));
  load.requests.End(strand_.Now(), absl::Seconds(1));
  strand_.Advance(absl::Seconds(3));
  const std::vector<NodeReport> reports = fleet_.TakeReports();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].node, 1U);
  EXPECT_EQ(reports[0].length, absl::Seconds(4));
  // Two for one second and one for three.
  EXPECT_EQ(reports[0].requests, (Usage{.concurrency = 1.25, .time = absl::Seconds(1), .count = 1}));
  EXPECT_EQ(fleet_.Describe().at(0).load().requests().concurrency(), 1.25);
  strand_.Advance(absl::Seconds(1));
  EXPECT_EQ(fleet_.TakeReports()[0].requests, (Usage{.concurrency = 1, .time = {}, .count = 0}));
}

// Worked by hand: of five calls that come to the only place of the only replica, one has it and four wait; after 3 s
// one more comes, and waits for 1 s. In 4 s these are 1 + 4 + 1 / 4 requests on average, and by a target of 2 each
// three replicas.
TEST_F(ClusterFleetTest, WhatWaitsForAPlaceIsARequestOfItsReplica) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(1));
  fleet_.SetDispatch(/*activator_in_path=*/false, 1);
  fleet_.TakeReports();
  cluster_.Find(NodeId{1})->load().requests.Begin(strand_.Now());
  const auto wait = [this] {
    gateway_.Start({.service = "a.Service", .method = "M", .payload = "", .metadata = {}, .deadline = {}, .peer = ""},
                   std::make_shared<routing::FakeClient>());
    strand_.Run();
  };
  for (int i = 0; i < 4; ++i) wait();
  EXPECT_EQ(fleet_.held_calls(), 4);
  strand_.Advance(absl::Seconds(3));
  wait();
  strand_.Advance(absl::Seconds(1));
  const std::vector<NodeReport> reports = fleet_.TakeReports();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].requests.concurrency, 5.25);
  EXPECT_EQ(reports[1].node, 0U);
  EXPECT_EQ(reports[1].requests.concurrency, 0) << "that is of calls for any replica";

  Settings settings;
  settings.mode = Mode::kCloudstate;
  settings.cloudstate.request_target_concurrency = 2;
  Autoscaler autoscaler(settings.mode);
  const Measurement measurement{.now = strand_.Now(), .ready = 1, .wanted = 1, .upgrading = false, .reports = reports};
  EXPECT_EQ(autoscaler.Decide(settings, measurement).wanted, 3);
  gateway_.EndHeldCalls(absl::UnavailableError("the test is over"));
  cluster_.Find(NodeId{1})->load().requests.End(strand_.Now(), absl::Seconds(4));
}

TEST_F(ClusterFleetTest, TheActivatorReportsAsNodeZero) {
  strand_.Advance(absl::Seconds(1));
  const std::vector<NodeReport> reports = fleet_.TakeReports();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].node, 0U);
  EXPECT_EQ(reports[0].requests, Usage{});
}

TEST_F(ClusterFleetTest, ReportsOfAReplicaBeginWhenItIsReady) {
  fleet_.Resize(1);
  strand_.Advance(absl::Seconds(5));
  EXPECT_EQ(fleet_.TakeReports().size(), 1U);
  supply_.Ready(1);
  strand_.Run();
  strand_.Advance(absl::Seconds(2));
  EXPECT_EQ(fleet_.TakeReports().at(0).length, absl::Seconds(2));
}

TEST_F(ClusterFleetTest, AReplicaIsDescribedWithItsProcess) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(1));
  const dev::v1::Replica replica = fleet_.Describe().at(0);
  EXPECT_EQ(replica.node(), 1);
  EXPECT_EQ(replica.state(), "ready");
  EXPECT_EQ(replica.pid(), 1001);
  EXPECT_EQ(replica.user_function_address(), "here:1");
}

TEST_F(ClusterFleetTest, EachStageIsTold) {
  ASSERT_NO_FATAL_FAILURE(HaveReady(1));
  told_.clear();
  fleet_.Resize(2);
  supply_.Ready(2);
  ASSERT_TRUE(UntilReady(2));
  fleet_.Resize(1);
  ASSERT_TRUE(Until([&] { return fleet_.counts().draining == 0; }));
  EXPECT_THAT(told_, ElementsAre("node 2 is starting", "node 2 is joining", StartsWith("node 2 is ready, "),
                                 "node 2 is draining", "node 2 has gone"));
}

}  // namespace
}  // namespace cloudstate::scaling
