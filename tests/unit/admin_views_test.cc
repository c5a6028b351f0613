#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "emulator/admin/views.h"
#include "google/protobuf/descriptor.pb.h"
#include "tests/unit/fake_browser.h"

namespace cloudstate::admin {
namespace {

constexpr char kAddedType[] = "type.googleapis.com/shop.Added";

journal::Payload Added(const std::string& item) {
  return {kAddedType, std::string("\x0a") + static_cast<char>(item.size()) + item};
}

// A set with shop.Added, whose field 1 has this name.
std::string ShopTypes(const std::string& field_name) {
  google::protobuf::FileDescriptorSet set;
  google::protobuf::FileDescriptorProto& file = *set.add_file();
  file.set_name("shop.proto");
  file.set_package("shop");
  file.set_syntax("proto3");
  google::protobuf::DescriptorProto& message = *file.add_message_type();
  message.set_name("Added");
  google::protobuf::FieldDescriptorProto& field = *message.add_field();
  field.set_name(field_name);
  field.set_number(1);
  field.set_type(google::protobuf::FieldDescriptorProto::TYPE_STRING);
  field.set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
  return set.SerializeAsString();
}

class AdminViews : public ::testing::Test {
 protected:
  dev::v1::ListEventsRequest EventsOf(const std::string& entity_id) {
    dev::v1::ListEventsRequest request;
    request.set_persistence_id("carts");
    request.set_entity_id(entity_id);
    return request;
  }

  std::vector<std::int64_t> Newest(int limit, const std::string& id_contains) {
    dev::v1::ListNewestEventsRequest request;
    request.set_limit(limit);
    request.mutable_filter()->set_id_contains(id_contains);
    const auto response = views_.ListNewestEvents(request);
    EXPECT_TRUE(response.ok()) << response.status();
    std::vector<std::int64_t> positions;
    for (const dev::v1::Event& event : response->events()) positions.push_back(event.position());
    return positions;
  }

  journal::FakeBrowser browser_;
  PayloadDecoder decoder_;
  Views views_{browser_, decoder_};
};

TEST_F(AdminViews, AnEventTellsItsMeaningAndWhyItIsThere) {
  browser_.descriptor_sets = {ShopTypes("item")};
  browser_.AddEvent("one", Added("tea"));
  const auto response = views_.ListEvents(EventsOf("one"));
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->events_size(), 1);
  const dev::v1::Event& event = response->events(0);
  EXPECT_EQ(event.payload().json(), R"({"item":"tea"})");
  EXPECT_TRUE(event.payload().described());
  EXPECT_EQ(event.payload().value(), Added("tea").value);
  EXPECT_EQ(event.time().seconds(), 1'001);
  EXPECT_EQ(event.cause().trace_id(), "trace-1");
  EXPECT_EQ(event.cause().method(), "Add");
  EXPECT_EQ(response->next_sequence(), 0);
}

TEST_F(AdminViews, ATypeThatNobodyDescribedIsShownByItsFieldNumbers) {
  browser_.AddEvent("one", Added("tea"));
  const dev::v1::Payload payload = views_.ListEvents(EventsOf("one"))->events(0).payload();
  EXPECT_FALSE(payload.described());
  EXPECT_EQ(payload.json(), R"({"1":"tea"})");
}

TEST_F(AdminViews, TheProtocolsOwnTypesNeedNoDescriptors) {
  browser_.AddEvent("one", {"type.googleapis.com/cloudstate.valueentity.ValueEntityDelete", ""});
  const dev::v1::Payload payload = views_.ListEvents(EventsOf("one"))->events(0).payload();
  EXPECT_TRUE(payload.described());
  EXPECT_EQ(payload.json(), "{}");
}

TEST_F(AdminViews, TheNewestDescriptorsAndThoseOfFilesComeFirst) {
  browser_.descriptor_sets = {ShopTypes("newer"), ShopTypes("older")};
  browser_.AddEvent("one", Added("tea"));
  EXPECT_EQ(views_.ListEvents(EventsOf("one"))->events(0).payload().json(), R"({"newer":"tea"})");
  browser_.descriptor_sets.insert(browser_.descriptor_sets.begin(), ShopTypes("newest"));
  EXPECT_EQ(views_.ListEvents(EventsOf("one"))->events(0).payload().json(), R"({"newest":"tea"})");
  ASSERT_TRUE(decoder_.Add(ShopTypes("filed")).ok());
  EXPECT_EQ(views_.ListEvents(EventsOf("one"))->events(0).payload().json(), R"({"filed":"tea"})");
}

TEST_F(AdminViews, DescriptorsThatCannotBeUsedAreAnErrorInAFileAndPassedOverInTheJournal) {
  EXPECT_TRUE(absl::IsInvalidArgument(decoder_.Add("no descriptors")));
  browser_.descriptor_sets = {"no descriptors", ShopTypes("item")};
  browser_.AddEvent("one", Added("tea"));
  EXPECT_TRUE(views_.ListEvents(EventsOf("one"))->events(0).payload().described());
}

TEST_F(AdminViews, EventsComeInPagesThatTellWhereToGoOn) {
  for (int i = 0; i < 5; ++i) browser_.AddEvent("one", Added("tea"));
  dev::v1::ListEventsRequest request = EventsOf("one");
  request.set_limit(3);
  const auto first = views_.ListEvents(request);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->events_size(), 3);
  EXPECT_EQ(first->next_sequence(), 4);
  request.set_from_sequence(first->next_sequence());
  const auto second = views_.ListEvents(request);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->events_size(), 2);
  EXPECT_EQ(second->next_sequence(), 0);
}

