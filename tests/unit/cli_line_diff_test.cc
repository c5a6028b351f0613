#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "emulator/base/line_diff.h"

namespace cloudstate::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

TEST(JsonLines, HaveAMemberOrAnElementEach) {
  EXPECT_THAT(base::JsonLines(R"({"a":[1,{"b":"x,{\"y\":[2]}"}],"c":{},"d":[],"e":"1e3"})"),
              ElementsAre("{", R"(  "a": [)", "    1,", "    {", R"(      "b": "x,{\"y\":[2]}")", "    }", "  ],",
                          R"(  "c": {},)", R"(  "d": [],)", R"(  "e": "1e3")", "}"));
  EXPECT_THAT(base::JsonLines("\"text\""), ElementsAre("\"text\""));
  EXPECT_THAT(base::JsonLines(""), ElementsAre(""));
}

TEST(DiffLines, MarksWhatOnlyOneOfThemHas) {
  EXPECT_THAT(base::DiffLines({"a", "b", "c", "d"}, {"a", "c", "x", "d"}),
              ElementsAre("  a", "- b", "  c", "+ x", "  d"));
  EXPECT_THAT(base::DiffLines({"a"}, {"a"}), ElementsAre("  a"));
  EXPECT_THAT(base::DiffLines({}, {"a"}), ElementsAre("+ a"));
  EXPECT_THAT(base::DiffLines({"a", "a"}, {"a"}), ElementsAre("  a", "- a"));
  EXPECT_THAT(base::DiffLines({}, {}), IsEmpty());
}

TEST(DiffLines, OfVeryLongTextsThatDifferAreAllLinesBetweenTheSameEnds) {
  std::vector<std::string> before = {"same"};
  std::vector<std::string> after = {"same"};
  std::vector<std::string> expected = {"  same"};
  for (int i = 0; i < 3'000; ++i) before.push_back("b");
  for (int i = 0; i < 3'000; ++i) after.push_back("a");
  for (int i = 0; i < 3'000; ++i) expected.push_back("- b");
  for (int i = 0; i < 3'000; ++i) expected.push_back("+ a");
  EXPECT_THAT(base::DiffLines(before, after), ElementsAreArray(expected));
}

}  // namespace
}  // namespace cloudstate::cli
