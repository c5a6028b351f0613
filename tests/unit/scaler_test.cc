// What makes replicas more or fewer: ticks, calls that are held, and people.

#include "emulator/scaling/scaler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "emulator/base/proto_time.h"
#include "tests/support/virtual_strand.h"

namespace cloudstate::scaling {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Does what a fleet does only when a test says so.
class FakeFleet final : public Fleet {
 public:
  void Watch(Watcher its_watcher) override { watcher = std::move(its_watcher); }
  void Resize(int its_wanted) override {
    wanted = its_wanted;
    ++resized;
    now.starting = std::max(0, wanted - now.ready);
  }
  Counts counts() const override { return now; }
  std::int64_t held_calls() const override { return held; }
  std::vector<NodeReport> TakeReports() override {
    ++taken;
    return reports;
  }
  void SetDispatch(bool activator_in_path, int container_concurrency) override {
    in_path = activator_in_path;
    most_at_once = container_concurrency;
  }
  std::vector<dev::v1::Replica> Describe() const override { return replicas; }

  void Hold(std::int64_t calls) {
    held = calls;
    watcher.held(calls);
  }
  // All that start are ready.
  void GetReady() { now.ready += std::exchange(now.starting, 0); }

  Watcher watcher;
  Counts now;
  std::int64_t held = 0;
  std::vector<NodeReport> reports;
  std::vector<dev::v1::Replica> replicas;
  int wanted = -1;
  int resized = 0;
  int taken = 0;
  bool in_path = false;
  int most_at_once = -1;
};

class ScalerTest : public ::testing::Test {
 protected:
  void Start(Mode mode, int initial) {
    settings_.mode = mode;
    scaler_ = std::make_unique<Scaler>(settings_, initial, true, strand_, fleet_);
    fleet_.GetReady();
  }
  absl::Status SetReplicas(int replicas) {
    dev::v1::SetScalingRequest request;
    request.set_replicas(replicas);
    return scaler_->Set(request);
  }
  absl::Status SetMode(const std::string& mode) {
    dev::v1::SetScalingRequest request;
    request.set_mode(mode);
    return scaler_->Set(request);
  }
  // "kind: text", oldest first.
  std::vector<std::string> Events(bool ticks = false) const {
    std::vector<std::string> texts;
    for (const Scaler::Event& event : scaler_->Newest(10'000, ticks))
      texts.push_back(event.kind() + ": " + event.text());
    return texts;
  }
  // The calls that were open on each of the nodes that are ready, all the time, until now.
  void ReportConcurrency(double concurrency) {
    fleet_.reports.clear();
    for (int node = 1; node <= fleet_.now.ready; ++node) {
      NodeReport& report = fleet_.reports.emplace_back();
      report.node = static_cast<std::uint32_t>(node);
      report.end = strand_.Now() + settings_.tick;
      report.length = settings_.tick;
      report.requests.concurrency = concurrency;
      report.user_function.concurrency = concurrency;
      report.requests.count = report.user_function.count = 1;
    }
  }
  void NextTick() { strand_.Advance(settings_.tick); }

  testing::VirtualStrand strand_;
  FakeFleet fleet_;
  Settings settings_;
  std::unique_ptr<Scaler> scaler_;
};

TEST_F(ScalerTest, HasTheFirstReplicasAtOnce) {
  Start(Mode::kManual, 2);
  EXPECT_EQ(fleet_.wanted, 2);
}

TEST_F(ScalerTest, HasAsManyReplicasAsSomebodySaysAtOnce) {
  Start(Mode::kManual, 1);
  EXPECT_EQ(SetReplicas(3), absl::OkStatus());
  EXPECT_EQ(fleet_.wanted, 3);
  EXPECT_THAT(Events(), ElementsAre("set: set by hand: 3 replicas"));
}

TEST_F(ScalerTest, TellsHowManyReplicasWereAndAreWanted) {
  Start(Mode::kManual, 1);
  ASSERT_TRUE(SetReplicas(3).ok());
  const Scaler::Event event = scaler_->Newest(1, false).at(0);
  EXPECT_EQ(event.wanted_before(), 1);
  EXPECT_EQ(event.wanted(), 3);
  EXPECT_EQ(event.ready(), 1);
  EXPECT_EQ(base::FromTimestamp(event.time()), strand_.WallTime());
}

TEST_F(ScalerTest, RefusesMoreReplicasThanThereMayBe) {
  settings_.max_scale = 3;
  Start(Mode::kManual, 1);
  for (const int replicas : {-1, 4}) {
    const absl::Status status = SetReplicas(replicas);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("0 to 3 replicas"));
  }
  EXPECT_EQ(fleet_.wanted, 1);
  EXPECT_EQ(SetReplicas(3), absl::OkStatus());
}

TEST_F(ScalerTest, MayHaveNoReplicaAtAll) {
  Start(Mode::kManual, 1);
  EXPECT_EQ(SetReplicas(0), absl::OkStatus());
  EXPECT_EQ(fleet_.wanted, 0);
}

TEST_F(ScalerTest, ReplacesAReplicaThatWasLostAtTheNextTick) {
  Start(Mode::kManual, 2);
  fleet_.now.ready = 1;
  const int before = fleet_.resized;
  NextTick();
  EXPECT_EQ(fleet_.resized, before + 1);
  EXPECT_EQ(fleet_.wanted, 2);
}

TEST_F(ScalerTest, ReplacesTheLastReplicaAtOnceWhenACallWaitsForIt) {
  Start(Mode::kManual, 1);
  fleet_.now = {};
  const int before = fleet_.resized;
  fleet_.Hold(1);
  strand_.Run();
  EXPECT_EQ(fleet_.resized, before + 1);
  EXPECT_EQ(fleet_.now.starting, 1);
}

TEST_F(ScalerTest, LeavesItToPeopleToStartTheFirstReplicaWhenTheySayHowMany) {
  Start(Mode::kManual, 0);
  fleet_.Hold(1);
  strand_.Run();
  EXPECT_EQ(fleet_.wanted, 0);
  EXPECT_THAT(Events(), ElementsAre(AllOf(HasSubstr("1 call is held"), HasSubstr("scale set 1"))));
}

TEST_F(ScalerTest, AsksForReportsOnceATick) {
  Start(Mode::kManual, 1);
  NextTick();
  NextTick();
  EXPECT_EQ(fleet_.taken, 2);
}

TEST_F(ScalerTest, StartsAReplicaAtOnceWhenACallIsHeldAndThereIsNone) {
  for (const Mode mode : {Mode::kKnative, Mode::kCloudstate}) {
    fleet_ = FakeFleet();
    Start(mode, 0);
    fleet_.Hold(1);
    EXPECT_EQ(fleet_.wanted, 0) << "within the call of the fleet";
    strand_.Run();
    EXPECT_EQ(fleet_.wanted, 1) << ModeName(mode);
  }
}

TEST_F(ScalerTest, TellsWhyItStartedTheFirstReplica) {
  Start(Mode::kKnative, 0);
  fleet_.reports = {{.node = 0,
                     .end = strand_.Now(),
                     .length = absl::ZeroDuration(),
                     .requests = {},
                     .user_function = {},
                     .journal = {}}};
  fleet_.Hold(1);
  strand_.Run();
  EXPECT_THAT(Events(), ElementsAre("activator: 1 call is held: no replica is ready", HasSubstr("scaling 0 → 1")));
  EXPECT_TRUE(scaler_->Describe().has_last_decision());
}

TEST_F(ScalerTest, StartsOneReplicaForManyCallsThatAreHeldAtOnce) {
  Start(Mode::kKnative, 0);
  for (int calls = 1; calls <= 5; ++calls) fleet_.Hold(calls);
  strand_.Run();
  fleet_.Hold(6);
  strand_.Run();
  EXPECT_EQ(fleet_.resized, 2) << "at the start, and for the calls";
}

TEST_F(ScalerTest, TellsOnceThatCallsAreHeldAndOnceThatTheyNoLongerAre) {
  Start(Mode::kManual, 1);
  fleet_.now = {.starting = 1};
  for (int calls = 1; calls <= 5; ++calls) fleet_.Hold(calls);
  strand_.Advance(absl::Milliseconds(300));
  for (int calls = 4; calls >= 0; --calls) fleet_.Hold(calls);
  strand_.Advance(absl::Milliseconds(300));
  EXPECT_THAT(Events(), ElementsAre("activator: 1 call is held: no replica is ready",
                                    "activator: no call is held any more, after 300ms; 5 were at once at most"));
}

TEST_F(ScalerTest, IsQuietWhileCallsAreHeldForMomentsBecauseReplicasAreFull) {
  Start(Mode::kManual, 1);
  for (int i = 0; i < 100; ++i) {
    fleet_.Hold(1);
    fleet_.Hold(0);
    strand_.Advance(absl::Milliseconds(10));
  }
  EXPECT_THAT(Events(), ElementsAre("activator: 1 call is held: all replicas have as many calls as they take at once"));
  strand_.Advance(absl::Seconds(1));
  EXPECT_THAT(Events(), ElementsAre(HasSubstr("is held"), HasSubstr("1 was at once at most")));
}

TEST_F(ScalerTest, FollowsTheAlgorithmAndTellsTheNumbersBehindIt) {
  Start(Mode::kCloudstate, 1);
  ReportConcurrency(2.4);
  NextTick();
  EXPECT_EQ(fleet_.wanted, 3);
  const dev::v1::ScalingState state = scaler_->Describe();
  EXPECT_THAT(state.last_decision().text(), HasSubstr("scaling 1 → 3: "));
  EXPECT_EQ(state.last_decision().phase(), "scaling up");
  EXPECT_FALSE(state.last_decision().figures().empty());
  EXPECT_EQ(state.last_decision().kind(), "decision");
}

TEST_F(ScalerTest, KeepsTicksThatChangeNothingApart) {
  Start(Mode::kCloudstate, 1);
  ReportConcurrency(0.9);
  NextTick();
  EXPECT_THAT(Events(), IsEmpty());
  EXPECT_THAT(Events(/*ticks=*/true), ElementsAre(HasSubstr("tick: ")));
  EXPECT_FALSE(scaler_->Describe().has_last_decision());
}

TEST_F(ScalerTest, TellsOfNoTicksWhereNobodyDecides) {
  Start(Mode::kManual, 1);
  NextTick();
  EXPECT_THAT(Events(/*ticks=*/true), IsEmpty());
}

TEST_F(ScalerTest, TellsHowLongAColdStartTook) {
  Start(Mode::kManual, 1);
  fleet_.watcher.replica(2, "node 2 starts", std::nullopt);
  fleet_.watcher.replica(2, "node 2 is ready after 640ms", absl::Milliseconds(640));
  EXPECT_THAT(Events(), ElementsAre("replica: node 2 starts", "replica: node 2 is ready after 640ms"));
  const std::vector<Scaler::Event> events = scaler_->Newest(2, false);
  EXPECT_THAT(events[0].figures(), IsEmpty());
  ASSERT_EQ(events[1].figures_size(), 1);
  EXPECT_EQ(events[1].figures(0).name(), kColdStartFigure);
  EXPECT_DOUBLE_EQ(events[1].figures(0).value(), 0.64);
  EXPECT_EQ(events[1].node(), 2);
}

TEST_F(ScalerTest, ChangesSettingsAllOrNone) {
  Start(Mode::kManual, 1);
  dev::v1::SetScalingRequest request;
  (*request.mutable_settings())["scale-target"] = "7";
  (*request.mutable_settings())["scale-zebra"] = "1";
  request.set_replicas(3);
  const absl::Status status = scaler_->Set(request);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("scale-zebra"));
  EXPECT_EQ(fleet_.wanted, 1);
  const auto value = [this](const std::string& name) {
    const dev::v1::ScalingState state = scaler_->Describe();
    for (const dev::v1::ScalingSetting& setting : state.settings()) {
      if (setting.name() == name) return setting.value();
    }
    return std::string("none");
  };
  const std::string before = value("scale-target");
  request.mutable_settings()->erase("scale-zebra");
  EXPECT_EQ(scaler_->Set(request), absl::OkStatus());
  EXPECT_NE(value("scale-target"), before);
  EXPECT_EQ(value("scale-target"), "7");
  EXPECT_THAT(Events(), ElementsAre("set: set by hand: scale-target = 7, 3 replicas"));
}

TEST_F(ScalerTest, TakesSettingsByKnativesNames) {
  Start(Mode::kManual, 1);
  dev::v1::SetScalingRequest request;
  (*request.mutable_settings())["autoscaling.knative.dev/target"] = "7";
  EXPECT_EQ(scaler_->Set(request), absl::OkStatus());
}

TEST_F(ScalerTest, RefusesSettingsThatContradictEachOther) {
  Start(Mode::kManual, 1);
  dev::v1::SetScalingRequest request;
  request.set_mode("knative");
  (*request.mutable_settings())["min-scale"] = "5";
  (*request.mutable_settings())["max-scale"] = "2";
  EXPECT_TRUE(absl::IsInvalidArgument(scaler_->Set(request)));
  EXPECT_THAT(Events(), IsEmpty());
  EXPECT_EQ(scaler_->Describe().mode(), "manual");
}

TEST_F(ScalerTest, RefusesToChangeWhatHoldsFromTheStartOn) {
  Start(Mode::kManual, 1);
  dev::v1::SetScalingRequest request;
  (*request.mutable_settings())["initial-scale"] = "5";
  const absl::Status status = scaler_->Set(request);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("`cloudstate-dev run`"));
}

