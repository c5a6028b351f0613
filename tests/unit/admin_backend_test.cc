#include "emulator/admin/admin_backend.h"

#include "absl/strings/numbers.h"
#include "google/api/annotations.pb.h"
#include "tests/unit/admin_test_support.h"

namespace cloudstate::admin {
namespace {

TEST_F(AdminBackendTest, ServesEveryMethodOfTheContract) {
  const auto services = backend_->CurrentServices();
  ASSERT_EQ(services->services.size(), 7u);
  for (const google::protobuf::ServiceDescriptor* service : services->services) {
    for (int i = 0; i < service->method_count(); ++i) {
      const google::protobuf::MethodDescriptor& method = *service->method(i);
      auto requests = method.client_streaming() ? std::make_shared<FakeRequests>() : nullptr;
      auto responder =
          Start(method.name(), dev::v1::GetStatusRequest(), /*taking=*/true, requests, service->full_name());
      if (requests != nullptr) {
        requests->HalfClose();
      } else if (method.server_streaming()) {
        responder->Cancel();
      }
      EXPECT_FALSE(absl::IsUnimplemented(responder->WaitForEnd())) << method.full_name();
    }
  }
}

// By the contract's own words: what a GET may ask for changes nothing.
TEST_F(AdminBackendTest, ReadOnlyRefusesWhateverIsNoGet) {
  AdminBackend read_only(live_, control_,
                         AdminBackend::Options{.open_journal = [] { return absl::UnavailableError("none"); },
                                               .descriptor_sets = {},
                                               .access = {.token = "", .read_only = true}});
  for (const google::protobuf::ServiceDescriptor* service : read_only.CurrentServices()->services) {
    for (int i = 0; i < service->method_count(); ++i) {
      const google::protobuf::MethodDescriptor& method = *service->method(i);
      const bool looks = !method.options().GetExtension(google::api::http).get().empty();
      auto responder = std::make_shared<FakeResponder>();
      serving::Call call;
      call.service = service->full_name();
      call.method = method.name();
      read_only.Start(std::move(call), responder);
      if (looks && method.server_streaming()) responder->Cancel();
      EXPECT_EQ(absl::IsPermissionDenied(responder->WaitForEnd()), !looks) << method.full_name();
    }
  }
}

TEST_F(AdminBackendTest, AMethodOfTheOtherServiceIsNoneOfThisOne) {
  const dev::v1::GetStatusRequest empty;
  EXPECT_TRUE(absl::IsUnimplemented(Start("Nothing", empty)->WaitForEnd()));
  EXPECT_TRUE(absl::IsUnimplemented(Start("ListNodes", empty)->WaitForEnd()));
  EXPECT_TRUE(absl::IsUnimplemented(StartOfCluster("GetStatus", empty)->WaitForEnd()));
}

TEST_F(AdminBackendTest, AnswersStatusFromTheRunningEmulator) {
  auto responder = Start("GetStatus", dev::v1::GetStatusRequest());
  EXPECT_TRUE(responder->WaitForEnd().ok());
  EXPECT_EQ(responder->WaitForMessages<dev::v1::Status>(1)[0].version(), "1.2.3");
}

TEST_F(AdminBackendTest, StatusCountsTheEventsThatAreLeft) {
  Store("one");
  Store("two");
  {
    std::lock_guard lock(journal_.mutex);
    journal_.browser.events.erase(journal_.browser.events.begin());
  }
  const auto responder = Start("GetStatus", dev::v1::GetStatusRequest());
  EXPECT_EQ(responder->WaitForMessages<dev::v1::Status>(1)[0].stored_events(), 1);
}

TEST_F(AdminBackendTest, ReadsTheJournal) {
  Store("one");
  auto responder = Start("ListEntities", dev::v1::ListEntitiesRequest());
  EXPECT_TRUE(responder->WaitForEnd().ok());
  EXPECT_EQ(responder->WaitForMessages<dev::v1::ListEntitiesResponse>(1)[0].entities(0).entity_id(), "one");
}

TEST_F(AdminBackendTest, AJournalThatCannotBeOpenedIsToldAndTriedAgain) {
  open_failure_ = absl::DataLossError("damaged");
  EXPECT_EQ(Start("ListEntities", dev::v1::ListEntitiesRequest())->WaitForEnd(), open_failure_);
  open_failure_ = absl::OkStatus();
  EXPECT_TRUE(Start("ListEntities", dev::v1::ListEntitiesRequest())->WaitForEnd().ok());
}

TEST_F(AdminBackendTest, WatchingCatchesUpAndThenFollowsEachEventOnce) {
  Store("one");
  Store("two");
  auto responder = Start("WatchEvents", After(1));
  responder->WaitForMessages<dev::v1::Event>(1);
  Store("three");
  Store("four");
  const auto events = responder->WaitForMessages<dev::v1::Event>(3);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].entity_id(), "two");
  EXPECT_EQ(events[1].entity_id(), "three");
  EXPECT_EQ(events[2].entity_id(), "four");
}

