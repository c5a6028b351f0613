// What fuzz-user-function does to a user function, made from a seed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cloudstate/dev/v1/replay.pb.h"
#include "cloudstate/dev/v1/testfile.pb.h"
#include "emulator/fuzzing/sequence.h"
#include "emulator/fuzzing/values.h"
#include "emulator/testing/json_value.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"

namespace cloudstate::fuzzing {
namespace {

using dev::v1::TestStep;
using google::protobuf::Value;

std::string Json(const Value& value) {
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(value, &json).ok());
  return json;
}

// ---- values

template <class Message>
void ExpectMessages() {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    base::Random random(seed);
    const std::string json = Json(ValueMaker(random).Message(*Message::descriptor()));
    Message message;
    const auto status = google::protobuf::util::JsonStringToMessage(json, &message);
    ASSERT_TRUE(status.ok()) << "seed " << seed << ": " << status.message() << " in " << json;
  }
}

TEST(FuzzingValues, AreMessagesOfTheirTypeWhateverTheSeed) {
  ExpectMessages<dev::v1::TestFile>();
  ExpectMessages<dev::v1::CommandTrace>();
  ExpectMessages<google::protobuf::FileDescriptorProto>();
}

TEST(FuzzingValues, AreTheSameForTheSameSeed) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    base::Random one(seed);
    base::Random other(seed);
    EXPECT_TRUE(
        google::protobuf::util::MessageDifferencer::Equals(ValueMaker(one).Message(*dev::v1::TestFile::descriptor()),
                                                           ValueMaker(other).Message(*dev::v1::TestFile::descriptor())))
        << "seed " << seed;
  }
}

// All values that a field of the message has had, as JSON.
std::set<std::string> ValuesOf(const google::protobuf::Descriptor& type, const std::string& field) {
  std::set<std::string> values;
  base::Random random(7);
  ValueMaker maker(random);
  for (int i = 0; i < 1500; ++i) {
    const Value message = maker.Message(type);
    const auto& fields = message.struct_value().fields();
    values.insert(fields.contains(field) ? Json(fields.at(field)) : "unset");
  }
  return values;
}

TEST(FuzzingValues, HaveTheEdgesOfNumbers) {
  EXPECT_THAT(ValuesOf(*dev::v1::CommandTrace::descriptor(), "code"),
              ::testing::IsSupersetOf({"unset", "0", "-1", "1", "2147483647", "-2147483648"}));
}

TEST(FuzzingValues, HaveTextsThatAreEmptyLongOrStrange) {
  const std::set<std::string> texts = ValuesOf(*dev::v1::CommandTrace::descriptor(), "message");
  EXPECT_THAT(texts, ::testing::IsSupersetOf({"unset", "\"\"", "\" \"", "\"apple\""}));
  EXPECT_THAT(texts, ::testing::Contains(::testing::SizeIs(::testing::Gt(5000))));
}

TEST(FuzzingValues, HaveNumbersThatAreNone) {
  EXPECT_THAT(ValuesOf(*google::protobuf::UninterpretedOption::descriptor(), "doubleValue"),
              ::testing::IsSupersetOf({"\"NaN\"", "\"Infinity\"", "\"-Infinity\"", "0"}));
}

TEST(FuzzingValues, HaveEnumNumbersWithoutAName) {
  EXPECT_THAT(ValuesOf(*dev::v1::Fault::descriptor(), "kind"),
              ::testing::IsSupersetOf({"4711", "\"SLOW\"", "\"KIND_UNSPECIFIED\""}));
}

TEST(FuzzingValues, OftenComeAgain) {
  base::Random random(3);
  ValueMaker maker(random);
  int again = 0;
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const Value message = maker.Message(*dev::v1::Setting::descriptor());
    const auto& fields = message.struct_value().fields();
    if (fields.contains("flag") && !seen.insert(Json(fields.at("flag"))).second) ++again;
  }
  EXPECT_GT(again, 50);
}

TEST(FuzzingValues, SetAtMostOneOfAOneof) {
  base::Random random(5);
  ValueMaker maker(random);
  std::map<bool, int> sets_one;
  for (int i = 0; i < 300; ++i) {
    const Value message = maker.Message(*dev::v1::CallStreamRequest::descriptor());
    const auto& fields = message.struct_value().fields();
    ASSERT_FALSE(fields.contains("start") && fields.contains("json"));
    ++sets_one[fields.contains("start") || fields.contains("json")];
  }
  EXPECT_GT(sets_one[true], 0);
  EXPECT_GT(sets_one[false], 0);
}

// ---- sequences