TEST_F(ScalerTest, RefusesANumberOfReplicasWhereAnAlgorithmSaysIt) {
  Start(Mode::kKnative, 1);
  const absl::Status status = SetReplicas(3);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("`scale set 3 --mode manual`"));
}

TEST_F(ScalerTest, RefusesARequestForNothing) {
  Start(Mode::kManual, 1);
  EXPECT_TRUE(absl::IsInvalidArgument(scaler_->Set({})));
}

TEST_F(ScalerTest, GoesFromModeToModeButNotOff) {
  Start(Mode::kManual, 1);
  EXPECT_TRUE(absl::IsFailedPrecondition(SetMode("off")));
  EXPECT_TRUE(absl::IsInvalidArgument(SetMode("kubernetes")));
  EXPECT_EQ(SetMode("cloudstate"), absl::OkStatus());
  EXPECT_EQ(scaler_->Describe().mode(), "cloudstate");
  ReportConcurrency(2.4);
  NextTick();
  EXPECT_EQ(fleet_.wanted, 3);
  EXPECT_EQ(SetMode("manual"), absl::OkStatus());
  EXPECT_EQ(fleet_.wanted, 3) << "as many as there were";
  EXPECT_FALSE(scaler_->Describe().has_last_decision());
}

TEST_F(ScalerTest, TakesModeAndReplicasTogether) {
  Start(Mode::kKnative, 1);
  dev::v1::SetScalingRequest request;
  request.set_mode("manual");
  request.set_replicas(4);
  EXPECT_EQ(scaler_->Set(request), absl::OkStatus());
  EXPECT_EQ(fleet_.wanted, 4);
}

