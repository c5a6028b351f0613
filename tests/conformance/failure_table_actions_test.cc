// What becomes of a client's call of an action when the user function, or the client, does something wrong: every wrong
// thing in each of the four shapes. The entities' table is in failure_table_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/conformance/kinds_world.h"

namespace cloudstate::kinds {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::vector<Kind>& AllShapes() {
  static const std::vector<Kind> shapes = {Kind::kUnary, Kind::kStreamedIn, Kind::kStreamedOut, Kind::kStreamed};
  return shapes;
}

std::vector<Kind> OneResponse() { return {Kind::kUnary, Kind::kStreamedIn}; }
std::vector<Kind> ManyResponses() { return {Kind::kStreamedOut, Kind::kStreamed}; }

std::string ShapeName(const ::testing::TestParamInfo<Kind>& info) { return NameOf(info.param); }

// ---- the table

struct ActionFault {
  std::string name;
  std::vector<Kind> kinds;
  std::function<void(ScriptedStream&)> commit;  // once the client's message has come
  std::string outcome;                          // for the client; how it begins
};

void Write(ScriptedStream& stream, const Answer& answer) { stream.WriteBytes(answer.ForAction()); }

std::vector<ActionFault> ActionFaults() {
  const std::string termination = "UNKNOWN Unexpected action termination: ";
  const std::string message = "UNKNOWN Unexpected action message";
  return {
      {"Failure", OneResponse(),
       [](auto& stream) {
         Write(stream, Answer::Failure("verbatim"));
         stream.Finish();
       },
       "UNKNOWN verbatim"},
      {"Failure", ManyResponses(), [](auto& stream) { Write(stream, Answer::Failure("verbatim")); },
       "UNKNOWN verbatim"},
      {"FailureAfterAReply", ManyResponses(),
       [](auto& stream) {
         Write(stream, Answer::Reply("one"));
         Write(stream, Answer::Failure("verbatim"));
       },
       "one UNKNOWN verbatim"},
      {"ReplyAfterAFailure", OneResponse(),
       [](auto& stream) {
         Write(stream, Answer::Failure("verbatim"));
         Write(stream, Answer::Reply("one"));
         stream.Finish();
       },
       message},
      {"ReplyAfterAFailure", ManyResponses(),
       [](auto& stream) {
         Write(stream, Answer::Failure("verbatim"));
         Write(stream, Answer::Reply("one"));
         stream.Finish();
       },
       "UNKNOWN verbatim"},
      {"TwoReplies", OneResponse(),
       [](auto& stream) {
         Write(stream, Answer::Reply("one"));
         Write(stream, Answer::Reply("two"));
         stream.Finish();
       },
       message},
      {"NoResponse", OneResponse(), [](auto& stream) { stream.Finish(); }, termination},
      {"NoResponse", ManyResponses(), [](auto& stream) { stream.Finish(); }, "OK"},
      {"NothingSet", OneResponse(),
       [](auto& stream) {
         Write(stream, Answer::Nothing());
         stream.Finish();
       },
       "INTERNAL test.kinds.Action."},
      {"NothingSet", ManyResponses(),
       [](auto& stream) {
         Write(stream, Answer::Nothing());
         Write(stream, Answer::Reply("one"));
         Write(stream, Answer::Nothing());
         stream.Finish();
       },
       "one OK"},
      {"NoMessageAtAll", AllShapes(), [](auto& stream) { stream.WriteBytes("\xff\xff\xff"); }, message},
      {"TooLargeAResponse", AllShapes(), [](auto& stream) { Write(stream, Answer::Reply(std::string(13 << 20, 'x'))); },
       termination + "RESOURCE_EXHAUSTED"},
      {"BrokenEnd", AllShapes(), [](auto& stream) { stream.Break(grpc::StatusCode::INTERNAL, "a bug"); },
       termination + "INTERNAL: a bug"},
      {"BrokenEndAfterAReply", OneResponse(),
       [](auto& stream) {
         Write(stream, Answer::Reply("one"));
         stream.Break(grpc::StatusCode::INTERNAL, "a bug");
       },
       termination + "INTERNAL: a bug"},
      {"BrokenEndAfterAReply", ManyResponses(),
       [](auto& stream) {
         Write(stream, Answer::Reply("one"));
         stream.Break(grpc::StatusCode::INTERNAL, "a bug");
       },
       "one " + termination + "INTERNAL: a bug"},
  };
}

struct ActionCase {
  Kind kind;
  ActionFault fault;
};

std::ostream& operator<<(std::ostream& out, const ActionCase& each) { return out << each.fault.name << each.kind; }

std::vector<ActionCase> ActionCases() {
  std::vector<ActionCase> cases;
  for (const ActionFault& fault : ActionFaults()) {
    for (const Kind kind : fault.kinds) cases.push_back({kind, fault});
  }
  return cases;
}

// Tests share an emulator; each has the newest call of the user function.
template <typename Parameter>
class ActionTest : public ::testing::TestWithParam<Parameter> {
 protected:
  static void SetUpTestSuite() { world_ = new World(); }
  static void TearDownTestSuite() { delete std::exchange(world_, nullptr); }

