#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "emulator/testing/comparison.h"
#include "emulator/testing/json_value.h"
#include "emulator/testing/matchers.h"

namespace cloudstate::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Json FromJson(const std::string& text) {
  const absl::StatusOr<Json> json = ParseJson(text);
  EXPECT_TRUE(json.ok()) << json.status() << " in " << text;
  return json.value_or(Json());
}

std::vector<std::string> Problems(const std::string& expected, const std::string& came) {
  const Json wanted = FromJson(expected);
  std::vector<std::string> problems;
  for (const Mismatch& each : Compare(wanted, ActualOf(FromJson(came)), "reply").mismatches) {
    problems.push_back(each.problem);
  }
  return problems;
}

struct Pair {
  const char* expected;
  const char* came;
};

class WhatFits : public ::testing::TestWithParam<Pair> {};
TEST_P(WhatFits, HasNoProblems) { EXPECT_THAT(Problems(GetParam().expected, GetParam().came), IsEmpty()); }
INSTANTIATE_TEST_SUITE_P(
    All, WhatFits,
    ::testing::Values(Pair{R"({"a":1})", R"({"a":1,"b":0,"c":"","d":false,"e":[],"f":{}})"}, Pair{R"({"a":0})", "{}"},
                      Pair{R"({"a":5})", R"({"a":"5"})"}, Pair{R"({"a":"5"})", R"({"a":5})"},
                      Pair{R"({"user_id":"x"})", R"({"userId":"x"})"}, Pair{R"({"a":"$$x"})", R"({"a":"$x"})"},
                      Pair{R"({"a":"$any"})", R"({"a":[1]})"}, Pair{R"({"a":"$any"})", "{}"},
                      Pair{R"({"a":"$absent"})", R"({"a":0})"}, Pair{R"({"a":{"$regex":"^b"}})", R"({"a":"bc"})"},
                      Pair{R"({"$partial":{"a":{"b":1}}})", R"({"a":{"b":1,"c":2},"d":3})"},
                      Pair{R"({"a":{"$contains":[2,1]}})", R"({"a":[1,3,2]})"},
                      Pair{R"({"a":{"$contains":"el"}})", R"({"a":"hello"})"},
                      Pair{R"({"a":{"$unordered":["$any",1]}})", R"({"a":[1,2]})"},
                      Pair{R"({"a":{"$length":2}})", R"({"a":[1,2]})"},
                      Pair{R"({"a":{"$length":{"$above":1}}})", R"({"a":"äö"})"},
                      Pair{R"({"a":{"$above":3,"$below":5}})", R"({"a":"4"})"},
                      Pair{R"({"a":{"$above":"9007199254740992"}})", R"({"a":"9007199254740993"})"},
                      Pair{R"({"a":{"$below":1.5,"$above":-0.5}})", R"({"a":1})"},
                      Pair{R"({"a":{"$one-of":[1,{"$above":5}]}})", R"({"a":6})"}, Pair{"null", "{}"},
                      Pair{"null", R"({"a":0})"}, Pair{R"({"a":null})", R"({"a":{"b":""}})"},
                      Pair{R"({"a":{"$regex":"^5$"}})", R"({"a":5})"}, Pair{R"({"a":{"$contains":""}})", "{}"}));

struct Wrong {
  const char* expected;
  const char* came;
  const char* problem;
};