TEST_F(AdminBackendTest, WatchingWithoutAPositionBeginsWithTheNextEvent) {
  Store("old");
  auto responder = Start("WatchEvents", dev::v1::WatchEventsRequest());
  live_.WaitForWatchers(1);
  // It is there before the end of the journal is looked up, so that the first ones may still be old to it.
  for (int i = 0; responder->messages() == 0 && i < 1'000; ++i) {
    Store("new");
    Start("ListEntities", dev::v1::ListEntitiesRequest())->WaitForEnd().IgnoreError();
  }
  EXPECT_EQ(responder->WaitForMessages<dev::v1::Event>(1)[0].entity_id(), "new");
}

TEST_F(AdminBackendTest, AWatcherThatTakesNothingIsWaitedForAndLosesNothing) {
  for (int i = 0; i < 1'000; ++i) Store("one");
  auto responder = Start("WatchEvents", After(0), /*taking=*/false);
  responder->WaitForMessages<dev::v1::Event>(100);
  EXPECT_LT(responder->messages(), 300u);
  responder->TakeAll(true);
  const auto events = responder->WaitForMessages<dev::v1::Event>(1'000);
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].position(), static_cast<std::int64_t>(i) + 1);
}

TEST_F(AdminBackendTest, AWatchEndsWithItsClient) {
  auto responder = Start("WatchEvents", After(0));
  live_.WaitForWatchers(1);
  responder->Cancel();
  EXPECT_TRUE(absl::IsCancelled(responder->WaitForEnd()));
  live_.WaitForWatchers(0);
}

TEST_F(AdminBackendTest, WatchesEndWithTheEmulator) {
  auto events = Start("WatchEvents", After(0));
  auto commands = Start("WatchCommands", dev::v1::WatchCommandsRequest());
  live_.WaitForWatchers(2);
  backend_ = nullptr;
  EXPECT_TRUE(absl::IsUnavailable(events->WaitForEnd()));
  EXPECT_TRUE(absl::IsUnavailable(commands->WaitForEnd()));
  EXPECT_EQ(live_.watchers, 0);
}

TEST_F(AdminBackendTest, CommandsThatASlowWatcherMissedAreCounted) {
  auto responder = Start("WatchCommands", dev::v1::WatchCommandsRequest(), /*taking=*/false);
  live_.WaitForWatchers(1);
  const int sent = 1'000;
  for (int i = 0; i < sent; ++i) EndTrace(absl::StrCat(i));
  responder->TakeAll(true);
  std::int64_t seen = 0;
  for (std::size_t count = 1; seen < sent; ++count) {
    const auto all = responder->WaitForMessages<dev::v1::WatchCommandsResponse>(count);
    ASSERT_GE(all.size(), count);
    seen = 0;
    for (const auto& each : all) seen += 1 + each.missed();
  }
  EXPECT_EQ(seen, sent);
  EXPECT_LT(responder->messages(), 400u);
}

TEST_F(AdminBackendTest, TheClusterAnswersWithItsErrorsAsTheyAre) {
  dev::v1::GetNodeRequest request;
  request.set_node(2);
  auto found = StartOfCluster("GetNode", request);
  EXPECT_TRUE(found->WaitForEnd().ok());
  EXPECT_EQ(found->WaitForMessages<dev::v1::NodeDetail>(1)[0].node().node(), 2);
  request.set_node(3);
  auto missing = StartOfCluster("GetNode", request);
  EXPECT_EQ(missing->WaitForEnd(), absl::NotFoundError("no such node"));
  EXPECT_EQ(missing->messages(), 0u);
}

TEST_F(AdminBackendTest, SteeringReachesTheClusterAsItIs) {
  dev::v1::Steering steering;
  steering.mutable_pause()->set_node(3);
  steering.mutable_pause()->mutable_for_()->set_seconds(10);
  auto responder = StartOfCluster("Steer", steering);
  EXPECT_TRUE(responder->WaitForEnd().ok());
  EXPECT_EQ(responder->WaitForMessages<dev::v1::SteerResponse>(1)[0].text(), "It has begun.");
  EXPECT_EQ(live_.steering.SerializeAsString(), steering.SerializeAsString());
}