  void SetUp() override { before_ = world_->user_function().record().streams.size(); }
  void TearDown() override { world_->Use({}); }

  // The client's message has come: `then` is what the user function does.
  void OnRequest(std::function<void(ScriptedStream&)> then) {
    world_->Use({.on_open = {},
                 .on_message =
                     [then = std::move(then)](ScriptedStream& stream, const Received& in) {
                       if (in.request.has_value() && then) then(stream);
                     },
                 .on_half_close = [](ScriptedStream&) {},
                 .on_all_written = {}});
  }

  bool WaitForCall(const std::function<bool(const ScriptedUserFunction::StreamRecord&)>& condition) {
    return world_->user_function().WaitUntil(
        [&](const auto& record) { return record.streams.size() > before_ && condition(record.streams[before_]); });
  }

  static inline World* world_ = nullptr;
  std::size_t before_ = 0;  // streams that the user function got before this test
};

using ActionFailureTable = ActionTest<ActionCase>;

TEST_P(ActionFailureTable, TheClientIsToldAndTheCallEnds) {
  const auto& [kind, fault] = GetParam();
  OnRequest(fault.commit);
  EXPECT_THAT(ToString(world_->Call(kind, RequestOf("id"))), StartsWith(fault.outcome));
  EXPECT_TRUE(WaitForCall([](const auto& call) { return call.ended; }));
  world_->Use({});
  EXPECT_EQ(ToString(world_->Call(kind, RequestOf("id"))), "good OK");
}

INSTANTIATE_TEST_SUITE_P(Table, ActionFailureTable, ::testing::ValuesIn(ActionCases()), [](const auto& each) {
  return absl::StrCat(each.param.fault.name, "Of", NameOf(each.param.kind));
});

// ---- clients that go, and calls that hang

using ActionShape = ActionTest<Kind>;

INSTANTIATE_TEST_SUITE_P(Shapes, ActionShape, ::testing::ValuesIn(AllShapes()), ShapeName);

TEST_P(ActionShape, AClientThatGoesCancelsTheUserFunctionsCall) {
  OnRequest({});
  {
    ClientCall call(world_->channel(), GetParam());
    call.Write(RequestOf("id"));
    if (!StreamsIn(GetParam())) call.HalfClose();
    ASSERT_TRUE(WaitForCall([](const auto& record) { return !record.received.empty(); }));
    call.Cancel();
    EXPECT_EQ(call.End().error_code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_TRUE(WaitForCall([](const auto& record) { return record.cancelled && record.ended; }));
}

TEST_P(ActionShape, ADeadlineTravelsToTheUserFunctionAndEndsBothCalls) {
  OnRequest({});
  const Outcome outcome = CallNow(world_->channel(), GetParam(), {RequestOf("id")}, {.deadline = absl::Seconds(1)});
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  ASSERT_TRUE(WaitForCall([](const auto& record) { return record.ended; }));
  const absl::Duration time_left = world_->user_function().record().streams[before_].time_left;
  EXPECT_GT(time_left, absl::ZeroDuration());
  EXPECT_LT(time_left, absl::Milliseconds(1050));  // gRPC rounds it up
}

TEST_P(ActionShape, AStreamThatEndsInAFailureIsCancelled) {
  if (!StreamsOut(GetParam())) return;
  OnRequest([](ScriptedStream& stream) { Write(stream, Answer::Failure("no")); });
  ClientCall call(world_->channel(), GetParam());
  call.Write(RequestOf("id"));
  if (!StreamsIn(GetParam())) call.HalfClose();
  EXPECT_EQ(call.End().error_message(), "no");
  EXPECT_TRUE(WaitForCall([](const auto& record) { return record.cancelled && record.ended; }));
}

TEST_P(ActionShape, AHalfCloseArrivesAfterTheMessages) {
  const Kind kind = GetParam();
  OnRequest({});
  ClientCall call(world_->channel(), kind);
  call.Write(RequestOf("id", "one"));
  if (StreamsIn(kind)) {
    // Its call begins with a message of its own, which has the names but no payload.
    ASSERT_TRUE(WaitForCall([](const auto& record) { return record.received.size() == 2; }));
    EXPECT_TRUE(WaitForCall([](const auto& record) { return !record.half_closed; }));
    call.Write(RequestOf("id", "two"));
  }
  call.HalfClose();
  ASSERT_TRUE(WaitForCall([](const auto& record) { return record.half_closed; }));
  const auto record = world_->user_function().record().streams[before_];
  EXPECT_EQ(record.method, UserFunctionPath(kind));
  const Received first = ParseReceived(record.method, record.received[0]);
  EXPECT_EQ(first.service, ServiceOf(kind));
  EXPECT_EQ(first.method, MethodOf(kind));
  EXPECT_EQ(first.request.has_value(), !StreamsIn(kind));
  ASSERT_EQ(record.received.size(), StreamsIn(kind) ? 3u : 1u);
  for (std::size_t i = 1; i < record.received.size(); ++i) {
    const Received next = ParseReceived(record.method, record.received[i]);
    EXPECT_EQ(next.service, "");
    EXPECT_EQ(next.method, "");
    EXPECT_EQ(next.metadata.entries_size(), 0);
    EXPECT_EQ(next.request->text(), i == 1 ? "one" : "two");
  }
}

TEST_P(ActionShape, HeadersArriveAsMetadataAndMetadataOfTheFirstReplyAsHeaders) {
  OnRequest([](ScriptedStream& stream) {
    Write(stream, Answer::Reply("one").Header("answer", "text").Header("answer-bin", std::string("\0\x01\xff", 3)));
    stream.Finish();
  });
  const std::string bytes("\xff\0\x7f", 3);
  const Outcome outcome = CallNow(world_->channel(), GetParam(), {RequestOf("id")},
                                  {.headers = {{"asked", "text"}, {"asked", "again"}, {"asked-bin", bytes}}});
  EXPECT_EQ(ToString(outcome), "one OK");
  EXPECT_EQ(outcome.headers.find("answer")->second, "text");
  EXPECT_EQ(outcome.headers.find("answer-bin")->second, std::string("\0\x01\xff", 3));

  const auto record = world_->user_function().record().streams[before_];
  std::vector<std::string> seen;
  const Received first = ParseReceived(record.method, record.received[0]);
  for (const MetadataEntry& entry : first.metadata.entries()) {
    if (entry.key() == "asked") seen.push_back(entry.string_value());
    if (entry.key() == "asked-bin") seen.push_back(entry.bytes_value());
  }
  std::ranges::sort(seen);
  EXPECT_EQ(seen, (std::vector<std::string>{"again", "text", bytes}));
}

TEST_P(ActionShape, EffectsOfAResponseRunThoughItHasNoReply) {
  OnRequest([](ScriptedStream& stream) {
    Write(stream, Answer::Nothing().Effect(Kind::kUnary, RequestOf("effect"), true));
    stream.Finish();
  });
  const std::string outcome = ToString(world_->Call(GetParam(), RequestOf("id")));
  EXPECT_THAT(outcome, StreamsOut(GetParam()) ? StartsWith("OK") : StartsWith("INTERNAL "));
  EXPECT_TRUE(world_->user_function().WaitUntil([&](const auto& record) {
    return record.streams.size() > before_ + 1 && !record.streams[before_ + 1].received.empty();
  }));
}

// ---- user functions that hang or go

TEST(ActionRelayTimeout, EndsACallWhoseOneResponseDoesNotCome) {
  World world({"--relay-timeout", "1s"});
  world.Use(
      {.on_open = {}, .on_message = [](auto&, const auto&) {}, .on_half_close = [](auto&) {}, .on_all_written = {}});
  for (const Kind kind : OneResponse()) {
    const Outcome outcome = world.Call(kind, RequestOf("id"));
    EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    EXPECT_THAT(outcome.status.error_message(), HasSubstr(absl::StrCat(CalledAs(kind), " within ")));
  }
  EXPECT_TRUE(world.user_function().WaitUntil([](const auto& record) {
    return record.streams.size() == 2 && record.streams[0].ended && record.streams[1].ended;
  }));
}

TEST(ActionRelayTimeout, DoesNotEndAStream) {
  World world({"--relay-timeout", "200ms"});
  for (const Kind kind : ManyResponses()) {
    world.Use(
        {.on_open = {}, .on_message = [](auto&, const auto&) {}, .on_half_close = [](auto&) {}, .on_all_written = {}});
    ClientCall stream(world.channel(), kind, {.deadline = absl::Seconds(20)});
    stream.Write(RequestOf("id"));
    if (!StreamsIn(kind)) stream.HalfClose();
    // A call of the other kind, which the timeout does end, has been and gone meanwhile.
    EXPECT_EQ(world.Call(Kind::kUnary, RequestOf("id")).status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    EXPECT_TRUE(world.user_function().WaitUntil([&](const auto& record) {
      return std::ranges::any_of(
          record.streams, [&](const auto& call) { return call.method == UserFunctionPath(kind) && !call.ended; });
    }));
    stream.Cancel();
  }
}

TEST(ActionUserFunction, ThatGoesFailsEveryCall) {
  World world;
  world.Use({.on_open = {},
             .on_message =
                 [](ScriptedStream& stream, const Received& in) {
                   if (in.request.has_value() && absl::EndsWith(stream.method(), "Streamed")) {
                     Write(stream, Answer::Reply("one"));
                   }
                 },
             .on_half_close = [](auto&) {},
             .on_all_written = {}});
  std::vector<std::unique_ptr<ClientCall>> calls;
  for (const Kind kind : AllShapes()) {
    calls.push_back(std::make_unique<ClientCall>(world.channel(), kind));
    calls.back()->Write(RequestOf("id"));
    if (!StreamsIn(kind)) calls.back()->HalfClose();
  }
  EXPECT_EQ(calls.back()->Read(), "one");
  ASSERT_TRUE(world.user_function().WaitUntil([](const auto& record) {
    return record.streams.size() == 4 &&
           std::ranges::none_of(record.streams, [](const auto& call) { return call.received.empty(); });
  }));
  world.StopUserFunction();
  for (const auto& call : calls) {
    const grpc::Status status = call->End();
    EXPECT_TRUE(status.error_code() == grpc::StatusCode::UNAVAILABLE ||
                absl::StartsWith(status.error_message(), "Unexpected action termination"))
        << status.error_code() << " " << status.error_message();
  }
  world.Use({});
  world.StartUserFunction();
  ASSERT_TRUE(world.emulator().WaitUntilReady(2));
  for (const Kind kind : AllShapes()) EXPECT_EQ(ToString(world.Call(kind, RequestOf("id"))), "good OK");
}

}  // namespace
}  // namespace cloudstate::kinds