class WhatDoesNotFit : public ::testing::TestWithParam<Wrong> {};
TEST_P(WhatDoesNotFit, IsToldInASentence) {
  EXPECT_THAT(Problems(GetParam().expected, GetParam().came), ElementsAre(HasSubstr(GetParam().problem)));
}
INSTANTIATE_TEST_SUITE_P(
    All, WhatDoesNotFit,
    ::testing::Values(Wrong{R"({"items":[{"quantity":3}]})", R"({"items":[{"quantity":2}]})",
                            "reply.items[0].quantity is 2, not 3"},
                      Wrong{R"({"a":1})", "{}", "reply.a is not there; expected 1"},
                      Wrong{"{}", R"({"a":1})", "reply.a is 1, which was not expected"},
                      Wrong{R"({"a":[1]})", R"({"a":[1,2]})", "reply.a has 2 elements, not 1"},
                      Wrong{R"({"a":"$absent"})", R"({"a":1})", "should not be there"},
                      Wrong{R"({"a":{"$regex":"^b"}})", R"({"a":"ab"})", "does not match ^b"},
                      Wrong{R"({"a":{"$contains":[4]}})", R"({"a":[1]})", "in which nothing fits 4"},
                      Wrong{R"({"a":{"$unordered":[1,1]}})", R"({"a":[1,2]})", "in which nothing fits 1"},
                      Wrong{R"({"a":{"$unordered":[1]}})", R"({"a":[1,2]})", "has 2 elements, not 1"},
                      Wrong{R"({"a":{"$length":1}})", R"({"a":[1,2]})", "whose length 2 is not 1"},
                      Wrong{R"({"a":{"$above":3}})", R"({"a":3})", "not above 3"},
                      Wrong{R"({"a":{"$above":"9007199254740993"}})", R"({"a":"9007199254740993"})", "not above"},
                      Wrong{R"({"a":{"$below":3}})", R"({"a":3})", "not below 3"},
                      Wrong{R"({"a":{"$one-of":[1,2]}})", R"({"a":3})", "none of [1,2]"},
                      Wrong{R"({"a":null})", R"({"a":{"b":1}})", "reply.a is {\"b\":1}, not null"},
                      Wrong{R"({"a":{"$regex":""}})", R"({"a":[1]})", "and no text"},
                      Wrong{R"({"a":{"$contains":""}})", R"({"a":{"b":1}})", "and no text"},
                      Wrong{R"({"$partial":{"a":1}})", R"({"a":2,"b":1})", "reply.a is 2, not 1"},
                      Wrong{R"({"a":"5x"})", R"({"a":5})", "reply.a is 5, not \"5x\""}));

TEST(WhereNothingCame, AbsentAndDefaultsFit) {
  for (const char* expected : {R"("$absent")", "0", "[]", "{}", "null", R"({"$one-of":["$absent",1]})"}) {
    EXPECT_TRUE(Compare(FromJson(expected), Actual(), "state").equal()) << expected;
  }
  EXPECT_FALSE(Compare(FromJson("1"), Actual(), "state").equal());
}

TEST(Patterns, TakeTimeOfTheTextsLengthOnly) {
  EXPECT_FALSE(MatchesPattern("(a|b|ab)*c$", std::string(200'000, 'a')));
  EXPECT_FALSE(CheckPattern("(").ok());
}

TEST(Difference, ShowsWhatMatchersFitAsItCame) {
  const Json expected = FromJson(R"({"id":"$any","name":"x"})");
  const Actual came = ActualOf(FromJson(R"({"id":"7","name":"y"})"));
  EXPECT_THAT(DifferenceLines(Compare(expected, came, "reply"), came.brief),
              ElementsAre("  {", "    \"id\": \"7\",", "-   \"name\": \"x\"", "+   \"name\": \"y\"", "  }"));
}

TEST(Difference, PointsAtTheNearestExpectedValue) {
  const Json expected = FromJson(R"({"a":{"b":1}})");
  const Comparison comparison = Compare(expected, ActualOf(FromJson(R"({"a":{"b":2}})")), "reply");
  ASSERT_EQ(comparison.mismatches.size(), 1u);
  EXPECT_EQ(comparison.mismatches[0].expected,
            &expected.struct_value().fields().at("a").struct_value().fields().at("b"));
}

TEST(JsonValues, AreWrittenInTheOrderOfTheirNames) {
  EXPECT_EQ(JsonText(FromJson(R"({ "b": [1.5, null, true], "a": "x\"" })")), R"({"a":"x\"","b":[1.5,null,true]})");
}

TEST(JsonValues, AreCutBetweenCharacters) {
  const std::string text = ShortJsonText(TextValue(std::string(200, 'x') + "ä"));
  EXPECT_LT(text.size(), 100u);
  EXPECT_THAT(text, ::testing::EndsWith("…"));
}

}  // namespace
}  // namespace cloudstate::testing
