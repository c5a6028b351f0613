// What becomes of an entity's stream and of its clients' commands when the user function does something wrong: every
// wrong thing, at every point of an entity's life, for every kind of entity that stores its state.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <future>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/conformance/entity_life.h"
#include "tests/conformance/kinds_world.h"

namespace cloudstate::kinds {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// ---- the table

enum class Point {
  kReopened,     // a stream without any command yet: one that was asked for with `restart`
  kReplay,       // its state is being sent, slower than it is there
  kIdle,         // all its commands are answered
  kOutstanding,  // a command is outstanding, and another waits
  kStoring,      // a reply is being stored, or has just been
  kClosing,      // the emulator has half-closed its stream, and a command waits
};

struct Fault {
  std::string name;
  std::vector<Point> points;
  // `last` is the id of the newest command on the stream, 0 before the first.
  std::function<void(ScriptedStream& stream, Kind kind, std::int64_t last)> commit;
  std::string client;  // as in "Unexpected entity reply"
  std::string report;  // part of what reportError says
  std::vector<Kind> kinds = {Kind::kEvents, Kind::kValue};
};

const std::vector<Point>& Always() {
  static const std::vector<Point> points = {Point::kReopened,    Point::kReplay,  Point::kIdle,
                                            Point::kOutstanding, Point::kStoring, Point::kClosing};
  return points;
}

void Reply(ScriptedStream& stream, Kind kind, std::int64_t command_id) {
  stream.WriteBytes(Answer::Reply("wrong").Store("must not be stored").For(kind, command_id));
}

void Fail(ScriptedStream& stream, Kind kind, std::int64_t command_id) {
  stream.WriteBytes(FailureMessage(kind, command_id, "why"));
}

// The rows of the specification's table.
std::vector<Fault> Faults() {
  return {
      {"ReplyToAnotherCommand", Always(), [](auto& stream, Kind kind, auto last) { Reply(stream, kind, last + 6); },
       "reply", "there was a reply for command "},
      {"ReplyToNoCommand", Always(), [](auto& stream, Kind kind, auto) { Reply(stream, kind, 0); }, "reply",
       "there was a reply for command 0"},
      {"ReplyOnceMore",
       {Point::kIdle, Point::kStoring, Point::kClosing},
       [](auto& stream, Kind kind, auto last) { Reply(stream, kind, last); },
       "reply",
       "there was a reply for command 1, and no command was outstanding"},
      {"FloodOfReplies",
       {Point::kIdle, Point::kStoring, Point::kClosing},
       [](auto& stream, Kind kind, auto last) {
         for (int i = 0; i < 5000; ++i) Reply(stream, kind, last);
       },
       "reply",
       "there was a reply for command 1, and no command was outstanding"},
      {"FailureOfNoCommand", Always(), [](auto& stream, Kind kind, auto) { Fail(stream, kind, 0); }, "failure",
       "it failed: why"},
      {"FailureOfAnotherCommand", Always(), [](auto& stream, Kind kind, auto last) { Fail(stream, kind, last + 6); },
       "failure", ": why"},
      {"FailureOfTheCommand",
       {Point::kOutstanding, Point::kStoring, Point::kIdle, Point::kClosing},
       [](auto& stream, Kind kind, auto last) { Fail(stream, kind, last); },
       "failure",
       ": why"},
      {"EmptyMessage", Always(), [](auto& stream, Kind, auto) { stream.WriteBytes(""); }, "message",
       "a message on its stream was empty"},
      {"NoMessageAtAll", Always(), [](auto& stream, Kind, auto) { stream.WriteBytes("\xff\xff\xff"); }, "message",
       "a message on its stream was no cloudstate."},
      {"UpdateWithoutAValue",
       {Point::kOutstanding},
       [](auto& stream, Kind kind, auto last) {
         stream.WriteBytes(Answer::Reply("wrong").StoreNoValue().For(kind, last));
       },
       "message",
       "without a value",
       {Kind::kValue}},
      {"TooLargeAReply", Always(),
       [](auto& stream, Kind kind, auto last) {
         stream.WriteBytes(Answer::Reply(std::string(13 << 20, 'x')).For(kind, last));
       },
       "termination", "its stream was ended by the user function: RESOURCE_EXHAUSTED: "},
      {"OrderlyEnd", Always(), [](auto& stream, Kind, auto) { stream.Finish(); }, "termination",
       "its stream was ended by the user function: OK"},
      {"BrokenEnd", Always(), [](auto& stream, Kind, auto) { stream.Break(grpc::StatusCode::INTERNAL, "a bug"); },
       "termination", "its stream was ended by the user function: INTERNAL: a bug"},
  };
}

struct Case {
  Kind kind;
  Point point;
  Fault fault;
};

std::vector<Case> CasesAt(Point point, const std::vector<Kind>& kinds) {
  std::vector<Case> cases;
  for (const Fault& fault : Faults()) {
    for (const Kind kind : kinds) {
      const Kind plain = IsEventSourced(kind) ? Kind::kEvents : Kind::kValue;
      if (std::ranges::count(fault.points, point) == 0 || std::ranges::count(fault.kinds, plain) == 0) continue;
      cases.push_back({kind, point, fault});
    }
  }
  return cases;
}

std::ostream& operator<<(std::ostream& out, const Case& each) { return out << each.fault.name << each.kind; }

std::string CaseName(const ::testing::TestParamInfo<Case>& info) {
  return absl::StrCat(info.param.fault.name, "Of", NameOf(info.param.kind));
}

// ---- the tests

class FailureTable : public ::testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() { world_ = new World(); }
  static void TearDownTestSuite() { delete std::exchange(world_, nullptr); }

