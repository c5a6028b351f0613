// What fuzz-user-function says, without playing anything.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "cmd/cloudstate-dev/fuzz_output.h"

namespace cloudstate::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(CliFuzzOutput, TellsTheUserFunctionAsItWasGiven) {
  UserFunctionChoice line;
  line.command = {"/bin/sh", "-c", "node index.js"};  // what --serve makes of it
  EXPECT_EQ(UserFunctionArguments(line), " --serve 'node index.js'");
  line.max_active_entities = 9;
  EXPECT_EQ(UserFunctionArguments(line), " --max-active-entities 9 --serve 'node index.js'");
  UserFunctionChoice words;
  words.command = {"node", "my index.js"};
  EXPECT_EQ(UserFunctionArguments(words), R"( --serve 'node '\''my index.js'\''')");
}

TEST(CliFuzzOutput, HasWhatTheUserFunctionSaysInLinesThatDoNothingToATerminal) {
  FuzzReport report;
  report.found.emplace();
  report.found->played.finding = {fuzzing::FindingKind::kState, "shop.Cart.Get", "a", "one \x1b[2J\ntwo"};
  EXPECT_THAT(FuzzText(report, Terminal{}),
              AllOf(HasSubstr("  what   one \\x1b[2J\n         two\n"), Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace cloudstate::cli
