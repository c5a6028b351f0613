// Scaling by the admin contract.

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "emulator/admin/scaling_watching.h"
#include "emulator/runtime/scaling_views.h"
#include "tests/support/memory_journal.h"
#include "tests/support/virtual_strand.h"
#include "tests/unit/admin_test_support.h"

namespace cloudstate::admin {
namespace {

using ::testing::HasSubstr;

class AdminScaling : public AdminBackendTest {
 protected:
  static dev::v1::ScalingEvent ScalingEventOf(const std::string& kind) {
    dev::v1::ScalingEvent event;
    event.set_kind(kind);
    return event;
  }
  static dev::v1::CallTimes TimesOf(int calls) {
    dev::v1::CallTimes times;
    for (int i = 0; i < calls; ++i) times.add_at(i);
    return times;
  }
};

TEST_F(AdminScaling, TellsItsState) {
  live_.scaling.set_mode("knative");
  auto responder = StartOfScaling("GetScaling", dev::v1::GetScalingRequest());
  EXPECT_EQ(responder->WaitForMessages<dev::v1::ScalingState>(1)[0].mode(), "knative");
  EXPECT_TRUE(responder->WaitForEnd().ok());
}

TEST_F(AdminScaling, IsSetAndTellsWhatCameOfIt) {
  live_.scaling.set_mode("manual");
  dev::v1::SetScalingRequest request;
  request.set_replicas(3);
  auto responder = StartOfScaling("SetScaling", request);
  EXPECT_EQ(responder->WaitForMessages<dev::v1::ScalingState>(1)[0].wanted(), 3);
}

TEST_F(AdminScaling, TellsWhyItCannotBeSet) {
  live_.scaling.set_mode("off");
  const absl::Status status = StartOfScaling("SetScaling", dev::v1::SetScalingRequest())->WaitForEnd();
  EXPECT_EQ(status, absl::FailedPreconditionError("scaling is off"));
}

TEST_F(AdminScaling, IsNotSetWhereNobodyMayChangeAnything) {
  backend_ = nullptr;
  backend_ = std::make_unique<AdminBackend>(
      live_, control_,
      AdminBackend::Options{.open_journal = [this]() -> absl::StatusOr<std::unique_ptr<journal::Browser>> {
                              return std::make_unique<SharedBrowser>(journal_);
                            },
                            .descriptor_sets = {},
                            .access = {.token = "", .read_only = true}});
  EXPECT_TRUE(absl::IsPermissionDenied(StartOfScaling("SetScaling", dev::v1::SetScalingRequest())->WaitForEnd()));
  EXPECT_TRUE(StartOfScaling("GetScaling", dev::v1::GetScalingRequest())->WaitForEnd().ok());
}

TEST_F(AdminScaling, ListsEvents) {
  auto responder = StartOfScaling("ListScalingEvents", dev::v1::ListScalingEventsRequest());
  EXPECT_EQ(responder->WaitForMessages<dev::v1::ListScalingEventsResponse>(1)[0].events(0).text(), "scaling 1 → 3");
}

TEST_F(AdminScaling, IsFollowedFromTheNewestEventsThatAreKept) {
  dev::v1::WatchScalingEventsRequest request;
  request.set_newest(2);
  auto responder = StartOfScaling("WatchScalingEvents", request);
  live_.WaitForWatchers(1);
  live_.scaling_event_watcher(ScalingEventOf("decision"));
  EXPECT_EQ(responder->WaitForMessages<dev::v1::ScalingEvent>(3)[2].kind(), "decision");
  responder->Cancel();
  live_.WaitForWatchers(0);
}

TEST_F(AdminScaling, IsNotFollowedFromFewerThanNoEvents) {
  dev::v1::WatchScalingEventsRequest request;
  request.set_newest(-1);
  EXPECT_TRUE(absl::IsInvalidArgument(StartOfScaling("WatchScalingEvents", request)->WaitForEnd()));
}

TEST_F(AdminScaling, TellsASlowReaderHowManyEventsItMissed) {
  auto responder = StartOfScaling("WatchScalingEvents", dev::v1::WatchScalingEventsRequest(), /*taking=*/false);
  live_.WaitForWatchers(1);
  constexpr int kEvents = 1'500;
  for (int i = 0; i < kEvents; ++i) live_.scaling_event_watcher(ScalingEventOf("tick"));
  responder->TakeAll(true);
  int seen = 0;
  int gaps = 0;
  for (std::size_t asked = 1; seen < kEvents; ++asked) {
    const auto all = responder->WaitForMessages<dev::v1::ScalingEvent>(asked);
    ASSERT_GE(all.size(), asked) << "it says nothing more";
    asked = all.size();
    seen = gaps = 0;
    for (const dev::v1::ScalingEvent& each : all) {
      int missed = 1;
      if (each.kind() == "missed") {
        ASSERT_TRUE(absl::SimpleAtoi(each.text().substr(0, each.text().find(' ')), &missed)) << each.text();
        ++gaps;
      }
      seen += missed;
    }
  }
  EXPECT_EQ(seen, kEvents);
  EXPECT_GE(gaps, 1);
}

TEST_F(AdminScaling, RecordsCallsAsTheyEnd) {
  auto responder = StartOfScaling("RecordCalls", dev::v1::RecordCallsRequest());
  live_.WaitForWatchers(1);
  live_.call_times_watcher(TimesOf(3));
  EXPECT_EQ(responder->WaitForMessages<dev::v1::CallTimes>(1)[0].at_size(), 3);
  responder->Cancel();
  live_.WaitForWatchers(0);
}

TEST(CallTimesQueue, KeepsTheNewestCallsAndCountsTheOthers) {
  CallTimesQueue queue(10);
  for (const int calls : {4, 5, 6, 1}) {
    dev::v1::CallTimes times;
    for (int i = 0; i < calls; ++i) times.add_at(i);
    queue.Add(std::move(times));
  }
  const auto first = queue.Take();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->at_size(), 6);
  EXPECT_EQ(first->missed(), 9);
  const auto second = queue.Take();
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->missed(), 0) << "told once";
  EXPECT_FALSE(queue.Take().has_value());
}