  void SetUp() override { life_.emplace(*world_, GetParam().kind, GetParam().fault.name); }

  void Commit(std::size_t stream, std::int64_t last) {
    GetParam().fault.commit(life_->control().stream(stream), GetParam().kind, last);
  }

  // What the client gets whose command the fault costs.
  std::string Failed() const { return absl::StrCat("UNKNOWN ", Unexpected(GetParam().kind, GetParam().fault.client)); }

  // The streams that the user function got, the number of writes that are stored, and one report of the fault.
  void ExpectLife(const std::vector<std::string>& streams, std::int64_t stored) {
    EXPECT_EQ(life_->view().Streams(), streams);
    EXPECT_EQ(life_->LastSequence(), stored);
    EXPECT_TRUE(life_->view().WaitForErrors(1));
    EXPECT_THAT(life_->view().Errors(), ElementsAre(HasSubstr(GetParam().fault.report)));
  }

  static inline World* world_ = nullptr;
  std::optional<EntityLife> life_;
};

using WhileReopened = FailureTable;

TEST_P(WhileReopened, TheNextCommandRunsOnAnotherStream) {
  EXPECT_EQ(life_->Do("one"), "good OK");
  EXPECT_EQ(life_->Do(EntityControl::kRestart), "UNKNOWN again");
  const std::string opening = life_->Opening({"one"});
  ASSERT_TRUE(life_->view().WaitFor(1, opening));
  Commit(1, 0);
  ASSERT_TRUE(life_->view().WaitForErrors(1));
  EXPECT_EQ(life_->Do("two"), "good OK");
  ExpectLife({life_->Opening({}, 2), opening, life_->Opening({"one"}, 1)}, 2);
}

INSTANTIATE_TEST_SUITE_P(Table, WhileReopened,
                         ::testing::ValuesIn(CasesAt(Point::kReopened, {Kind::kEvents, Kind::kValue})), CaseName);

using WhileReplaying = FailureTable;

// One command is lost for each stream, though the user function has seen none, lest one is offered for ever.
TEST_P(WhileReplaying, OneCommandFailsAndTheNextRunsOnAnotherStream) {
  EXPECT_EQ(life_->Do(EntityControl::kLongText), "good OK");
  life_->control().read_nothing = true;
  EXPECT_EQ(life_->Do(EntityControl::kRestart), "UNKNOWN again");
  life_->control().stream(1);
  auto first = life_->Begin("one");
  EXPECT_TRUE(world_->WaitForWaiting(1));
  auto second = life_->Begin("two");
  EXPECT_TRUE(world_->WaitForWaiting(2));
  Commit(1, 0);
  EXPECT_EQ(ToString(first.get()), Failed());
  EXPECT_EQ(ToString(second.get()), "good OK");
  const std::vector<std::string> stored(kLongHistory, std::string(16, 'x'));
  ExpectLife({life_->Opening({}, 2), life_->Opening(stored, 1)}, kLongHistory + 1);
}

