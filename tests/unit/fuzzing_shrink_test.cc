// How what was found is made small, judged and told.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/fuzzing/finding_test_file.h"
#include "emulator/fuzzing/memory_trend.h"
#include "emulator/fuzzing/outcome.h"
#include "emulator/fuzzing/shrink.h"
#include "emulator/testing/file_check.h"
#include "emulator/testing/test_file.h"
#include "google/protobuf/util/json_util.h"

namespace cloudstate::fuzzing {
namespace {

using dev::v1::TestStep;
using google::protobuf::Value;

Value FromJson(const std::string& json) {
  Value value;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, &value).ok()) << json;
  return value;
}

TestStep Call(const std::string& method, const std::string& input) {
  TestStep step;
  step.set_call("shop.Cart." + method);
  *step.mutable_input() = FromJson(input);
  return step;
}

const Value& Field(const TestStep& step, const std::string& name) {
  return step.input().struct_value().fields().at(name);
}

// ---- shrinking

TEST(FuzzingShrink, KeepsTheTwoStepsThatFailTogether) {
  Sequence sequence;
  for (int i = 0; i < 40; ++i) sequence.push_back(Call("Get", "{\"id\":\"a\"}"));
  sequence[7] = Call("Add", "{\"id\":\"a\"}");
  sequence[31] = Call("Remove", "{\"id\":\"a\"}");
  const auto fails = [](const Sequence& candidate) {
    bool added = false;
    for (const TestStep& step : candidate) {
      if (step.call() == "shop.Cart.Add") added = true;
      if (step.call() == "shop.Cart.Remove" && added) return true;
    }
    return false;
  };
  const Sequence shrunk = Shrink(sequence, fails, 400);
  ASSERT_EQ(shrunk.size(), 2u);
  EXPECT_EQ(shrunk[0].call(), "shop.Cart.Add");
  EXPECT_EQ(shrunk[1].call(), "shop.Cart.Remove");
}

TEST(FuzzingShrink, MakesValuesPlainer) {
  const Sequence sequence = {Call(
      "Add", R"({"id":"user-1","count":-2147483648,"big":"9223372036854775807","name":"Gr\u00fc\u00dfe","gift":true,
                     "tags":["a","odd","b"],"more":{"x":1}})")};
  const auto fails = [](const Sequence& candidate) {
    if (candidate.size() != 1 || !candidate[0].input().struct_value().fields().contains("tags")) return false;
    const auto& fields = candidate[0].input().struct_value().fields();
    if (!fields.contains("count") || fields.at("count").number_value() >= 0) return false;
    for (const Value& tag : fields.at("tags").list_value().values()) {
      if (tag.string_value() == "odd") return true;
    }
    return false;
  };
  const Sequence shrunk = Shrink(sequence, fails, 400);
  ASSERT_EQ(shrunk.size(), 1u);
  EXPECT_EQ(shrunk[0].input().struct_value().fields().size(), 2u);
  EXPECT_EQ(Field(shrunk[0], "count").number_value(), -1);
  EXPECT_EQ(Field(shrunk[0], "tags").list_value().values_size(), 1);
}

TEST(FuzzingShrink, ChangesCommandsThatAreTheSameTogether) {
  const Sequence sequence(5, Call("Add", R"({"id":"user-1","count":7})"));
  const auto fails = [](const Sequence& candidate) { return candidate.size() >= 5; };
  const Sequence shrunk = Shrink(sequence, fails, 60);
  ASSERT_EQ(shrunk.size(), 5u);
  for (const TestStep& step : shrunk) EXPECT_TRUE(step.input().struct_value().fields().empty());
}

TEST(FuzzingShrink, PlaysNoMoreThanItMay) {
  int played = 0;
  const auto fails = [&played](const Sequence&) {
    ++played;
    return false;
  };
  Shrink(Sequence(30, Call("Get", R"({"id":"user-1"})")), fails, 10);
  EXPECT_EQ(played, 10);
}

