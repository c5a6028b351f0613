// Traces that become a test file.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/testing/recording.h"
#include "google/protobuf/text_format.h"
#include "tests/unit/descriptor_text.h"

namespace cloudstate::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kRecordedFile[] = R"pb(
  name: "shop.proto"
  package: "shop"
  syntax: "proto3"
  message_type {
    name: "Text"
    field { name: "text" json_name: "text" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  }
  message_type {
    name: "Added"
    field { name: "text" json_name: "text" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  }
  message_type { name: "ValueEntityDelete" }
  service {
    name: "Cart"
    method { name: "Add" input_type: ".shop.Text" output_type: ".shop.Text" }
    method { name: "Watch" input_type: ".shop.Text" output_type: ".shop.Text" server_streaming: true }
    method { name: "Sum" input_type: ".shop.Text" output_type: ".shop.Text" client_streaming: true }
  }
  service {
    name: "Stock"
    method { name: "Take" input_type: ".shop.Text" output_type: ".shop.Text" }
  }
)pb";

constexpr char kRecordedServices[] = R"pb(
  services {
    name: "shop.Cart"
    entity_type: "cloudstate.eventsourced.EventSourced"
    persistence_id: "carts"
    methods { name: "Add" input_type: "shop.Text" output_type: "shop.Text" }
    methods { name: "Watch" input_type: "shop.Text" output_type: "shop.Text" server_streaming: true }
    methods { name: "Sum" input_type: "shop.Text" output_type: "shop.Text" client_streaming: true }
  }
  services {
    name: "shop.Stock"
    entity_type: "cloudstate.valueentity.ValueEntity"
    persistence_id: "stock"
    methods { name: "Take" input_type: "shop.Text" output_type: "shop.Text" }
  }
)pb";

template <class Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// A message with this text.
dev::v1::Payload PayloadOf(const std::string& type, const std::string& text) {
  dev::v1::Payload payload;
  payload.set_type_url("type.googleapis.com/" + type);
  if (!text.empty()) payload.set_value(absl::StrCat("\n", std::string(1, static_cast<char>(text.size())), text));
  payload.set_json(absl::StrCat("{\"text\":\"", text, "\"}"));
  payload.set_described(true);
  return payload;
}

class TestRecording : public ::testing::Test {
 protected:
  TestRecording()
      : types_(*KnownTypes::Build(FromText<dev::v1::ListServicesResponse>(kRecordedServices),
                                  DescriptorSetFromText({kRecordedFile}))) {}

  // A call of this second.
  static dev::v1::CommandTrace TraceOf(int second, const std::string& method, const std::string& entity,
                                       const std::string& service = "shop.Cart") {
    dev::v1::CommandTrace trace;
    trace.set_trace_id(absl::StrCat("t", second));
    trace.set_service(service);
    trace.set_method(method);
    trace.set_entity_id(entity);
    trace.mutable_started()->set_seconds(second);
    return trace;
  }
  static void AddStep(dev::v1::CommandTrace& trace, const std::string& kind, const std::string& text, int command = 0) {
    dev::v1::Step& step = *trace.add_steps();
    step.set_kind(kind);
    step.set_command(command);
    *step.mutable_payload() = PayloadOf("shop.Text", text);
  }
  static void AddEnd(dev::v1::CommandTrace& trace, const std::string& kind, int messages) {
    dev::v1::Step& step = *trace.add_steps();
    step.set_kind(kind);
    step.set_detail(absl::StrCat("the end, after ", messages, " messages"));
  }
  static dev::v1::CommandTrace Unary(int second, const std::string& entity, const std::string& text) {
    dev::v1::CommandTrace trace = TraceOf(second, "Add", entity);
    AddStep(trace, "sent", text);
    AddStep(trace, "answered", text);
    return trace;
  }
  // Stored by the call of this second.
  void AddEvent(RecordedEntity& entity, int second, const std::string& type, const std::string& text) {
    dev::v1::Event event;
    event.set_position(++position_);
    event.set_sequence(static_cast<std::int64_t>(entity.events.size()) + 1);
    event.mutable_time()->set_seconds(second);
    event.mutable_time()->set_nanos(1);
    event.mutable_cause()->set_trace_id(absl::StrCat("t", second));
    *event.mutable_payload() = PayloadOf(type, text);
    entity.events.push_back(event);
  }
  static std::string JsonOf(const google::protobuf::RepeatedPtrField<Json>& values) {
    Json list;
    *list.mutable_list_value()->mutable_values() = values;
    return JsonText(list);
  }

  std::unique_ptr<KnownTypes> types_;
  std::int64_t position_ = 0;
};