INSTANTIATE_TEST_SUITE_P(Table, WhileReplaying, ::testing::ValuesIn(CasesAt(Point::kReplay, {Kind::kEvents})),
                         CaseName);

using WhileIdle = FailureTable;

TEST_P(WhileIdle, TheNextCommandRunsOnANewStreamWithAllThatWasStored) {
  EXPECT_EQ(life_->Do("one"), "good OK");
  Commit(0, 1);
  ASSERT_TRUE(life_->view().WaitForErrors(1));
  EXPECT_EQ(life_->Do("two"), "good OK");
  ExpectLife({life_->Opening({}, 1), life_->Opening({"one"}, 1)}, 2);
}

INSTANTIATE_TEST_SUITE_P(Table, WhileIdle, ::testing::ValuesIn(CasesAt(Point::kIdle, {Kind::kEvents, Kind::kValue})),
                         CaseName);

using WhileACommandIsOutstanding = FailureTable;

TEST_P(WhileACommandIsOutstanding, ItFailsAndTheOneThatWaitsRunsOnANewStream) {
  EXPECT_EQ(life_->Do("one"), "good OK");
  auto outstanding = life_->Begin(EntityControl::kHang);
  ASSERT_TRUE(life_->view().WaitFor(0, life_->Opening({}, 2)));
  auto waiting = life_->Begin("two");
  EXPECT_TRUE(world_->WaitForWaiting(1));
  Commit(0, 2);
  EXPECT_EQ(ToString(outstanding.get()), Failed());
  EXPECT_EQ(ToString(waiting.get()), "good OK");
  EXPECT_EQ(life_->Do("three"), "good OK");
  ExpectLife({life_->Opening({}, 2), life_->Opening({"one"}, 2)}, 3);
}

INSTANTIATE_TEST_SUITE_P(Table, WhileACommandIsOutstanding,
                         ::testing::ValuesIn(CasesAt(Point::kOutstanding, {Kind::kEvents, Kind::kValue})), CaseName);

using WhileStoring = FailureTable;

// Whether the fault is noticed before the write ends or after it, the answer that came before is whole.
TEST_P(WhileStoring, TheAnswerIsDeliveredAndTheNextCommandRunsOnANewStream) {
  auto outstanding = life_->Begin(EntityControl::kHang);
  ASSERT_TRUE(life_->view().WaitFor(0, life_->Opening({}, 1)));
  life_->control().stream(0).WriteBytes(Answer::Reply("good").Store("one").For(GetParam().kind, 1));
  Commit(0, 1);
  EXPECT_EQ(ToString(outstanding.get()), "good OK");
  EXPECT_TRUE(life_->view().WaitForStream(0, [](const auto& stream) { return stream.ended; }));
  EXPECT_EQ(life_->Do("two"), "good OK");
  EXPECT_THAT(life_->view().Streams(), ElementsAre(life_->Opening({}, 1), life_->Opening({"one"}, 1)));
  EXPECT_EQ(life_->LastSequence(), 2);
}

INSTANTIATE_TEST_SUITE_P(Table, WhileStoring,
                         ::testing::ValuesIn(CasesAt(Point::kStoring, {Kind::kEvents, Kind::kValue})), CaseName);

using WhileClosing = FailureTable;

TEST_P(WhileClosing, NothingMattersAndTheCommandThatWaitsRunsOnANewStream) {
  life_->control().leave_open = true;
  EXPECT_EQ(life_->Do("one"), "good OK");
  ASSERT_TRUE(life_->view().WaitForStream(0, [](const auto& stream) { return stream.half_closed; }));
  auto waiting = life_->Begin("two");
  EXPECT_TRUE(world_->WaitForWaiting(1));
  Commit(0, 1);
  life_->control().stream(0).Finish();
  EXPECT_EQ(ToString(waiting.get()), "good OK");
  EXPECT_THAT(life_->view().Streams(), ElementsAre(life_->Opening({}, 1), life_->Opening({"one"}, 1)));
  EXPECT_EQ(life_->LastSequence(), 2);
  EXPECT_THAT(life_->view().Errors(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Table, WhileClosing,
                         ::testing::ValuesIn(CasesAt(Point::kClosing, {Kind::kBriefEvents, Kind::kBriefValue})),
                         CaseName);

}  // namespace
}  // namespace cloudstate::kinds