TEST_F(AdminViews, AnAnswerWithLargeEventsEndsEarly) {
  const journal::Payload large{kAddedType, std::string(journal::kMostEventBytes / 2, 'x')};
  for (int i = 0; i < 3; ++i) browser_.AddEvent("one", large);
  const auto first = views_.ListEvents(EventsOf("one"));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->events_size(), 2);
  EXPECT_EQ(first->next_sequence(), 3);
  EXPECT_EQ(Newest(100, ""), (std::vector<std::int64_t>{2, 3}));
  browser_.AddEvent("one", {kAddedType, std::string(journal::kMostEventBytes * 2, 'x')});
  EXPECT_EQ(Newest(100, ""), (std::vector<std::int64_t>{4}));
  browser_.AddEvent("one", Added("tea"));
  EXPECT_EQ(Newest(100, ""), (std::vector<std::int64_t>{5}));
}

TEST_F(AdminViews, FollowingGoesOnBehindLargeEvents) {
  const journal::Payload large{kAddedType, std::string(journal::kMostEventBytes / 2, 'x')};
  for (int i = 0; i < 3; ++i) browser_.AddEvent("one", large);
  const auto first = views_.EventsAfter(0, {}, 100);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->events.size(), 2u);
  EXPECT_FALSE(first->complete);
  const auto rest = views_.EventsAfter(first->position, {}, 100);
  ASSERT_TRUE(rest.ok());
  EXPECT_EQ(rest->events.size(), 1u);
  EXPECT_TRUE(rest->complete);
}

TEST_F(AdminViews, EntitiesComeInPagesWithTheirTotal) {
  for (const char* id : {"a", "b", "c"}) browser_.AddEvent(id, Added("tea"));
  dev::v1::ListEntitiesRequest request;
  request.set_page_size(2);
  const auto page = views_.ListEntities(request);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->entities_size(), 2);
  EXPECT_EQ(page->entities(0).entity_id(), "a");
  EXPECT_EQ(page->entities(0).last_sequence(), 1);
  EXPECT_EQ(page->total(), 3);
  request.set_page_token(page->next_page_token());
  const auto last = views_.ListEntities(request);
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(last->entities(0).entity_id(), "c");
  EXPECT_EQ(last->next_page_token(), "");
}

TEST_F(AdminViews, NothingStoredIsNotFoundForEverythingOfAnEntity) {
  dev::v1::GetEntityRequest get;
  get.set_entity_id("none");
  EXPECT_TRUE(absl::IsNotFound(views_.GetEntity(get).status()));
  EXPECT_TRUE(absl::IsNotFound(views_.ListEvents(EventsOf("none")).status()));
  EXPECT_TRUE(absl::IsNotFound(views_.ListSnapshots({}).status()));
}

