// What entities and their clients see of replies that are in order, with something wrong in them, and of user functions
// that hang, go or have too much to do. What is wrong with a stream itself is in failure_table_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/conformance/entity_life.h"
#include "tests/conformance/kinds_world.h"

namespace cloudstate::kinds {
namespace {

using grpc::StatusCode;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string KindName(const ::testing::TestParamInfo<Kind>& info) { return NameOf(info.param); }

const auto kStoredKinds = ::testing::Values(Kind::kEvents, Kind::kValue);

// Tests share an emulator; each has an entity of its own.
class EntityReplies : public ::testing::TestWithParam<Kind> {
 protected:
  static void SetUpTestSuite() { world_ = new World(); }
  static void TearDownTestSuite() { delete std::exchange(world_, nullptr); }

  static inline World* world_ = nullptr;
  EntityLife life_{*world_, GetParam(), ::testing::UnitTest::GetInstance()->current_test_info()->name()};
};

INSTANTIATE_TEST_SUITE_P(Kinds, EntityReplies, kStoredKinds, KindName);

TEST_P(EntityReplies, AFailureOfTheCommandTellsItsReasonInTheStatusDetails) {
  auto outstanding = life_.Begin(EntityControl::kHang);
  ASSERT_TRUE(life_.view().WaitFor(0, life_.Opening({}, 1)));
  life_.control().stream(0).WriteBytes(FailureMessage(GetParam(), 1, "the reason"));
  const Outcome outcome = outstanding.get();
  EXPECT_EQ(ToString(outcome), "UNKNOWN " + Unexpected(GetParam(), "failure"));
  EXPECT_THAT(outcome.status.error_details(), HasSubstr("the reason"));
}

TEST_P(EntityReplies, AFailureInAReplyStoresNothingAndKeepsTheStream) {
  EXPECT_EQ(life_.Do(EntityControl::kFail), "UNKNOWN verbatim");
  EXPECT_EQ(life_.Do("one"), "good OK");
  EXPECT_THAT(life_.view().Streams(), ElementsAre(life_.Opening({}, 2)));
  EXPECT_THAT(life_.view().Errors(), IsEmpty());
  EXPECT_EQ(life_.LastSequence(), 1);
}

TEST_P(EntityReplies, AFailureWithRestartOpensAnotherStreamAtOnceForWhatWaits) {
  EXPECT_EQ(life_.Do("one"), "good OK");
  life_.control().leave_open = true;
  EXPECT_EQ(life_.Do(EntityControl::kRestart), "UNKNOWN again");
  ASSERT_TRUE(life_.view().WaitForStream(0, [](const auto& stream) { return stream.half_closed; }));
  auto waiting = life_.Begin("two");
  EXPECT_TRUE(world_->WaitForWaiting(1));
  life_.control().stream(0).Finish();
  EXPECT_EQ(ToString(waiting.get()), "good OK");
  EXPECT_THAT(life_.view().Streams(), ElementsAre(life_.Opening({}, 2), life_.Opening({"one"}, 1)));
  EXPECT_THAT(life_.view().Errors(), IsEmpty());
}

TEST_P(EntityReplies, AStreamThatIsNotEndedAfterItsHalfCloseIsCancelled) {
  EXPECT_EQ(life_.Do("one"), "good OK");
  life_.control().leave_open = true;
  EXPECT_EQ(life_.Do(EntityControl::kRestart), "UNKNOWN again");
  EXPECT_EQ(life_.Do("two"), "good OK");
  EXPECT_TRUE(life_.view().WaitForStream(0, [](const auto& stream) { return stream.half_closed && stream.cancelled; }));
  EXPECT_THAT(life_.view().Streams(), ElementsAre(life_.Opening({}, 2), life_.Opening({"one"}, 1)));
  EXPECT_THAT(life_.view().Errors(), IsEmpty());
}

TEST_P(EntityReplies, AReplyWithoutAnActionIsAnErrorThatNamesTheMethod) {
  auto outstanding = life_.Begin(EntityControl::kHang);
  ASSERT_TRUE(life_.view().WaitFor(0, life_.Opening({}, 1)));
  life_.control().stream(0).WriteBytes(Answer::Nothing().For(GetParam(), 1));
  EXPECT_THAT(ToString(outstanding.get()), StartsWith(absl::StrCat("INTERNAL ", CalledAs(GetParam()))));
}

TEST_P(EntityReplies, AReplyOfAnotherTypeIsDeliveredWithAWarning) {
  auto outstanding = life_.Begin(EntityControl::kHang);
  ASSERT_TRUE(life_.view().WaitFor(0, life_.Opening({}, 1)));
  test::kinds::Stored stored;
  stored.set_text("good");  // the same field as the response's
  Answer answer = Answer::Reply("");
  answer.action.mutable_reply()->mutable_payload()->PackFrom(stored);
  life_.control().stream(0).WriteBytes(answer.For(GetParam(), 1));
  EXPECT_EQ(ToString(outstanding.get()), "good OK");
  // Those of earlier tests may still be coming in.
  const std::string warning = absl::StrCat(CalledAs(GetParam()),
                                           ": Expected reply type_url to be [type.googleapis.com/test.kinds.Response] "
                                           "but was [type.googleapis.com/test.kinds.Stored].");
  EXPECT_TRUE(world_->user_function().WaitUntil(
      [&](const auto& record) { return std::ranges::find(record.errors, warning) != record.errors.end(); }));
}

TEST_P(EntityReplies, OneThatHangsHoldsUpNoOther) {
  auto hanging = life_.Begin(EntityControl::kHang);
  ASSERT_TRUE(life_.view().WaitFor(0, life_.Opening({}, 1)));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ToString(world_->Call(GetParam(), RequestOf(absl::StrCat("other ", i), "one"))), "good OK");
  }
  life_.control().stream(0).WriteBytes(Answer::Reply("late").For(GetParam(), 1));
  EXPECT_EQ(ToString(hanging.get()), "late OK");
}

