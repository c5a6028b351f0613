// The admin contract's replays and deletions, in front of an emulator and a journal that are the test's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "cloudstate/dev/v1/replay.pb.h"
#include "emulator/admin/replaying.h"
#include "tests/support/test_services.h"
#include "tests/unit/admin_test_support.h"

namespace cloudstate::admin {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

class AdminReplayTest : public AdminBackendTest {
 protected:
  void SetUp() override {
    for (Entity& entity : *spec_.mutable_entities()) {
      if (entity.service_name() == "test.One") entity.set_persistence_id("carts");
    }
    Specify();
    for (int i = 0; i < 3; ++i) Store("a");
    std::lock_guard lock(journal_.mutex);
    for (journal::EventRow& row : journal_.browser.events) row.service = "test.One";
    journal_.browser.snapshots.push_back({.sequence = 2, .payload = {"type", "s2"}, .time = absl::Now()});
  }

  static dev::v1::ReplayRequest At(std::int64_t sequence) {
    dev::v1::ReplayRequest request;
    request.set_persistence_id("carts");
    request.set_entity_id("a");
    request.set_sequence(sequence);
    return request;
  }
  static dev::v1::ReplayCommand& AddCommand(dev::v1::ReplayRequest& request, const std::string& method,
                                            const std::string& json) {
    dev::v1::ReplayCommand& command = *request.add_commands();
    command.set_method(method);
    command.set_json(json);
    return command;
  }
  // Of the services, with another input message.
  void UseKey(absl::AnyInvocable<void(google::protobuf::DescriptorProto&)> change) {
    cloudstate::testing::ChangeFile(spec_, [&](auto& file) { change(*file.mutable_message_type(0)); });
    Specify();
  }
  void Specify() {
    auto parsed = userfunction::ParseSpecification(spec_, std::nullopt, userfunction::VersionCheck::kOff);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    live_.specification = *parsed;
  }
  std::shared_ptr<FakeResponder> Replay(const dev::v1::ReplayRequest& request) {
    return Start("Replay", request, true, nullptr, "cloudstate.dev.v1.Replays");
  }
  absl::Status Refusal(const dev::v1::ReplayRequest& request) { return Replay(request)->WaitForEnd(); }

  EntitySpec spec_ = cloudstate::testing::ServicesWithAnAction();
};

// FakeBrowser names another service for an entity than those that are declared here, so commands name theirs.
TEST_F(AdminReplayTest, ReadsTheJournalUpToThePointAndCompletesTheKey) {
  dev::v1::ReplayRequest request = At(3);
  AddCommand(request, "Call", "").set_service("test.One");
  AddCommand(request, "Other", R"({"text":"hi"})").set_service("test.One");
  request.add_events()->set_value("fork");
  const auto responder = Replay(request);
  live_.WaitForReplays(1);
  EXPECT_EQ(live_.plan.service, "test.One");
  EXPECT_EQ(live_.plan.until, 3);
  EXPECT_EQ(live_.plan.first.snapshot->payload.value, "s2");
  EXPECT_EQ(live_.plan.first.events.size(), 1u);
  EXPECT_EQ(live_.plan.events.at(0).value, "fork");
  ASSERT_EQ(live_.plan.commands.size(), 2u);
  EXPECT_EQ(live_.plan.commands[0].payload.value, cloudstate::testing::Request("a"));
  EXPECT_EQ(live_.plan.commands[0].payload.type_url, "type.googleapis.com/test.Request");
  EXPECT_EQ(live_.plan.commands[1].payload.value, "\x12\x02hi" + cloudstate::testing::Request("a"));

  entities::ReplayResult result;
  result.snapshot_sequence = 2;
  result.replayed_events = 1;
  result.outcomes.resize(1);
  result.outcomes[0].status = absl::UnknownError("sold out");
  result.outcomes[0].answer.events.push_back({"type.googleapis.com/test.Text", "x"});
  auto& forward = *result.outcomes[0].answer.reply.action.mutable_forward();
  forward.set_service_name("test.Two");
  result.outcomes[0].answer.reply.side_effects.Add()->set_synchronous(true);
  live_.replay_done.front()(result);
  EXPECT_EQ(responder->WaitForEnd(), absl::OkStatus());
  const auto response = responder->WaitForMessages<dev::v1::ReplayResponse>(1).front();
  EXPECT_EQ(response.snapshot_sequence(), 2);
  EXPECT_EQ(response.replayed_events(), 1);
  EXPECT_EQ(response.outcomes(0).code(), 2);
  EXPECT_EQ(response.outcomes(0).message(), "sold out");
  EXPECT_EQ(response.outcomes(0).events(0).value(), "x");
  EXPECT_EQ(response.outcomes(0).forward().service(), "test.Two");
  EXPECT_TRUE(response.outcomes(0).effects(0).synchronous());
  EXPECT_FALSE(response.outcomes(0).has_reply());
}

TEST_F(AdminReplayTest, LeavesSnapshotsOutWhereThatIsAskedForOrTheLibraryCannotReadThem) {
  dev::v1::ReplayRequest request = At(3);
  AddCommand(request, "Call", "").set_service("test.One");
  request.set_without_snapshots(true);
  const auto first = Replay(request);
  live_.WaitForReplays(1);
  EXPECT_EQ(live_.plan.first.events.size(), 3u);
  request.set_without_snapshots(false);
  live_.replay_from = entities::ReplayFrom::kFirstEvent;
  const auto second = Replay(request);
  live_.WaitForReplays(2);
  EXPECT_EQ(live_.plan.first.events.size(), 3u);
}

TEST_F(AdminReplayTest, RefusesWhatMakesNoSense) {
  dev::v1::ReplayRequest request = At(4);
  EXPECT_TRUE(absl::IsOutOfRange(Refusal(request)));
  request = At(-1);
  EXPECT_TRUE(absl::IsOutOfRange(Refusal(request)));
  request = At(1);
  request.set_entity_id("none");
  EXPECT_TRUE(absl::IsNotFound(Refusal(request)));
  request = At(1);
  request.mutable_deadline()->set_seconds(61);
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(request)));
  request = At(1);
  for (int i = 0; i < 101; ++i) AddCommand(request, "Call", "");
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal(request)));

  const auto refused = [&](const std::string& service, const std::string& method, const std::string& json,
                           const std::string& text) {
    request = At(1);
    AddCommand(request, method, json).set_service(service);
    const absl::Status status = Refusal(request);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  };
  refused("test.None", "Call", "", "no service 'test.None'");
  refused("test.Act", "Unary", "", "Only event-sourced and value entities");
  refused("test.Two", "Call", "", "no service of the entity");
  refused("test.One", "None", "", "no method 'None'");
  refused("test.One", "Call", "{", "malformed JSON");
  refused("test.One", "Call", R"({"id":"b"})", "it is for entity 'b'");

  live_.specification = nullptr;
  EXPECT_TRUE(absl::IsUnavailable(Refusal(At(1))));
}