// Two services: one with entities, of which GetEntity is a read, and an action with a stream.
std::vector<Method> Methods() {
  Method add;
  add.service = "shop.Cart";
  add.name = "Add";
  add.kind = Kind::kEventSourced;
  add.persistence_id = "carts";
  add.input = dev::v1::ListEventsRequest::descriptor();
  add.key_fields = {"entity_id"};
  Method get = add;
  get.name = "Get";
  get.input = dev::v1::GetEntityRequest::descriptor();
  Method total;
  total.service = "shop.Prices";
  total.name = "Total";
  total.input = dev::v1::Field::descriptor();
  total.takes_stream = true;
  return {add, get, total};
}

std::string IdOf(const TestStep& step) { return step.input().struct_value().fields().at("entityId").string_value(); }

TEST(FuzzingSequence, IsTheSameForTheSameSeedAndAnotherForAnother) {
  const std::vector<Method> methods = Methods();
  const std::vector<Probe> probes = {{&methods[1]}};
  const auto text = [&](std::uint64_t seed) {
    dev::v1::TestCase steps;
    for (const TestStep& step : MakeSequence(methods, probes, seed, 30)) *steps.add_when() = step;
    EXPECT_EQ(steps.when_size(), 30);
    return steps;
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(text(seed), text(seed))) << "seed " << seed;
    EXPECT_FALSE(google::protobuf::util::MessageDifferencer::Equals(text(seed), text(seed + 1))) << "seed " << seed;
  }
}

TEST(FuzzingSequence, DoesAllThatCanBeDoneToFewEntities) {
  const std::vector<Method> methods = Methods();
  const std::vector<Probe> probes = {{&methods[1]}};
  std::map<std::string, int> kinds;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    std::set<std::string> ids;
    for (const TestStep& step : MakeSequence(methods, probes, seed, 30)) {
      kinds["evict"] += step.has_evict();
      kinds["advance"] += step.has_advance();
      kinds["streams"] += step.inputs_size() > 0;
      if (!step.has_call() || !step.has_input()) continue;
      const bool probe = IsProbe(step, methods[1]);
      kinds["probe"] += probe;
      if (!probe) ids.insert(IdOf(step));
    }
    EXPECT_LE(ids.size(), 3u) << "seed " << seed;
  }
  EXPECT_THAT(kinds, ::testing::Each(::testing::Pair(::testing::_, ::testing::Gt(20))));
}

TEST(FuzzingSequence, RepeatsCommandsNowAndThen) {
  const std::vector<Method> methods = Methods();
  std::size_t longest = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    std::size_t run = 0;
    TestStep last;
    for (const TestStep& step : MakeSequence(methods, {}, seed, 30)) {
      run = google::protobuf::util::MessageDifferencer::Equals(step, last) ? run + 1 : 0;
      longest = std::max(longest, run);
      last = step;
    }
  }
  EXPECT_GT(longest, 10u);
}

std::string TextOf(const Value& value) {
  if (value.has_bool_value()) return value.bool_value() ? "true" : "false";
  return value.has_number_value() ? absl::StrCat(value.number_value()) : value.string_value();
}

TEST(FuzzingSequence, EvictsTheEntityThatWasCalledLastWhateverItsKeyIs) {
  Method parts = Methods()[0];
  parts.key_fields = {"entity_id", "from_sequence"};
  Method truth = parts;
  truth.input = dev::v1::ReplayRequest::descriptor();
  truth.key_fields = {"without_snapshots"};
  Method kind = parts;
  kind.input = dev::v1::Fault::descriptor();
  kind.key_fields = {"kind"};
  for (const Method& method : {parts, truth, kind}) {
    int evictions = 0;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      std::string last;
      for (const TestStep& step : MakeSequence({method}, {}, seed, 30)) {
        if (step.has_call()) {
          std::vector<std::string> id;
          for (const std::string& name : method.key_fields) {
            id.push_back(TextOf(step.input().struct_value().fields().at(testing::JsonName(name))));
          }
          last = absl::StrCat("shop.Cart ", absl::StrJoin(id, "-"));
        }
        if (!step.has_evict()) continue;
        EXPECT_EQ(step.evict(), last) << "seed " << seed;
        ++evictions;
      }
    }
    EXPECT_GT(evictions, 20) << method.key_fields.front();
  }
}

TEST(FuzzingSequence, ProbesEntitiesThatNothingElseIsDoneTo) {
  const std::vector<Method> methods = Methods();
  const TestStep one = ProbeStep(methods[1], 1);
  const TestStep other = ProbeStep(methods[1], 2);
  EXPECT_TRUE(IsProbe(one, methods[1]));
  EXPECT_FALSE(IsProbe(one, methods[0])) << "another method";
  EXPECT_NE(IdOf(one), IdOf(other));
  EXPECT_EQ(IdOf(one).size(), IdOf(other).size());
  TestStep told = one;
  (*told.mutable_input()->mutable_struct_value()->mutable_fields())["persistenceId"].set_string_value("more");
  EXPECT_FALSE(IsProbe(told, methods[1]));
}

}  // namespace
}  // namespace cloudstate::fuzzing