TEST_F(AdminViews, SnapshotsComeInPartsAndWithoutPayloadsWhenThatIsAskedFor) {
  browser_.AddEvent("a", {"type.googleapis.com/shop.Added", ""});
  for (const int sequence : {1, 5, 9}) browser_.snapshots.push_back({sequence, {"shop/Cart", "x"}, absl::Now()});
  dev::v1::ListSnapshotsRequest request;
  request.set_persistence_id("carts");
  request.set_entity_id("a");
  EXPECT_EQ(views_.ListSnapshots(request)->snapshots_size(), 3);
  request.set_from_sequence(2);
  request.set_limit(1);
  auto listed = views_.ListSnapshots(request);
  ASSERT_EQ(listed->snapshots_size(), 1);
  EXPECT_EQ(listed->snapshots(0).sequence(), 5);
  EXPECT_EQ(listed->snapshots(0).payload().value(), "x");
  request.set_brief(true);
  listed = views_.ListSnapshots(request);
  ASSERT_EQ(listed->snapshots_size(), 1);
  EXPECT_FALSE(listed->snapshots(0).has_payload());
}

TEST_F(AdminViews, TheNewestEventsAreFoundHoweverFarBackTheyAre) {
  browser_.AddEvent("rare", Added("tea"));
  for (int i = 0; i < 3'000; ++i) browser_.AddEvent("often", Added("tea"));
  browser_.AddEvent("rare", Added("tea"));
  browser_.AddEvent("often", Added("tea"));
  EXPECT_EQ(Newest(2, ""), (std::vector<std::int64_t>{3'002, 3'003}));
  EXPECT_EQ(Newest(1, "rare"), (std::vector<std::int64_t>{3'002}));
  EXPECT_EQ(Newest(5, "rare"), (std::vector<std::int64_t>{1, 3'002}));
  EXPECT_EQ(Newest(3, "often"), (std::vector<std::int64_t>{3'000, 3'001, 3'003}));
  EXPECT_EQ(Newest(5, "nobody"), std::vector<std::int64_t>());
}

TEST_F(AdminViews, FollowingSkipsWhatTheFilterHidesOnce) {
  for (int i = 0; i < 4; ++i) browser_.AddEvent("often", Added("tea"));
  dev::v1::EventFilter filter;
  filter.set_id_contains("rare");
  const auto nothing = views_.EventsAfter(0, filter, 2);
  ASSERT_TRUE(nothing.ok());
  EXPECT_TRUE(nothing->events.empty());
  EXPECT_EQ(nothing->position, 4);
  EXPECT_TRUE(nothing->complete);
  filter.clear_id_contains();
  const auto some = views_.EventsAfter(0, filter, 3);
  ASSERT_TRUE(some.ok());
  EXPECT_EQ(some->events.size(), 3u);
  EXPECT_EQ(some->position, 3);
  EXPECT_FALSE(some->complete);
}

TEST_F(AdminViews, ATraceShowsItsStepsWithTheirPayloads) {
  browser_.descriptor_sets = {ShopTypes("item")};
  trace::Trace trace;
  trace.id = "t1";
  trace.service = "shop.Cart";
  trace.outcome = absl::NotFoundError("no such cart");
  trace.duration = absl::Milliseconds(1'500);
  trace.dropped_steps = 7;
  const journal::Payload payload = Added("tea");
  const trace::CommandNumber effect =
      trace.AddCommand(trace::kClientsCommand, trace::CommandOrigin::kSideEffect, "shop.Stock", "Take");
  const trace::CommandNumber forward = trace.AddCommand(effect, trace::CommandOrigin::kForward, "shop.Log", "Write");
  trace.SetEntity(trace::kClientsCommand, "cart-1");
  trace.SetEntity(effect, "tea");
  trace.SetEntity(forward, "log-1");
  trace.Add(trace.begin + absl::Milliseconds(2), trace::StepKind::kSent, forward, "detail", &payload);
  const auto view = views_.Trace(trace);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(view->code(), 5);
  EXPECT_EQ(view->message(), "no such cart");
  EXPECT_EQ(view->duration().seconds(), 1);
  EXPECT_EQ(view->duration().nanos(), 500'000'000);
  EXPECT_EQ(view->dropped_steps(), 7);
  ASSERT_EQ(view->steps_size(), 1);
  EXPECT_EQ(view->steps(0).kind(), "sent");
  EXPECT_EQ(view->steps(0).at().nanos(), 2'000'000);
  EXPECT_EQ(view->steps(0).payload().json(), R"({"item":"tea"})");
  EXPECT_EQ(view->steps(0).command(), 2);
  EXPECT_EQ(view->steps(0).subject(), "shop.Log.Write log-1");
  EXPECT_EQ(view->entity_id(), "cart-1");
  ASSERT_EQ(view->caused_size(), 2);
  EXPECT_EQ(view->caused(0).parent(), 0);
  EXPECT_EQ(view->caused(0).origin(), dev::v1::CausedCommand::SIDE_EFFECT);
  EXPECT_EQ(view->caused(0).entity_id(), "tea");
  EXPECT_EQ(view->caused(1).parent(), 1);
  EXPECT_EQ(view->caused(1).origin(), dev::v1::CausedCommand::FORWARD);
  EXPECT_EQ(view->caused(1).method(), "Write");
}

TEST_F(AdminViews, ATraceOfTooMuchIsCountedAndNotKept) {
  trace::Trace trace;
  trace::CommandNumber last = trace::kClientsCommand;
  for (std::size_t i = 0; i < trace::Trace::kMaxCaused + 10; ++i) {
    last = trace.AddCommand(last, trace::CommandOrigin::kForward, "shop.Log", "Write");
    trace.SetEntity(last, "log-1");
  }
  trace.Add(trace.begin, trace::StepKind::kSent, last);
  const auto view = views_.Trace(trace);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(view->caused_size(), static_cast<int>(trace::Trace::kMaxCaused));
  EXPECT_EQ(view->steps_size(), 0);
  EXPECT_EQ(view->dropped_steps(), 1);
}

TEST_F(AdminViews, TheBrowsersFailureIsToldToTheCaller) {
  browser_.failure = absl::DataLossError("the file is damaged");
  EXPECT_EQ(views_.ListEntities({}).status(), browser_.failure);
  EXPECT_EQ(views_.ListNewestEvents({}).status(), browser_.failure);
  EXPECT_EQ(views_.EventsAfter(0, {}, 1).status(), browser_.failure);
}

TEST(AdminPageSize, HasADefaultAMostAndNoNegative) {
  EXPECT_EQ(*PageSize(0), 100);
  EXPECT_EQ(*PageSize(7), 7);
  EXPECT_EQ(*PageSize(1'000'000), 1'000);
  EXPECT_TRUE(absl::IsInvalidArgument(PageSize(-1).status()));
}

TEST(AdminTimes, SurviveTheWayThroughTheContractBeforeAndAfter1970) {
  for (absl::Duration since : {absl::Nanoseconds(1), absl::Milliseconds(-1'500), absl::Hours(500'000)}) {
    EXPECT_EQ(FromTimestamp(ToTimestamp(absl::UnixEpoch() + since)), absl::UnixEpoch() + since);
    EXPECT_GE(ToTimestamp(absl::UnixEpoch() + since).nanos(), 0);
    EXPECT_EQ(FromDuration(ToDuration(since)), since);
  }
}

TEST(AdminCommandFilter, LetsThroughWhatFitsEveryPart) {
  trace::Trace trace;
  trace.service = "shop.Cart";
  trace.method = "Add";
  trace.entity_id = "one";
  dev::v1::CommandFilter filter;
  EXPECT_TRUE(Matches(filter, trace));
  filter.set_service("shop.Cart");
  filter.set_method("Add");
  filter.set_entity_id("one");
  EXPECT_TRUE(Matches(filter, trace));
  filter.set_failed_only(true);
  EXPECT_FALSE(Matches(filter, trace));
  trace.outcome = absl::InternalError("");
  EXPECT_TRUE(Matches(filter, trace));
  filter.set_entity_id("two");
  EXPECT_FALSE(Matches(filter, trace));
}

TEST(AdminCommandFilter, LetsThroughWhatTookSoLongOrLonger) {
  trace::Trace trace;
  trace.duration = absl::Milliseconds(5);
  dev::v1::CommandFilter filter;
  *filter.mutable_at_least() = ToDuration(absl::Milliseconds(5));
  EXPECT_TRUE(Matches(filter, trace));
  *filter.mutable_at_least() = ToDuration(absl::Milliseconds(5) + absl::Nanoseconds(1));
  EXPECT_FALSE(Matches(filter, trace));
}

TEST(AdminCommandFilter, LetsThroughWhatCausedACommandThatFits) {
  trace::Trace trace;
  trace.service = "shop.Cart";
  trace.entity_id = "one";
  trace.AddCommand(trace::kClientsCommand, trace::CommandOrigin::kSideEffect, "shop.Stock", "Take");
  trace.SetEntity(1, "tea");
  dev::v1::CommandFilter filter;
  filter.set_service("shop.Stock");
  filter.set_entity_id("tea");
  EXPECT_TRUE(Matches(filter, trace));
  filter.set_entity_id("one");  // of the other service
  EXPECT_FALSE(Matches(filter, trace));
}

}  // namespace
}  // namespace cloudstate::admin
