// Each fault that can be planted in the conformance model shows on the wire, and only where it should.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "cloudstate/tck/model/action.pb.h"
#include "cloudstate/tck/model/eventsourced.pb.h"
#include "cloudstate/tck/model/valueentity.pb.h"
#include "google/protobuf/text_format.h"
#include "samples/cpp/faults/faulty_model.h"
#include "samples/cpp/tck_model.h"
#include "tests/conformance/samples_client.h"

namespace cloudstate {
namespace {

using testing::ProxyPart;

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

// What a kit would do with the model, by kind.
std::vector<std::string> Discover(const ProxyPart& proxy) { return {ProxyPart::Text(proxy.Discover())}; }

template <typename In, typename Request>
std::vector<In> Commands(In init, const std::vector<std::string>& requests) {
  init.mutable_init()->set_entity_id("id");
  std::vector<In> messages = {std::move(init)};
  for (const std::string& request : requests) {
    In in;
    in.mutable_command()->set_id(static_cast<std::int64_t>(messages.size()));
    in.mutable_command()->set_name("Process");
    in.mutable_command()->mutable_payload()->PackFrom(Parse<Request>(request));
    messages.push_back(std::move(in));
  }
  return messages;
}

std::vector<std::string> DriveEventSourced(const ProxyPart& proxy) {
  using eventsourced::EventSourcedStreamIn;
  const std::vector<std::string> requests = {
      "actions { emit { value: 'a' } } actions { emit { value: 'b' } }",
      "actions { emit { value: 'c' } } actions { emit { value: 'd' } }",
      "actions { emit { value: 'e' } }",
      "actions { effect { id: '1' synchronous: true } } actions { effect { id: '2' } } actions { forward { id: '3' } }",
      "actions { emit { value: 'f' } } actions { fail { message: 'no' } }",
      ""};
  const std::string service = "service_name: 'cloudstate.tck.model.EventSourcedTckModel'";
  std::vector<std::string> seen = proxy.Drive(Commands<EventSourcedStreamIn, tck::model::Request>(
      Parse<EventSourcedStreamIn>("init { " + service + " }"), requests));

  auto replayed = Commands<EventSourcedStreamIn, tck::model::Request>(
      Parse<EventSourcedStreamIn>("init { " + service +
                                  " snapshot { snapshot_sequence: 5 snapshot { "
                                  "[type.googleapis.com/cloudstate.tck.model.Persisted] { value: 'abcde' } } } }"),
      {""});
  replayed.insert(replayed.begin() + 1, Parse<EventSourcedStreamIn>(
                                            "event { sequence: 6 payload { "
                                            "[type.googleapis.com/cloudstate.tck.model.Persisted] { value: 'f' } } }"));
  for (std::string& line : proxy.Drive(replayed)) seen.push_back(std::move(line));
  return seen;
}

std::vector<std::string> DriveValueEntity(const ProxyPart& proxy) {
  using valueentity::ValueEntityStreamIn;
  return proxy.Drive(Commands<ValueEntityStreamIn, tck::model::valueentity::Request>(
      Parse<ValueEntityStreamIn>(
          "init { service_name: 'cloudstate.tck.model.valueentity.ValueEntityTckModel' state { value { "
          "[type.googleapis.com/cloudstate.tck.model.valueentity.Persisted] { value: 'stored' } } } }"),
      {"", "actions { update { value: 'a' } }",
       "actions { effect { id: '1' synchronous: true } } actions { effect { id: '2' } } actions { forward { id: '3' } "
       "}",
       "actions { update { value: 'b' } } actions { fail { message: 'no' } }", "actions { delete {} }", ""}));
}

std::vector<std::string> DriveActions(const ProxyPart& proxy) {
  const auto opening = [](const std::string& method) {
    return Parse<action::ActionCommand>("service_name: 'cloudstate.tck.model.action.ActionTckModel' name: '" + method +
                                        "'");
  };
  const auto groups = Parse<tck::model::action::Request>(
      "groups { steps { reply { message: 'a' } } steps { effect { id: '1' synchronous: true } } "
      "steps { effect { id: '2' } } } groups { steps { forward { id: '3' } } }");
  action::ActionCommand request;
  request.mutable_payload()->PackFrom(groups);
  const auto complete = [&](const std::string& method, const google::protobuf::Message& payload) {
    action::ActionCommand command = opening(method);
    command.mutable_payload()->PackFrom(payload);
    return command;
  };
  std::vector<std::string> seen;
  const auto keep = [&](std::vector<std::string> lines) {
    seen.insert(seen.end(), std::make_move_iterator(lines.begin()), std::make_move_iterator(lines.end()));
  };
  keep(proxy.Unary(complete("ProcessUnary", groups)));
  keep(proxy.Unary(complete("ProcessUnary", tck::model::action::Request())));
  keep(proxy.Unary(
      complete("ProcessUnary", Parse<tck::model::action::Request>("groups { steps { fail { message: 'no' } } }"))));
  keep(proxy.StreamedIn({opening("ProcessStreamedIn"), request, request}));
  keep(proxy.StreamedOut(complete("ProcessStreamedOut", groups)));
  keep(proxy.Streamed({opening("ProcessStreamed"), request, request}));
  return seen;
}

struct Part {
  std::string prefix;  // of its faults' names
  std::vector<std::string> (*drive)(const ProxyPart& proxy);
};

const std::vector<Part>& Parts() {
  static const std::vector<Part> parts = {{"discovery-", Discover},
                                          {"event-sourced-", DriveEventSourced},
                                          {"value-entity-", DriveValueEntity},
                                          {"action-", DriveActions}};
  return parts;
}

std::vector<std::string> Healthy(const Part& part) {
  const auto model = samples::StartTckModel("127.0.0.1:0");
  EXPECT_TRUE(model.ok()) << model.status();
  return part.drive(ProxyPart(**model));
}

TEST(ModelFaults, EachShowsInWhatTheModelSendsForItsKindAndInNothingElse) {
  for (const Part& shown : Parts()) {
    const std::vector<std::string> healthy = Healthy(shown);
    EXPECT_EQ(healthy, Healthy(shown)) << "The model itself does not always answer alike.";
    for (const samples::FaultName& fault : samples::TckModelFaults()) {
      SCOPED_TRACE(fault.name + " in " + shown.prefix);
      const auto faulty = samples::StartFaultyTckModel("127.0.0.1:0", fault.name);
      ASSERT_TRUE(faulty.ok()) << faulty.status();
      const auto seen = shown.drive(ProxyPart(**faulty, absl::Seconds(1)));
      EXPECT_EQ(seen == healthy, !fault.name.starts_with(shown.prefix)) << ::testing::PrintToString(seen);
    }
  }
}

TEST(ModelFaults, HaveNamesOfTheirOwnAndADescription) {
  std::set<std::string> names;
  for (const samples::FaultName& fault : samples::TckModelFaults()) {
    EXPECT_TRUE(names.insert(fault.name).second) << fault.name;
    EXPECT_FALSE(fault.description.empty()) << fault.name;
  }
  EXPECT_GE(names.size(), 26U);
}

TEST(ModelFaults, OneThatIsNotThereIsAnError) {
  const auto model = samples::StartFaultyTckModel("127.0.0.1:0", "no-such-fault");
  EXPECT_EQ(model.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(model.status().message()), ::testing::HasSubstr("'no-such-fault'"));
}

}  // namespace
}  // namespace cloudstate