TEST(FuzzingShrink, ComesToAnEndWithEveryValue) {
  // What fails with anything gets as plain as can be.
  const auto fails = [](const Sequence& candidate) { return candidate.size() == 1; };
  const Sequence shrunk =
      Shrink({Call("Add", R"({"a":1.5,"b":"NaN","c":"12","d":"e\u0301\u05e9","e":[[1],{}],"f":null})")}, fails, 1000);
  EXPECT_TRUE(Plainer(shrunk[0].input()).empty());
}

// What fails with every number, but not without one.
TEST(FuzzingShrink, ComesToAnEndWithNumbersThatAreTexts) {
  int played = 0;
  const auto fails = [&played](const Sequence& candidate) {
    ++played;
    if (candidate.size() != 2) return false;
    for (const TestStep& step : candidate) {
      const auto& fields = step.input().struct_value().fields();
      if (!fields.contains("big") || fields.at("big").string_value().empty()) return false;
    }
    return true;
  };
  const Sequence shrunk =
      Shrink({Call("Add", R"({"big":"9223372036854775807"})"), Call("Get", R"({"big":"-5"})")}, fails, 400);
  ASSERT_EQ(shrunk.size(), 2u);
  EXPECT_EQ(Field(shrunk[0], "big").string_value(), "0");
  EXPECT_EQ(Field(shrunk[1], "big").string_value(), "0");
  EXPECT_LT(played, 30);
}

// ---- judging

Outcome Replied(const std::string& json) {
  Outcome outcome;
  outcome.reply = Said{"type.googleapis.com/shop.Cart", json};
  return outcome;
}

Outcome Failed(const std::string& message) {
  Outcome outcome;
  outcome.code = 2;
  outcome.message = message;
  return outcome;
}

Outcome Stored(Outcome outcome, const std::string& type, const std::string& json) {
  outcome.events.push_back({"type.googleapis.com/" + type, json});
  return outcome;
}

TEST(FuzzingOutcome, IsTheSameWhateverTheOrderOfMaps) {
  EXPECT_EQ(Difference(Replied(R"({"a":1,"b":2})"), Replied(R"({"b":2,"a":1})"), Compared::kAll), "");
}

TEST(FuzzingOutcome, DiffersInReplyFailureEventsAndEffects) {
  EXPECT_EQ(Difference(Replied(R"({"a":1})"), Replied("{}"), Compared::kAll), R"(the reply {"a":1}, not the reply {})");
  EXPECT_EQ(Difference(Failed("no"), Replied("{}"), Compared::kAll), "the failure 'no', not the reply {}");
  EXPECT_EQ(Difference(Failed("no"), Failed("yes"), Compared::kAll), "the failure 'no', not the failure 'yes'");
  EXPECT_EQ(Difference(Replied("{}"), Stored(Replied("{}"), "Added", R"({"n":1})"), Compared::kAll),
            R"(the events none, not Added {"n":1})");
  Outcome effect = Replied("{}");
  effect.effects.push_back({"shop.Stock.Take", {"type.googleapis.com/Take", "{}"}, true});
  EXPECT_EQ(Difference(Replied("{}"), effect, Compared::kAll), "the side effects none, not shop.Stock.Take {}");
}

TEST(FuzzingOutcome, ComparesOnlyTheShapeWhereItIsToldTo) {
  const Outcome one = Stored(Replied(R"({"id":1})"), "Added", R"({"id":1})");
  const Outcome other = Stored(Replied(R"({"id":2})"), "Added", R"({"id":2})");
  EXPECT_EQ(Difference(one, other, Compared::kShape), "");
  EXPECT_NE(Difference(one, other, Compared::kAll), "");
  EXPECT_NE(Difference(one, Stored(Replied("{}"), "Removed", "{}"), Compared::kShape), "");
}