TEST_F(TestRecording, GivesWhatWasThereAndExpectsWhatCame) {
  RecordedEntity cart{.service = "shop.Cart", .entity_id = "a", .events = {}};
  AddEvent(cart, 1, "shop.Added", "before");
  AddEvent(cart, 5, "shop.Added", "x");
  AddEvent(cart, 9, "shop.Added", "y");
  const RecordedTest test =
      MakeRecordedTest({Unary(9, "a", "y"), Unary(5, "a", "x")}, {cart}, *types_, RecordedCases::kOne);
  EXPECT_THAT(test.left_out, IsEmpty());
  EXPECT_EQ(test.file.service(), "Cart");
  ASSERT_EQ(test.file.cases_size(), 1);
  const dev::v1::TestCase& made = test.file.cases(0);
  ASSERT_EQ(made.given_size(), 1);
  EXPECT_EQ(made.given(0).entity(), "a");
  EXPECT_EQ(made.given(0).service(), "");
  EXPECT_EQ(JsonOf(made.given(0).events()), R"([{"Added":{"text":"before"}}])");
  ASSERT_EQ(made.when_size(), 2);
  EXPECT_EQ(made.when(0).call(), "Add");
  EXPECT_EQ(JsonText(made.when(0).input()), R"({"text":"x"})");
  EXPECT_EQ(JsonText(made.when(0).reply()), R"({"text":"x"})");
  EXPECT_EQ(JsonOf(made.when(0).events()), R"([{"Added":{"text":"x"}}])");
  EXPECT_EQ(JsonOf(made.when(1).events()), R"([{"Added":{"text":"y"}}])");
}

TEST_F(TestRecording, ExpectsErrorsEffectsAndForwards) {
  dev::v1::CommandTrace failed = TraceOf(1, "Add", "a");
  AddStep(failed, "sent", "x");
  failed.set_code(5);
  failed.set_message("$no");
  dev::v1::CommandTrace caused = Unary(2, "a", "y");
  for (const auto origin : {dev::v1::CausedCommand::SIDE_EFFECT, dev::v1::CausedCommand::FORWARD}) {
    dev::v1::CausedCommand& each = *caused.add_caused();
    each.set_origin(origin);
    each.set_service("shop.Stock");
    each.set_method("Take");
    each.set_entity_id("s");
  }
  AddStep(caused, "effect", "one", 1);
  AddStep(caused, "forwarded", "two", 2);
  RecordedEntity stock{.service = "shop.Stock", .entity_id = "s", .events = {}};
  AddEvent(stock, 0, "shop.Text", "old");
  AddEvent(stock, 1, "shop.Text", "newest");
  AddEvent(stock, 2, "shop.Text", "after");
  const RecordedTest test = MakeRecordedTest({failed, caused}, {stock}, *types_, RecordedCases::kOne);
  ASSERT_EQ(test.calls, 2);
  const dev::v1::TestCase& made = test.file.cases(0);
  EXPECT_EQ(made.when(0).error().code(), "NOT_FOUND");
  EXPECT_EQ(made.when(0).error().message().string_value(), "$$no");
  EXPECT_FALSE(made.when(0).has_reply());
  ASSERT_EQ(made.when(1).effects_size(), 1);
  EXPECT_EQ(made.when(1).effects(0).call(), "Stock.Take");
  EXPECT_EQ(JsonText(made.when(1).effects(0).input()), R"({"text":"one"})");
  EXPECT_EQ(JsonText(made.when(1).forward().input()), R"({"text":"two"})");
  EXPECT_EQ(JsonOf(made.when(1).events()), R"([{"Text":{"text":"after"}}])");
  ASSERT_EQ(made.given_size(), 1);
  EXPECT_EQ(made.given(0).service(), "Stock");
  EXPECT_EQ(JsonText(made.given(0).value()), R"({"Text":{"text":"newest"}})");
}

TEST_F(TestRecording, GivesNoValueThatWasDeleted) {
  RecordedEntity stock{.service = "shop.Stock", .entity_id = "s", .events = {}};
  AddEvent(stock, 1, "shop.Text", "old");
  AddEvent(stock, 2, "cloudstate.valueentity.ValueEntityDelete", "");
  dev::v1::CommandTrace take = TraceOf(3, "Take", "s", "shop.Stock");
  AddStep(take, "sent", "x");
  const RecordedTest test = MakeRecordedTest({take}, {stock}, *types_, RecordedCases::kOne);
  EXPECT_THAT(test.file.cases(0).given(), IsEmpty());
}

TEST_F(TestRecording, MakesACaseOfEachEntity) {
  RecordedEntity cart{.service = "shop.Cart", .entity_id = "b", .events = {}};
  AddEvent(cart, 1, "shop.Added", "before");
  const RecordedTest test = MakeRecordedTest({Unary(3, "b", "y"), Unary(2, "a", "x"), Unary(4, "a", "z")}, {cart},
                                             *types_, RecordedCases::kForEachEntity);
  ASSERT_EQ(test.file.cases_size(), 2);
  EXPECT_EQ(test.file.cases(0).name(), "Cart a");
  EXPECT_EQ(test.file.cases(0).when_size(), 2);
  EXPECT_EQ(test.file.cases(0).given_size(), 0);
  EXPECT_EQ(test.file.cases(1).name(), "Cart b");
  EXPECT_EQ(test.file.cases(1).given_size(), 1);
}