TEST_P(EntityReplies, MoreCommandsThanMayWaitAreRefused) {
  std::vector<std::future<Outcome>> all;
  all.push_back(life_.Begin(EntityControl::kHang));
  ASSERT_TRUE(life_.view().WaitFor(0, life_.Opening({}, 1)));
  for (int i = 0; i < 120; ++i) all.push_back(life_.Begin("one"));
  std::size_t refused = 0;
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (refused < 20 && absl::Now() < deadline) {
    refused = static_cast<std::size_t>(std::ranges::count_if(
        all, [](auto& each) { return each.wait_for(std::chrono::milliseconds(1)) == std::future_status::ready; }));
  }
  EXPECT_EQ(refused, 20u);
  life_.control().stream(0).Finish();  // the rest is delivered on the next stream
  std::map<StatusCode, int> outcomes;
  for (std::future<Outcome>& each : all) ++outcomes[each.get().status.error_code()];
  EXPECT_THAT(outcomes, ElementsAre(std::pair(StatusCode::OK, 100), std::pair(StatusCode::UNKNOWN, 1),
                                    std::pair(StatusCode::RESOURCE_EXHAUSTED, 20)));
}

TEST_P(EntityReplies, OneThatEndsEveryStreamIsNotOfferedTheSameCommandForEver) {
  world_->Use({.on_open = {},
               .on_message = [](ScriptedStream& stream, const Received&) { stream.Finish(); },
               .on_half_close = [](ScriptedStream&) {},
               .on_all_written = {}});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(life_.Do("one"), "UNKNOWN " + Unexpected(GetParam(), "termination"));
  EXPECT_LE(life_.view().Streams().size(), 3u);
}

// ---- values alone

class ValueReplies : public EntityReplies {};

INSTANTIATE_TEST_SUITE_P(Kinds, ValueReplies, ::testing::Values(Kind::kValue), KindName);

TEST_P(ValueReplies, ADeletedValueKeepsItsStreamAndIsNewOnTheNext) {
  EXPECT_EQ(life_.Do("one"), "good OK");
  EXPECT_EQ(life_.Do(EntityControl::kDelete), "good OK");
  EXPECT_EQ(life_.Do(EntityControl::kRestart), "UNKNOWN again");
  ASSERT_TRUE(life_.view().WaitFor(1, life_.Opening({})));
  EXPECT_EQ(life_.Do("two"), "good OK");
  EXPECT_EQ(life_.Do(EntityControl::kRestart), "UNKNOWN again");
  EXPECT_TRUE(life_.view().WaitFor(2, life_.Opening({"two"})));
  EXPECT_THAT(life_.view().Streams(), ElementsAre(life_.Opening({}, 3), life_.Opening({}, 2), life_.Opening({"two"})));
  EXPECT_THAT(life_.view().Errors(), IsEmpty());
}

// ---- user functions that hang or go

class EntityRelayTimeout : public ::testing::TestWithParam<Kind> {};

INSTANTIATE_TEST_SUITE_P(Kinds, EntityRelayTimeout, kStoredKinds, KindName);