TEST(FuzzingOutcome, OfATraceHasWhatTheCommandItselfAskedFor) {
  dev::v1::CommandTrace trace;
  auto& effect = *trace.add_caused();
  effect.set_origin(dev::v1::CausedCommand::SIDE_EFFECT);
  effect.set_service("shop.Stock");
  effect.set_method("Take");
  trace.add_caused()->set_parent(1);  // of the effect's own command
  const auto add_step = [&trace](const std::string& kind, int command, const std::string& detail) {
    auto& step = *trace.add_steps();
    step.set_kind(kind);
    step.set_command(command);
    step.set_detail(detail);
    step.mutable_payload()->set_json("{}");
  };
  add_step("effect", 1, "synchronous");
  add_step("effect", 2, "not awaited");
  add_step("answered", 0, "");
  const Outcome outcome = OfTrace(trace, {});
  ASSERT_EQ(outcome.effects.size(), 1u);
  EXPECT_EQ(outcome.effects[0].method, "shop.Stock.Take");
  EXPECT_TRUE(outcome.effects[0].synchronous);
  EXPECT_TRUE(outcome.reply.has_value());
}

TEST(FuzzingOutcome, OfATraceThatLeftOutALongReplyIsTheSameAsAnyReplyButNoFailure) {
  dev::v1::CommandTrace trace;
  trace.add_steps()->set_kind("answered");
  EXPECT_EQ(Difference(OfTrace(trace, {}), Replied("{}"), Compared::kAll), "");
  EXPECT_NE(Difference(OfTrace(trace, {}), Failed("no"), Compared::kAll), "");
}

TEST(FuzzingOutcome, OfAForwardIsTheForwardWhateverCameOfIt) {
  dev::v1::CommandTrace trace;
  trace.set_code(2);
  trace.add_caused()->set_service("shop.Cart");
  trace.mutable_caused(0)->set_method("Add");
  auto& step = *trace.add_steps();
  step.set_kind("forwarded");
  step.set_command(1);
  step.mutable_payload()->set_json("{}");
  dev::v1::ReplayOutcome replay;
  replay.mutable_forward()->set_service("shop.Cart");
  replay.mutable_forward()->set_method("Add");
  replay.mutable_forward()->mutable_payload()->set_json("{}");
  replay.mutable_forward()->set_synchronous(true);
  EXPECT_EQ(Difference(OfTrace(trace, {}), OfReplay(replay), Compared::kAll), "");
}

// ---- the test that shows it

std::vector<Method> CartMethods() {
  Method add;
  add.service = "shop.Cart";
  add.name = "Add";
  add.kind = Kind::kEventSourced;
  Method get = add;
  get.name = "Get";
  return {add, get};
}

Played Of(FindingKind kind, std::optional<Outcome> expected) {
  Played played;
  played.sequence = {Call("Add", R"({"id":"a"})"), Call("Get", R"({"id":"a"})")};
  played.codes = {2, 0};
  played.finding = {kind, "shop.Cart.Get", "a", "seen", 1, std::move(expected)};
  return played;
}

TEST(FuzzingTestFile, ExpectsWhatTheEventsSay) {
  const auto file =
      MakeTestFile(Of(FindingKind::kState, Replied(R"({"n":1})")), CartMethods(), absl::Seconds(2), "a name");
  EXPECT_EQ(file.service(), "shop.Cart");
  ASSERT_EQ(file.cases_size(), 1);
  EXPECT_EQ(file.cases(0).name(), "a name");
  ASSERT_EQ(file.cases(0).when_size(), 2);
  EXPECT_EQ(file.cases(0).when(0).call(), "Add");
  EXPECT_EQ(file.cases(0).when(0).error().code(), "UNKNOWN") << "fails as it did when it was played";
  EXPECT_EQ(file.cases(0).when(1).reply().struct_value().fields().at("n").number_value(), 1);
}

