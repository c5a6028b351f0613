// What an entity's stream does when the user function behaves as it must not, as a client of the real program and the
// user function itself see it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/conformance/model_client.h"
#include "tests/support/emulator_process.h"
#include "tests/support/http_client.h"
#include "tests/support/scripted_user_function.h"

namespace cloudstate {
namespace {

using eventsourced::EventSourcedStreamIn;
using eventsourced::EventSourcedStreamOut;
using grpc::StatusCode;
using support::FailureOf;
using support::ReplyTo;
using support::Script;
using support::ScriptedStream;
using support::ScriptedUserFunction;
using testing::Ask;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kModel;
using testing::kTwo;
using testing::ModelClient;
using testing::Outcome;

constexpr char kName[] = "entity event-sourced-tck-model|id of cloudstate.tck.model.EventSourcedTckModel is reset: ";

tck::model::Response ResponseOf(const std::string& message) {
  tck::model::Response response;
  response.set_message(message);
  return response;
}

void AddEvent(EventSourcedStreamOut& out, const std::string& value) {
  tck::model::Persisted event;
  event.set_value(value);
  out.mutable_reply()->add_events()->PackFrom(event);
}

// A reply that stores something, so that a test sees whether it was.
EventSourcedStreamOut GoodReply(std::int64_t command_id) {
  EventSourcedStreamOut reply = ReplyTo(command_id, ResponseOf("good"));
  AddEvent(reply, "stored");
  return reply;
}

// The first stream is the test's; commands on later ones are answered well.
class WrongMessages : public ::testing::Test {
 protected:
  void Start(std::vector<std::string> arguments = {}) {
    Script script;
    script.spec = testing::ModelSpecification();
    script.on_message = [this](ScriptedStream& stream, const EventSourcedStreamIn& in) {
      if (stream.number() == 0) {
        first_ = &stream;
      } else if (in.has_command()) {
        stream.Write(GoodReply(in.command().id()));
      }
    };
    user_function_ = ScriptedUserFunction::Start(std::move(script));
    arguments.insert(arguments.end(), {"--user-function", user_function_->address()});
    emulator_.emplace(support::EmulatorProcess::Options{std::move(arguments), {}});
    ASSERT_TRUE(emulator_->WaitUntilReady()) << emulator_->process().errors();
    client_.emplace(emulator_->client_address());
  }

  std::future<Outcome> ProcessLater(const std::string& id = "id") {
    return std::async(std::launch::async, [this, id] { return client_->Process(Ask(id)); });
  }

  // The client's first command, brought as far as the user function.
  std::future<Outcome> Command() {
    auto outcome = ProcessLater();
    EXPECT_TRUE(WaitForCommands(0, 1));
    return outcome;
  }

  bool WaitForCommands(std::size_t stream, std::size_t count) {
    return user_function_->WaitUntil([&](const ScriptedUserFunction::Record& record) {
      if (record.streams.size() <= stream) return false;
      std::size_t commands = 0;
      for (const auto& in : record.streams[stream].received) commands += in.has_command() ? 1 : 0;
      return commands >= count;
    });
  }

  // Another command behind the one that is outstanding.
  std::future<Outcome> WaitingCommand(int waiting = 1) {
    auto outcome = ProcessLater();
    const std::string expected = absl::StrCat(R"("waitingCommands":")", waiting, "\"");
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    std::string status;
    do {
      status = support::Http(emulator_->admin_address(), "GET", "/v1/status").body;
    } while (!absl::StrContains(status, expected) && absl::Now() < deadline);
    EXPECT_THAT(status, HasSubstr(expected));
    return outcome;
  }

  ScriptedStream& stream() { return *first_; }
  ScriptedUserFunction::Record record() const { return user_function_->record(); }

  void ExpectGood(const Outcome& outcome) {
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.error_message();
    EXPECT_EQ(outcome.message, "good");
  }

  void ExpectStatus(const Outcome& outcome, StatusCode code, const std::string& text) {
    EXPECT_EQ(outcome.status.error_code(), code);
    EXPECT_EQ(outcome.status.error_message(), text);
  }

  // That the first stream has ended in whatever way, and what reportError has said by then, once.
  void ExpectReset(const std::string& report) {
    EXPECT_TRUE(user_function_->WaitUntil(
        [](const auto& record) { return record.streams[0].ended && !record.errors.empty(); }));
    EXPECT_THAT(record().errors, ElementsAre(HasSubstr(absl::StrCat(kName, report))));
  }