TEST_F(AdminReplayTest, CompletesAKeyThatIsANumber) {
  UseKey([](google::protobuf::DescriptorProto& input) {
    input.mutable_field(0)->set_type(google::protobuf::FieldDescriptorProto::TYPE_SINT64);
  });
  Store("-7");
  dev::v1::ReplayRequest request = At(1);
  request.set_entity_id("-7");
  AddCommand(request, "Call", "").set_service("test.One");
  const auto responder = Replay(request);
  live_.WaitForReplays(1);
  EXPECT_EQ(live_.plan.commands.at(0).payload.value, "\x08\x0d");
  request.mutable_commands(0)->set_json(R"({"id":"8"})");
  EXPECT_THAT(std::string(Refusal(request).message()),
              HasSubstr("it is for entity '8', and replayed is '-7': make the key (id) that, or leave it out"));
  request = At(1);  // whose id is no number
  AddCommand(request, "Call", "").set_service("test.One");
  EXPECT_THAT(std::string(Refusal(request).message()), HasSubstr("the key (id) is missing: give it"));
}

TEST_F(AdminReplayTest, WantsAKeyOfSeveralFields) {
  UseKey([](google::protobuf::DescriptorProto& input) {
    *input.mutable_field(1)->mutable_options() = input.field(0).options();
  });
  dev::v1::ReplayRequest request = At(1);
  AddCommand(request, "Call", "").set_service("test.One");
  absl::Status status = Refusal(request);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("the key (id, text) is missing: give it"));
  request.mutable_commands(0)->set_json(R"({"id":"b"})");
  status = Refusal(request);
  EXPECT_THAT(std::string(status.message()), EndsWith("it is for entity 'b-', and replayed is 'a': make the key (id, "
                                                      "text) that"));
}

TEST_F(AdminReplayTest, PassesOnHowItEnds) {
  dev::v1::ReplayRequest request = At(1);
  AddCommand(request, "Call", "").set_service("test.One");
  const auto responder = Replay(request);
  live_.WaitForReplays(1);
  responder->Cancel();
  EXPECT_TRUE(live_.replay_cancelled);
  live_.replay_done.front()(absl::AbortedError("broken"));
  EXPECT_EQ(responder->WaitForEnd(), absl::AbortedError("broken"));
}

TEST_F(AdminReplayTest, TakesOnlySoManyAtOnce) {
  dev::v1::ReplayRequest request = At(1);
  AddCommand(request, "Call", "").set_service("test.One");
  std::vector<std::shared_ptr<FakeResponder>> responders;
  for (int i = 0; i < ReplayPlaces::kMost; ++i) responders.push_back(Replay(request));
  live_.WaitForReplays(ReplayPlaces::kMost);
  EXPECT_TRUE(absl::IsResourceExhausted(Refusal(request)));
  {
    auto done = std::move(live_.replay_done.front());
    done(absl::AbortedError("broken"));
  }
  responders.push_back(Replay(request));
  live_.WaitForReplays(ReplayPlaces::kMost + 1);
}

TEST_F(AdminReplayTest, DeletesAnEntity) {
  dev::v1::DeleteEntityRequest request;
  request.set_entity_id("a");
  const auto responder = Start("DeleteEntity", request);
  EXPECT_EQ(responder->WaitForEnd(), absl::OkStatus());
  EXPECT_EQ(responder->WaitForMessages<dev::v1::DeleteEntityResponse>(1).front().deleted_events(), 3);
  request.set_entity_id("b");
  EXPECT_TRUE(absl::IsNotFound(Start("DeleteEntity", request)->WaitForEnd()));
}

}  // namespace
}  // namespace cloudstate::admin