TEST(FuzzingTestFile, ExpectsTextsThatLookLikeMatchersAsTheyAre) {
  Outcome outcome = Stored(Replied(R"({"$ref":"x","price":"$5"})"), "shop.Added", R"({"price":"$any"})");
  outcome.effects.push_back({"shop.Stock.Take", {"type.googleapis.com/shop.Take", R"({"price":"$6"})"}, true});
  for (const Outcome& each : {outcome, Failed("$regex")}) {
    const std::string text = testing::FoundTestFileText(
        MakeTestFile(Of(FindingKind::kState, each), CartMethods(), absl::Seconds(2), "a name"));
    dev::v1::TestFile file;
    simulation::YamlPlaces places("found.yaml");
    ASSERT_TRUE(testing::ReadTestFile(text, file, places).ok()) << text;
    const absl::Status status = testing::CheckForm(file, places);
    EXPECT_TRUE(status.ok()) << status << "\n" << text;
  }
  const TestStep step =
      MakeTestFile(Of(FindingKind::kState, outcome), CartMethods(), absl::Seconds(2), "a name").cases(0).when(1);
  EXPECT_EQ(step.reply().struct_value().fields().at("price").string_value(), "$$5");
  EXPECT_EQ(step.reply().struct_value().fields().at("$$ref").string_value(), "x");
}

TEST(FuzzingTestFile, IsForWhatATestCanShow) {
  Finding finding{FindingKind::kLoad, "shop.Cart.Get", "a", "seen", 1, std::nullopt};
  EXPECT_TRUE(TestShows(finding));
  finding.needs_first_event = true;
  EXPECT_FALSE(TestShows(finding)) << "a test loads an entity from its snapshot";
}

TEST(FuzzingTestFile, LoadsTheEntityAnewWhereItsSnapshotIsWrong) {
  const auto file = MakeTestFile(Of(FindingKind::kSnapshot, Replied("{}")), CartMethods(), absl::Seconds(2), "a name");
  ASSERT_EQ(file.cases(0).when_size(), 3);
  EXPECT_EQ(file.cases(0).when(1).evict(), "a");
}

TEST(FuzzingTestFile, LimitsTheTimeOfACallThatHangs) {
  const auto file = MakeTestFile(Of(FindingKind::kHang, std::nullopt), CartMethods(), absl::Seconds(2), "a name");
  EXPECT_EQ(file.cases(0).when(1).within().seconds(), 2);
  EXPECT_FALSE(file.cases(0).when(1).has_error());
}

// ---- memory

MemoryRounds Rounds(const std::vector<std::int64_t>& mebibytes) {
  MemoryRounds rounds;
  rounds.commands = 100;
  for (const std::int64_t each : mebibytes) rounds.kibibytes.push_back(each * 1024);
  return rounds;
}

TEST(FuzzingMemory, IsFlatWhereAProcessFindsItsSize) {
  EXPECT_EQ(TrendOf(Rounds({20, 60, 90, 100, 104, 105, 105, 106, 105, 106, 105, 106, 106})), Trend::kFlat);
}

TEST(FuzzingMemory, GrowsUntilItIsALeak) {
  std::vector<std::int64_t> sizes;
  for (int i = 0; i <= 12; ++i) sizes.push_back(20 + 3 * i);
  EXPECT_EQ(TrendOf(Rounds(sizes)), Trend::kGrows) << "24 MiB may be a cache";
  for (int i = 13; i <= 40; ++i) sizes.push_back(20 + 3 * i);
  EXPECT_EQ(TrendOf(Rounds(sizes)), Trend::kLeaks);
}

TEST(FuzzingMemory, IsFlatAsSoonAsALongWarmUpIsOver) {
  std::vector<std::int64_t> sizes;
  for (int i = 0; i <= 20; ++i) sizes.push_back(20 + 10 * i);
  EXPECT_EQ(TrendOf(Rounds(sizes)), Trend::kLeaks);
  for (int i = 0; i < 20; ++i) sizes.push_back(220 + i % 2);
  EXPECT_EQ(TrendOf(Rounds(sizes)), Trend::kFlat);
}

TEST(FuzzingMemory, IsFlatWithTooFewRoundsToTell) { EXPECT_EQ(TrendOf(Rounds({0, 100, 200, 300})), Trend::kFlat); }

}  // namespace
}  // namespace cloudstate::fuzzing