TEST_F(TestRecording, NamesCasesApartWhoseServicesHaveTheSameLastName) {
  std::string other = kRecordedServices;
  other.replace(other.find("shop.Cart"), 9, "old.Cart");
  const auto types = *KnownTypes::Build(FromText<dev::v1::ListServicesResponse>(kRecordedServices + other),
                                        DescriptorSetFromText({kRecordedFile}));
  dev::v1::CommandTrace old = Unary(2, "a", "y");
  old.set_service("old.Cart");
  const RecordedTest test = MakeRecordedTest({Unary(1, "a", "x"), old}, {}, *types, RecordedCases::kForEachEntity);
  ASSERT_EQ(test.file.cases_size(), 2);
  EXPECT_EQ(test.file.cases(0).name(), "old.Cart a");
  EXPECT_EQ(test.file.cases(1).name(), "shop.Cart a");
}

TEST_F(TestRecording, WritesStreamsThatEnded) {
  dev::v1::CommandTrace sum = TraceOf(1, "Sum", "a");
  AddStep(sum, "sent", "x");
  AddStep(sum, "sent", "y");
  AddEnd(sum, "sent", 2);
  AddStep(sum, "answered", "xy");
  dev::v1::CommandTrace watch = TraceOf(2, "Watch", "a");
  AddStep(watch, "sent", "x");
  AddStep(watch, "answered", "1");
  AddStep(watch, "answered", "2");
  AddEnd(watch, "answered", 2);
  const RecordedTest test = MakeRecordedTest({sum, watch}, {}, *types_, RecordedCases::kOne);
  EXPECT_THAT(test.left_out, IsEmpty());
  ASSERT_EQ(test.calls, 2);
  EXPECT_EQ(JsonOf(test.file.cases(0).when(0).inputs()), R"([{"text":"x"},{"text":"y"}])");
  EXPECT_EQ(JsonOf(test.file.cases(0).when(1).replies()), R"([{"text":"1"},{"text":"2"}])");
}

TEST_F(TestRecording, NamesWhatItLeavesOut) {
  dev::v1::CommandTrace long_stream = TraceOf(1, "Sum", "a");
  AddStep(long_stream, "sent", "x");
  AddEnd(long_stream, "sent", 20);
  dev::v1::CommandTrace cancelled = TraceOf(2, "Watch", "a");
  AddStep(cancelled, "sent", "x");
  cancelled.set_code(1);
  const dev::v1::CommandTrace never_sent = TraceOf(3, "Add", "a");
  dev::v1::CommandTrace dropped = Unary(4, "a", "x");
  dropped.set_dropped_steps(1);
  const dev::v1::CommandTrace unknown = TraceOf(5, "Gone", "a");
  dev::v1::CommandTrace too_late = Unary(6, "a", "x");
  too_late.set_code(4);
  dev::v1::CommandTrace failed = TraceOf(7, "Watch", "a");
  AddStep(failed, "sent", "x");
  failed.set_code(2);
  const RecordedTest test = MakeRecordedTest({long_stream, cancelled, never_sent, dropped, unknown, too_late, failed},
                                             {}, *types_, RecordedCases::kOne);
  EXPECT_EQ(test.calls, 0);
  EXPECT_THAT(test.file.cases(), IsEmpty());
  EXPECT_THAT(test.left_out, ElementsAre(HasSubstr("Cart.Sum (trace t1) is left out: its input"),
                                         HasSubstr("Cart.Watch (trace t2) is left out: its client"),
                                         HasSubstr("Cart.Add (trace t3) is left out: its input"),
                                         HasSubstr("more steps than a trace keeps"), HasSubstr("no such method"),
                                         HasSubstr("Cart.Add (trace t6) is left out: its client"),
                                         HasSubstr("Cart.Watch (trace t7) is left out: it is a stream that failed")));
}

// Its trace has left the input out, the cause that is stored has not.
TEST_F(TestRecording, FindsALargeInputBesideTheEvents) {
  RecordedEntity cart{.service = "shop.Cart", .entity_id = "a", .events = {}};
  AddEvent(cart, 1, "shop.Added", "x");
  dev::v1::Cause& cause = *cart.events.back().mutable_cause();
  cause.set_service("shop.Cart");
  cause.set_method("Add");
  *cause.mutable_command() = PayloadOf("shop.Text", "large");
  const RecordedTest test = MakeRecordedTest({TraceOf(1, "Add", "a")}, {cart}, *types_, RecordedCases::kOne);
  ASSERT_EQ(test.calls, 1);
  EXPECT_EQ(JsonText(test.file.cases(0).when(0).input()), R"({"text":"large"})");
}

}  // namespace
}  // namespace cloudstate::testing