  // That the stream `number` began with a replay of `events` events and has got `commands` commands from 1.
  void ExpectStream(std::size_t number, std::size_t events, std::int64_t commands) {
    const auto streams = record().streams;
    ASSERT_GT(streams.size(), number);
    std::string seen;
    for (const EventSourcedStreamIn& in : streams[number].received) {
      if (in.has_init()) absl::StrAppend(&seen, "init ", in.init().entity_id(), "; ");
      if (in.has_event()) absl::StrAppend(&seen, "event ", in.event().sequence(), "; ");
      if (in.has_command()) absl::StrAppend(&seen, "command ", in.command().id(), "; ");
    }
    std::string expected = "init id; ";
    for (std::size_t i = 1; i <= events; ++i) absl::StrAppend(&expected, "event ", i, "; ");
    for (std::int64_t i = 1; i <= commands; ++i) absl::StrAppend(&expected, "command ", i, "; ");
    EXPECT_EQ(seen, expected);
  }

  std::atomic<ScriptedStream*> first_ = nullptr;
  std::unique_ptr<ScriptedUserFunction> user_function_;
  std::optional<support::EmulatorProcess> emulator_;
  std::optional<ModelClient> client_;
};

// ---- with a command outstanding

struct WhileBusy {
  std::string name;
  std::function<void(ScriptedStream&)> misbehave;
  std::string client_text;
  std::string report;
};

std::ostream& operator<<(std::ostream& out, const WhileBusy& each) { return out << each.name; }

class WhileACommandIsOutstanding : public WrongMessages, public ::testing::WithParamInterface<WhileBusy> {};

TEST_P(WhileACommandIsOutstanding, ItFailsAndTheNextRunsOnANewStream) {
  ASSERT_NO_FATAL_FAILURE(Start());
  auto outstanding = Command();
  auto waiting = WaitingCommand();
  GetParam().misbehave(stream());
  ExpectStatus(outstanding.get(), StatusCode::UNKNOWN, GetParam().client_text);
  ExpectGood(waiting.get());
  ExpectReset(GetParam().report);
  ExpectGood(client_->Process(Ask("id")));
  ExpectStream(1, 0, 2);
}

INSTANTIATE_TEST_SUITE_P(
    Table, WhileACommandIsOutstanding,
    ::testing::Values(
        WhileBusy{"ReplyToAnotherCommand", [](auto& stream) { stream.Write(GoodReply(7)); }, "Unexpected entity reply",
                  "there was a reply for command 7, and the outstanding one is 1"},
        WhileBusy{"ReplyToNoCommand", [](auto& stream) { stream.Write(GoodReply(0)); }, "Unexpected entity reply",
                  "there was a reply for command 0, and the outstanding one is 1"},
        WhileBusy{"FailureOfNoCommand", [](auto& stream) { stream.Write(FailureOf(0, "why")); },
                  "Unexpected entity failure", "it failed: why"},
        WhileBusy{"FailureOfAnotherCommand", [](auto& stream) { stream.Write(FailureOf(7, "why")); },
                  "Unexpected entity failure", "it failed command 7: why"},
        WhileBusy{"FailureOfTheCommand", [](auto& stream) { stream.Write(FailureOf(1, "why")); },
                  "Unexpected entity failure", "it failed command 1: why"},
        WhileBusy{"EmptyMessage", [](auto& stream) { stream.Write(EventSourcedStreamOut()); },
                  "Unexpected entity message", "a message on its stream was empty"},
        WhileBusy{"NoMessageAtAll", [](auto& stream) { stream.WriteBytes("\xff\xff\xff"); },
                  "Unexpected entity message",
                  "a message on its stream was no cloudstate.eventsourced.EventSourcedStreamOut"},
        WhileBusy{"OrderlyEnd", [](auto& stream) { stream.Finish(); }, "Unexpected entity termination",
                  "its stream was ended by the user function: OK"},
        WhileBusy{"BrokenEnd", [](auto& stream) { stream.Break(StatusCode::INTERNAL, "a bug"); },
                  "Unexpected entity termination", "its stream was ended by the user function: INTERNAL: a bug"},
        WhileBusy{"ReplyLargerThanAllowed",
                  [](auto& stream) { stream.Write(ReplyTo(1, ResponseOf(std::string(13 << 20, 'x')))); },
                  "Unexpected entity termination", "its stream was ended by the user function: RESOURCE_EXHAUSTED: "}),
    [](const auto& each) { return each.param.name; });

TEST_F(WrongMessages, AFailureOfTheCommandTellsItsReasonInTheStatusDetails) {
  ASSERT_NO_FATAL_FAILURE(Start());
  auto outstanding = Command();
  stream().Write(FailureOf(1, "the reason"));
  const Outcome outcome = outstanding.get();
  ExpectStatus(outcome, StatusCode::UNKNOWN, "Unexpected entity failure");
  EXPECT_THAT(outcome.status.error_details(), HasSubstr("the reason"));
}

// ---- with none outstanding

struct WhileIdle {
  std::string name;
  std::function<void(ScriptedStream&)> misbehave;
  std::string report;
};

std::ostream& operator<<(std::ostream& out, const WhileIdle& each) { return out << each.name; }

class WhileNothingIsOutstanding : public WrongMessages, public ::testing::WithParamInterface<WhileIdle> {};

TEST_P(WhileNothingIsOutstanding, TheNextCommandRunsOnANewStreamWithAllThatWasStored) {
  ASSERT_NO_FATAL_FAILURE(Start());
  auto outstanding = Command();
  stream().Write(GoodReply(1));
  ExpectGood(outstanding.get());
  GetParam().misbehave(stream());
  ExpectReset(GetParam().report);
  ExpectGood(client_->Process(Ask("id")));
  ExpectStream(1, 1, 1);
}

INSTANTIATE_TEST_SUITE_P(
    Table, WhileNothingIsOutstanding,
    ::testing::Values(
        WhileIdle{"Reply", [](auto& stream) { stream.Write(GoodReply(1)); },
                  "there was a reply for command 1, and no command was outstanding"},
        WhileIdle{"Failure", [](auto& stream) { stream.Write(FailureOf(1, "why")); }, "it failed command 1: why"},
        WhileIdle{"EmptyMessage", [](auto& stream) { stream.Write(EventSourcedStreamOut()); },
                  "a message on its stream was empty"},
        WhileIdle{"OrderlyEnd", [](auto& stream) { stream.Finish(); }, "its stream was ended by the user function: OK"},
        WhileIdle{"BrokenEnd", [](auto& stream) { stream.Break(StatusCode::ABORTED, "a bug"); },
                  "its stream was ended by the user function: ABORTED: a bug"},
        WhileIdle{"Flood",
                  [](auto& stream) {
                    for (int i = 0; i < 5000; ++i) stream.Write(GoodReply(1));
                  },
                  "there was a reply for command 1, and no command was outstanding"}),
    [](const auto& each) { return each.param.name; });

// ---- replies that are in order, with something wrong in them

TEST_F(WrongMessages, AFailureInAReplyStoresNothingAndKeepsTheStream) {
  ASSERT_NO_FATAL_FAILURE(Start());
  auto first = Command();
  EventSourcedStreamOut reply = FailureOf(1, "");
  reply.mutable_reply()->set_command_id(1);
  reply.mutable_reply()->mutable_client_action()->mutable_failure()->set_description("verbatim");
  AddEvent(reply, "must not be stored");
  stream().Write(reply);
  ExpectStatus(first.get(), StatusCode::UNKNOWN, "verbatim");
  auto second = ProcessLater();
  ASSERT_TRUE(WaitForCommands(0, 2));
  stream().Write(GoodReply(2));
  ExpectGood(second.get());
  ExpectStream(0, 0, 2);
  EXPECT_THAT(record().errors, IsEmpty());
  EXPECT_THAT(support::Http(emulator_->admin_address(), "GET", "/v1/entities/event-sourced-tck-model/id").body,
              HasSubstr(R"("lastSequence":"1")"));
}

TEST_F(WrongMessages, WaitingCommandsAreDeliveredAfterAFailureWithRestart) {
  ASSERT_NO_FATAL_FAILURE(Start());
  auto outstanding = Command();
  auto waiting = WaitingCommand();
  EventSourcedStreamOut reply;
  reply.mutable_reply()->set_command_id(1);
  reply.mutable_reply()->mutable_client_action()->mutable_failure()->set_description("again");
  reply.mutable_reply()->mutable_client_action()->mutable_failure()->set_restart(true);
  stream().Write(reply);
  ExpectStatus(outstanding.get(), StatusCode::UNKNOWN, "again");
  ExpectGood(waiting.get());
  EXPECT_TRUE(user_function_->WaitUntil([](const auto& record) { return record.streams[0].half_closed; }));
  ExpectStream(1, 0, 1);
  EXPECT_THAT(record().errors, IsEmpty());
}

TEST_F(WrongMessages, AReplyWithoutAnActionIsAnErrorThatNamesTheMethod) {
  ASSERT_NO_FATAL_FAILURE(Start());
  auto outstanding = Command();
  EventSourcedStreamOut reply;
  reply.mutable_reply()->set_command_id(1);
  stream().Write(reply);
  const Outcome outcome = outstanding.get();
  EXPECT_EQ(outcome.status.error_code(), StatusCode::INTERNAL);
  EXPECT_THAT(outcome.status.error_message(), HasSubstr(absl::StrCat(kModel, ".Process")));
}

TEST_F(WrongMessages, AReplyOfAnotherTypeIsDeliveredWithAWarning) {
  ASSERT_NO_FATAL_FAILURE(Start());
  auto outstanding = Command();
  tck::model::Persisted persisted;
  persisted.set_value("good");  // the same field as the response's
  stream().Write(ReplyTo(1, persisted));
  ExpectGood(outstanding.get());
  EXPECT_TRUE(user_function_->WaitUntil([](const auto& record) { return !record.errors.empty(); }));
  EXPECT_THAT(record().errors, ElementsAre(absl::StrCat(kModel,
                                                        ".Process: Expected reply type_url to be "
                                                        "[type.googleapis.com/cloudstate.tck.model.Response] but was "
                                                        "[type.googleapis.com/cloudstate.tck.model.Persisted].")));
}

TEST_F(WrongMessages, ForwardsToWhatIsUnknownAreReported) {
  ASSERT_NO_FATAL_FAILURE(Start());
  for (const auto& [service, method, text] :
       {std::tuple{"no.Such", "Call", std::string("Service [no.Such] unknown")},
        {kTwo, "None", absl::StrCat("Service [", kTwo, "] does not have a command named: [None]")}}) {
    auto outstanding = ProcessLater();
    const std::size_t before = record().errors.size();
    ASSERT_TRUE(WaitForCommands(0, before + 1));
    EventSourcedStreamOut reply;
    reply.mutable_reply()->set_command_id(static_cast<std::int64_t>(before) + 1);
    reply.mutable_reply()->mutable_client_action()->mutable_forward()->set_service_name(service);
    reply.mutable_reply()->mutable_client_action()->mutable_forward()->set_command_name(method);
    stream().Write(reply);
    ExpectStatus(outstanding.get(), StatusCode::INTERNAL, absl::StrCat(text, "\nforwarded from ", kModel, ".Process"));
    EXPECT_TRUE(user_function_->WaitUntil([&](const auto& record) { return record.errors.size() > before; }));
    EXPECT_EQ(record().errors.back(), absl::StrCat(text, "\nforwarded from ", kModel, ".Process"));
  }
}

TEST_F(WrongMessages, AnEffectOnWhatIsUnknownIsReportedAndFailsNothing) {
  ASSERT_NO_FATAL_FAILURE(Start());
  auto outstanding = Command();
  EventSourcedStreamOut reply = GoodReply(1);
  SideEffect& effect = *reply.mutable_reply()->add_side_effects();
  effect.set_service_name("no.Such");
  effect.set_command_name("Call");
  stream().Write(reply);
  ExpectGood(outstanding.get());
  EXPECT_TRUE(user_function_->WaitUntil([](const auto& record) { return !record.errors.empty(); }));
  EXPECT_THAT(record().errors,
              ElementsAre(absl::StrCat("Service [no.Such] unknown\nside-effect of ", kModel, ".Process")));
}

// ---- user functions that go, hang or have too much to do

TEST_F(WrongMessages, ACommandWithoutAReplyEndsAfterTheRelayTimeout) {
  ASSERT_NO_FATAL_FAILURE(Start({"--relay-timeout", "300ms"}));
  const Outcome outcome = Command().get();
  EXPECT_EQ(outcome.status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(outcome.status.error_message(), HasSubstr(absl::StrCat(kModel, ".Process within 300ms")));
  ExpectReset("the user function did not reply in time");
  ExpectGood(client_->Process(Ask("id")));
  ExpectStream(1, 0, 1);
}

TEST_F(WrongMessages, ALostConnectionFailsTheCommandAndNamesTheAddressAfterwards) {
  ASSERT_NO_FATAL_FAILURE(Start());
  const std::string address = user_function_->address();
  auto outstanding = Command();
  user_function_ = nullptr;
  const Outcome outcome = outstanding.get();
  EXPECT_TRUE(outcome.status.error_message() == "Unexpected entity termination" ||
              absl::StrContains(outcome.status.error_message(), address))
      << outcome.status.error_message();
  ASSERT_TRUE(emulator_->WaitForEvent("lost", [](const auto&) { return true; }));
  const Outcome afterwards = client_->Process(Ask("id"));
  EXPECT_EQ(afterwards.status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_THAT(afterwards.status.error_message(), HasSubstr(absl::StrCat("the user function at ", address)));
  EXPECT_THAT(afterwards.status.error_message(), HasSubstr("(since "));
}

TEST_F(WrongMessages, OneHangingEntityHoldsUpNoOther) {
  ASSERT_NO_FATAL_FAILURE(Start());
  auto hanging = Command();
  ExpectGood(client_->Process(Ask("other")));
  stream().Write(GoodReply(1));
  ExpectGood(hanging.get());
}

TEST_F(WrongMessages, MoreCommandsThanMayWaitForAnEntityAreRefused) {
  ASSERT_NO_FATAL_FAILURE(Start());
  std::vector<std::future<Outcome>> all;
  all.push_back(Command());
  for (int i = 0; i < 120; ++i) all.push_back(ProcessLater());
  std::size_t refused = 0;
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (refused < 20 && absl::Now() < deadline) {
    refused = static_cast<std::size_t>(std::ranges::count_if(
        all, [](auto& each) { return each.wait_for(std::chrono::milliseconds(1)) == std::future_status::ready; }));
  }
  EXPECT_EQ(refused, 20u);
  stream().Finish();  // the rest is delivered on the next stream
  int good = 0;
  int exhausted = 0;
  for (std::future<Outcome>& each : all) {
    const Outcome outcome = each.get();
    good += outcome.status.ok() ? 1 : 0;
    exhausted += outcome.status.error_code() == StatusCode::RESOURCE_EXHAUSTED ? 1 : 0;
  }
  EXPECT_EQ(good, 100);
  EXPECT_EQ(exhausted, 20);
}

TEST_F(WrongMessages, AUserFunctionThatEndsEveryStreamIsNotOfferedTheSameCommandForEver) {
  Script script;
  script.spec = testing::ModelSpecification();
  script.on_message = [](ScriptedStream& stream, const EventSourcedStreamIn&) { stream.Finish(); };
  user_function_ = ScriptedUserFunction::Start(std::move(script));
  emulator_.emplace(support::EmulatorProcess::Options{{"--user-function", user_function_->address()}, {}});
  ASSERT_TRUE(emulator_->WaitUntilReady());
  client_.emplace(emulator_->client_address());
  for (int i = 0; i < 3; ++i) {
    ExpectStatus(client_->Process(Ask("id")), StatusCode::UNKNOWN, "Unexpected entity termination");
  }
  EXPECT_LE(record().streams.size(), 3u);
}

TEST_F(WrongMessages, ForwardsInACircleEnd) {
  Script script;
  script.spec = testing::ModelSpecification();
  script.on_message = [](ScriptedStream& stream, const EventSourcedStreamIn& in) {
    if (!in.has_command()) return;
    EventSourcedStreamOut reply;
    reply.mutable_reply()->set_command_id(in.command().id());
    Forward& forward = *reply.mutable_reply()->mutable_client_action()->mutable_forward();
    forward.set_service_name(in.command().name() == "Call" ? kModel : kTwo);
    forward.set_command_name(in.command().name() == "Call" ? "Process" : "Call");
    *forward.mutable_payload() = in.command().payload();
    stream.Write(reply);
  };
  user_function_ = ScriptedUserFunction::Start(std::move(script));
  emulator_.emplace(support::EmulatorProcess::Options{{"--user-function", user_function_->address()}, {}});
  ASSERT_TRUE(emulator_->WaitUntilReady());
  client_.emplace(emulator_->client_address());
  const Outcome outcome = client_->Process(Ask("id"));
  EXPECT_EQ(outcome.status.error_code(), StatusCode::INTERNAL);
  EXPECT_THAT(outcome.status.error_message(), HasSubstr("more than 64 steps"));
}

}  // namespace
}  // namespace cloudstate