TEST_F(AdminBackendTest, ClusterEventsAreFollowedFromTheNewestThatAreKept) {
  dev::v1::WatchClusterEventsRequest request;
  request.set_newest(2);
  auto responder = StartOfCluster("WatchClusterEvents", request);
  live_.WaitForWatchers(1);
  dev::v1::ClusterEvent event;
  event.set_text("Node 2 is up.");
  live_.cluster_event_watcher(event);
  EXPECT_EQ(responder->WaitForMessages<dev::v1::ClusterEvent>(3)[2].text(), "Node 2 is up.");
}

TEST_F(AdminBackendTest, ASlowWatcherOfTheClusterIsToldHowManyEventsItMissed) {
  auto responder = StartOfCluster("WatchClusterEvents", dev::v1::WatchClusterEventsRequest(), /*taking=*/false);
  live_.WaitForWatchers(1);
  const int sent = 3'000;
  for (int i = 0; i < sent; ++i) live_.cluster_event_watcher(dev::v1::ClusterEvent());
  responder->TakeAll(true);
  int seen = 0;
  int gaps = 0;
  for (std::size_t count = 1; seen < sent; ++count) {
    const auto all = responder->WaitForMessages<dev::v1::ClusterEvent>(count);
    ASSERT_GE(all.size(), count);
    seen = gaps = 0;
    for (const dev::v1::ClusterEvent& each : all) {
      const bool gap = each.kind() == "missed";
      int missed = 0;
      ASSERT_EQ(absl::SimpleAtoi(each.text().substr(0, each.text().find(' ')), &missed), gap) << each.text();
      gaps += gap ? 1 : 0;
      seen += gap ? missed : 1;
    }
  }
  EXPECT_EQ(seen, sent);
  EXPECT_GE(gaps, 1);
}

TEST_F(AdminBackendTest, OfACrdtThePayloadsAreDecodedAndTheErrorsStay) {
  live_.crdt.mutable_crdt()->set_entity_id("tags");
  dev::v1::CrdtValue& value = *live_.crdt.add_replicas()->mutable_value();
  value.set_type("ORSet");
  value.set_size(1);
  value.add_elements()->set_type_url("p.cloudstate.io/string");
  value.mutable_elements(0)->set_value(std::string("\x0a\x03red"));
  dev::v1::GetCrdtRequest request;
  request.set_entity_id("tags");
  const auto found = StartOfCrdts("GetCrdt", request);
  EXPECT_TRUE(found->WaitForEnd().ok());
  const dev::v1::CrdtDetail detail = found->WaitForMessages<dev::v1::CrdtDetail>(1)[0];
  EXPECT_EQ(detail.replicas(0).value().elements(0).json(), "\"red\"");
  EXPECT_EQ(detail.replicas(0).value().text(), "{\"red\"}");
  request.set_entity_id("other");
  EXPECT_EQ(StartOfCrdts("GetCrdt", request)->WaitForEnd(), absl::NotFoundError("no such entity"));
}

TEST_F(AdminBackendTest, EventsOfCrdtsGetTheirTextOnTheWay) {
  const auto responder = StartOfCrdts("WatchCrdts", dev::v1::WatchCrdtsRequest());
  live_.WaitForWatchers(1);
  dev::v1::CrdtEvent event;
  event.set_kind("wanted");
  event.set_peer(2);
  live_.crdt_event_watcher(event);
  const auto events = responder->WaitForMessages<dev::v1::CrdtEvent>(2);
  EXPECT_EQ(events[0].kind(), "watching");
  EXPECT_EQ(events[1].text(), "by node 2: the whole state");
}

TEST_F(AdminBackendTest, ATraceIsFoundByItsId) {
  auto trace = std::make_shared<trace::Trace>();
  trace->id = "t1";
  trace->node = "3";
  trace->outcome = absl::InternalError("broken");
  live_.traces = {trace};
  dev::v1::GetCommandRequest request;
  request.set_trace_id("t1");
  auto found = Start("GetCommand", request);
  EXPECT_TRUE(found->WaitForEnd().ok());
  EXPECT_EQ(found->WaitForMessages<dev::v1::CommandTrace>(1)[0].message(), "broken");
  EXPECT_EQ(found->WaitForMessages<dev::v1::CommandTrace>(1)[0].node(), 3);
  request.set_trace_id("t2");
  EXPECT_TRUE(absl::IsNotFound(Start("GetCommand", request)->WaitForEnd()));
}

}  // namespace
}  // namespace cloudstate::admin