class ScalingViews : public ::testing::Test {
 protected:
  ~ScalingViews() override {
    cluster_.Stop();
    strand_.Run();
  }

  testing::VirtualStrand strand_;
  base::Random random_{1};
  testing::MemoryJournal journal_;
  cluster::Cluster cluster_{cluster::Node::Options(), strand_, random_, journal_, [](const std::string&) {}};
};

TEST_F(ScalingViews, TellThatItIsOffAndHowManyNodesThereAre) {
  cluster_.Start(3);
  strand_.Run();
  const dev::v1::ScalingState state = runtime::GetScaling(nullptr, cluster_);
  EXPECT_EQ(state.mode(), "off");
  EXPECT_EQ(state.ready(), 3);
  EXPECT_EQ(static_cast<std::size_t>(state.settings_size()), scaling::AllSettings().size());
  for (const dev::v1::ScalingSetting& setting : state.settings()) {
    EXPECT_EQ(setting.value(), setting.default_value()) << setting.name();
    EXPECT_FALSE(setting.help().empty()) << setting.name();
  }
}

TEST_F(ScalingViews, TellHowToTurnItOn) {
  const absl::Status status = runtime::SetScaling(nullptr, dev::v1::SetScalingRequest()).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("run --scaling manual"));
}

TEST_F(ScalingViews, HaveNoEventsWhileItIsOff) {
  const auto events = runtime::ListScalingEvents(nullptr, dev::v1::ListScalingEventsRequest());
  ASSERT_TRUE(events.ok()) << events.status();
  EXPECT_EQ(events->events_size(), 0);
}

TEST_F(ScalingViews, RefuseToListFewerThanNoEvents) {
  dev::v1::ListScalingEventsRequest request;
  request.set_limit(-1);
  EXPECT_TRUE(absl::IsInvalidArgument(runtime::ListScalingEvents(nullptr, request).status()));
}

}  // namespace
}  // namespace cloudstate::admin