TEST_F(ScalerTest, HasFewerReplicasAtOnceWhenFewerMayBe) {
  Start(Mode::kManual, 5);
  dev::v1::SetScalingRequest request;
  (*request.mutable_settings())["max-scale"] = "2";
  EXPECT_EQ(scaler_->Set(request), absl::OkStatus());
  EXPECT_EQ(fleet_.wanted, 2);
}

TEST_F(ScalerTest, TicksAsOftenAsItIsToldFromTheNextTickOn) {
  Start(Mode::kManual, 1);
  dev::v1::SetScalingRequest request;
  (*request.mutable_settings())["scale-tick"] = "1s";
  ASSERT_EQ(scaler_->Set(request), absl::OkStatus());
  strand_.Advance(absl::Seconds(4));
  EXPECT_EQ(fleet_.taken, 3) << "after 2, 3 and 4 seconds";
}

TEST_F(ScalerTest, TellsReplicasHowManyCallsTheyTakeAtOnce) {
  settings_.container_concurrency = 5;
  Start(Mode::kManual, 1);
  EXPECT_EQ(fleet_.most_at_once, 5);
}

TEST_F(ScalerTest, KeepsABoundedNumberOfEvents) {
  Start(Mode::kManual, 1);
  for (std::size_t i = 0; i <= ScalingEvents::kMostEvents; ++i) {
    ASSERT_TRUE(SetReplicas(static_cast<int>(i % 2)).ok());
  }
  EXPECT_EQ(scaler_->Newest(5'000, true).size(), ScalingEvents::kMostEvents);
}

TEST_F(ScalerTest, KeepsABoundedNumberOfTicksWithoutLosingEventsForThem) {
  Start(Mode::kCloudstate, 1);
  ASSERT_TRUE(SetMode("cloudstate").ok());
  for (std::size_t i = 0; i <= ScalingEvents::kMostTicks; ++i) {
    ReportConcurrency(0.9);
    NextTick();
  }
  EXPECT_EQ(scaler_->Newest(5'000, true).size(), ScalingEvents::kMostTicks + 1);
  EXPECT_THAT(scaler_->Newest(5'000, true).front().kind(), "set");
}

TEST_F(ScalerTest, TellsWatchersUntilTheyGo) {
  Start(Mode::kManual, 1);
  int told = 0;
  const std::uint64_t watch = scaler_->Watch([&](const Scaler::Event&) { ++told; });
  ASSERT_TRUE(SetReplicas(2).ok());
  EXPECT_EQ(told, 1);
  scaler_->Unwatch(watch);
  ASSERT_TRUE(SetReplicas(3).ok());
  EXPECT_EQ(told, 1);
}

TEST_F(ScalerTest, DescribesItself) {
  Start(Mode::kManual, 2);
  fleet_.held = 4;
  fleet_.now = {.ready = 1, .starting = 1, .draining = 2};
  fleet_.replicas.resize(4);
  const dev::v1::ScalingState state = scaler_->Describe();
  EXPECT_EQ(state.mode(), "manual");
  EXPECT_EQ(state.wanted(), 2);
  EXPECT_EQ(state.ready(), 1);
  EXPECT_EQ(state.starting(), 1);
  EXPECT_EQ(state.draining(), 2);
  EXPECT_EQ(state.held_calls(), 4);
  EXPECT_EQ(state.replicas_size(), 4);
  EXPECT_TRUE(state.real_processes());
  EXPECT_EQ(static_cast<std::size_t>(state.settings_size()), AllSettings().size());
}

TEST_F(ScalerTest, EndsWithoutLeavingAnythingBehind) {
  Start(Mode::kKnative, 0);
  fleet_.Hold(1);
  scaler_ = nullptr;
  strand_.Advance(absl::Seconds(10));
  EXPECT_EQ(fleet_.wanted, 0);
}

}  // namespace
}  // namespace cloudstate::scaling