TEST_P(EntityRelayTimeout, EndsACommandWithoutAReplyAndItsStreamButNotWhatWaits) {
  World world({"--relay-timeout", "4s"});
  EntityLife life(world, GetParam(), "id");
  auto hanging = life.Begin(EntityControl::kHang);
  ASSERT_TRUE(life.view().WaitFor(0, life.Opening({}, 1)));
  // The one that waits has time left when the other's is over.
  const auto meanwhile =
      CallNow(world.channel(), GetParam(), {RequestOf("other", EntityControl::kHang)}, {.deadline = absl::Seconds(2)});
  EXPECT_EQ(meanwhile.status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  auto waiting = life.Begin("one");
  const Outcome outcome = hanging.get();
  EXPECT_EQ(outcome.status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(outcome.status.error_message(), HasSubstr(absl::StrCat(CalledAs(GetParam()), " within 4s")));
  EXPECT_EQ(ToString(waiting.get()), "good OK");
  EXPECT_THAT(life.view().Streams(), ElementsAre(life.Opening({}, 1), life.Opening({}, 1)));
  EXPECT_TRUE(life.view().WaitForErrors(1));
  EXPECT_THAT(life.view().Errors(), ElementsAre(HasSubstr("the user function did not reply in time")));
}

void ExpectLost(std::future<Outcome>& outcome, Kind kind, const std::string& address) {
  EXPECT_THAT(ToString(outcome.get()), AnyOf("UNKNOWN " + Unexpected(kind, "termination"),
                                             AllOf(StartsWith("UNAVAILABLE"), HasSubstr(address))));
}

class EntityUserFunction : public ::testing::TestWithParam<Kind> {};

INSTANTIATE_TEST_SUITE_P(Kinds, EntityUserFunction, kStoredKinds, KindName);

TEST_P(EntityUserFunction, ThatGoesFailsWhatIsUnderWayAndFindsTheStateWhenItIsBack) {
  const Kind kind = GetParam();
  World world;
  const std::string address = world.user_function().address();
  EntityLife reopened(world, kind, "reopened");
  EXPECT_EQ(reopened.Do("one"), "good OK");
  EXPECT_EQ(reopened.Do(EntityControl::kRestart), "UNKNOWN again");
  ASSERT_TRUE(reopened.view().WaitFor(1, reopened.Opening({"one"})));
  EntityLife idle(world, kind, "idle");
  EXPECT_EQ(idle.Do("one"), "good OK");
  EntityLife closing(world, kind == Kind::kEvents ? Kind::kBriefEvents : Kind::kBriefValue, "closing");
  closing.control().leave_open = true;
  EXPECT_EQ(closing.Do("one"), "good OK");
  ASSERT_TRUE(closing.view().WaitForStream(0, [](const auto& stream) { return stream.half_closed; }));
  EntityLife busy(world, kind, "busy");
  EXPECT_EQ(busy.Do("one"), "good OK");
  auto outstanding = busy.Begin(EntityControl::kHang);
  ASSERT_TRUE(busy.view().WaitFor(0, busy.Opening({}, 2)));
  auto waiting = busy.Begin("two");
  ASSERT_TRUE(world.WaitForWaiting(1));

  world.StopUserFunction();
  ExpectLost(outstanding, kind, address);
  ExpectLost(waiting, kind, address);
  ASSERT_TRUE(world.emulator().WaitForEvent("lost", [](const auto&) { return true; }));
  EXPECT_THAT(idle.Do("two"),
              AllOf(StartsWith("UNAVAILABLE"), HasSubstr("the user function at " + address), HasSubstr("(since ")));

  world.StartUserFunction();
  ASSERT_TRUE(world.emulator().WaitUntilReady(2));
  for (EntityLife* life : {&reopened, &idle, &closing, &busy}) {
    EXPECT_EQ(life->Do("three"), "good OK");
    EXPECT_THAT(life->view().Streams(), ElementsAre(life->Opening({"one"}, 1)));
    EXPECT_EQ(life->LastSequence(), 2);
  }
}

TEST(EntityUserFunctionInReplay, ThatGoesFailsWhatWaitsAndIsSentTheReplayAgain) {
  World world;
  const std::string address = world.user_function().address();
  EntityLife life(world, Kind::kEvents, "id");
  EXPECT_EQ(life.Do(EntityControl::kLongText), "good OK");
  life.control().read_nothing = true;
  EXPECT_EQ(life.Do(EntityControl::kRestart), "UNKNOWN again");
  life.control().stream(1);
  auto waiting = life.Begin("one");
  ASSERT_TRUE(world.WaitForWaiting(1));
  world.StopUserFunction();
  ExpectLost(waiting, Kind::kEvents, address);
  world.StartUserFunction();
  ASSERT_TRUE(world.emulator().WaitUntilReady(2));
  EXPECT_EQ(life.Do("two"), "good OK");
  const std::vector<std::string> stored(kLongHistory, std::string(16, 'x'));
  EXPECT_THAT(life.view().Streams(), ElementsAre(life.Opening(stored, 1)));
  EXPECT_EQ(life.LastSequence(), kLongHistory + 1);
}

}  // namespace
}  // namespace cloudstate::kinds
