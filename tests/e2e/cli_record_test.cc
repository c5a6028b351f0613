// A session that becomes a test file, with the real program.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/e2e/running_emulator.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate {
namespace {

using support::ToolResult;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class CliRecord : public RunningEmulator {
 protected:
  CliRecord() : RunningEmulator({"--sample", "shopping-cart", "--ephemeral"}) {}

  void Add(const std::string& user, const std::string& product) const {
    Output({"call", "ShoppingCart/AddItem",
            absl::StrCat(R"({"userId":")", user, R"(","productId":")", product, R"(","name":"N","quantity":1})")});
  }
  std::string File() const { return (directory_.path() / "recorded.yaml").string(); }
  std::string Text() const {
    std::ifstream stream(File());
    return std::string(std::istreambuf_iterator<char>(stream), {});
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(CliRecord, WritesAFileThatPasses) {
  Add("me", "tea");
  Add("me", "mug");
  Output({"call", "ShoppingCart/GetCart", R"({"userId":"me"})"});
  EXPECT_EQ(Tool({"call", "ShoppingCart/RemoveItem", R"({"userId":"me","productId":"none"})"}).exit_code, 1);
  EXPECT_THAT(Output({"record", "--newest", "3", "--out", File()}), HasSubstr("3 calls in 1 case, in "));
  EXPECT_THAT(Text(), AllOf(HasSubstr("service: ShoppingCart"), HasSubstr("given:"), HasSubstr("tea"),
                            HasSubstr("call: GetCart"), HasSubstr("error:")));
  const ToolResult test = support::RunTool({"test", File(), "--sample", "shopping-cart"});
  EXPECT_EQ(test.exit_code, 0) << test.output << test.errors << Text();
  const ToolResult again = Tool({"record", "--newest", "3", "--out", File()});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.errors, HasSubstr("--force"));
}

TEST_F(CliRecord, WritesWhatComesUntilItIsInterrupted) {
  Add("me", "before");
  const std::unique_ptr<support::ChildProcess> recording =
      support::StartTool(WithAdmin({"record", "--out", File(), "--split"}));
  ASSERT_TRUE(recording->WaitUntil([](const std::string&, const std::string& errors) {
    return errors.find("Recording what clients do") != std::string::npos;
  })) << recording->errors();
  Add("me", "tea");
  Add("you", "tea");
  recording->Signal(SIGINT);
  EXPECT_EQ(recording->WaitForExit(), 0) << recording->errors();
  EXPECT_THAT(recording->output(), HasSubstr("2 calls in 2 cases, in "));
  EXPECT_THAT(Text(), AllOf(HasSubstr("ShoppingCart me"), HasSubstr("ShoppingCart you"), HasSubstr("before")));
}

TEST_F(CliRecord, WritesWhatCameBeforeTheEmulatorEnded) {
  Add("me", "before");
  const std::unique_ptr<support::ChildProcess> recording = support::StartTool(WithAdmin({"record", "--out", File()}));
  ASSERT_TRUE(recording->WaitUntil([](const std::string&, const std::string& errors) {
    return errors.find("Recording what clients do") != std::string::npos;
  })) << recording->errors();
  Add("me", "tea");
  Add("me", "mug");
  absl::SleepFor(absl::Seconds(3));  // it has heard of them
  emulator_.Stop();
  EXPECT_EQ(recording->WaitForExit(), 0) << recording->errors();
  EXPECT_THAT(recording->errors(), HasSubstr("The recording has ended early."));
  EXPECT_THAT(recording->output(), HasSubstr("2 calls in 1 case, in "));
  EXPECT_THAT(Text(), AllOf(HasSubstr("before"), HasSubstr("tea"), HasSubstr("mug")));
  const ToolResult test = support::RunTool({"test", File(), "--sample", "shopping-cart"});
  EXPECT_EQ(test.exit_code, 0) << test.output << test.errors << Text();
}

TEST_F(CliRecord, KnowsTheEntityWithTheEmptyId) {
  Add("", "before");
  Add("", "tea");
  Output({"record", "--newest", "1", "--out", File()});
  EXPECT_THAT(Text(), AllOf(HasSubstr("given:"), HasSubstr("before"), Not(HasSubstr("events: []"))));
  const ToolResult test = support::RunTool({"test", File(), "--sample", "shopping-cart"});
  EXPECT_EQ(test.exit_code, 0) << test.output << test.errors << Text();
}

TEST_F(CliRecord, TakesTheLastNameOfAService) {
  Add("me", "tea");
  EXPECT_THAT(Output({"record", "--newest", "1", "--service", "ShoppingCart", "--out", File()}),
              HasSubstr("1 call in 1 case"));
  const ToolResult unknown = Tool({"record", "--newest", "1", "--service", "ShopingCart", "--out", "-"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.errors, HasSubstr("did you mean 'ShoppingCart'?"));
}

TEST_F(CliRecord, IsReplayedIntoAnEmulatorAsItIs) {
  Add("me", "tea");
  Output({"call", "ShoppingCart/GetCart", R"({"userId":"me"})"});
  Output({"record", "--newest", "2", "--out", File()});
  // Once more is another cart.
  const ToolResult replayed = Tool({"replay", File()});
  EXPECT_EQ(replayed.exit_code, 1) << replayed.errors;
  EXPECT_THAT(replayed.output, AllOf(HasSubstr("as expected  AddItem"), HasSubstr("different    GetCart"),
                                     HasSubstr("recorded.yaml:"), HasSubstr("2 steps: 1 did not come as expected")));
  EXPECT_THAT(Output({"journal", "show", "me"}), HasSubstr("2 events"));
  Output({"journal", "delete", "me", "--yes"});
  EXPECT_THAT(Output({"replay", File(), "--json"}), HasSubstr(R"({"steps":2,"different":0,)"));
  const ToolResult nowhere = Tool({"replay", "nowhere.yaml"});
  EXPECT_EQ(nowhere.exit_code, 2);
  EXPECT_THAT(nowhere.errors, AllOf(HasSubstr("nowhere.yaml"), Not(HasSubstr("INTERNAL"))));
}

TEST_F(CliRecord, QuotesItsFileForAShell) {
  Add("me", "tea");
  const std::string file = (directory_.path() / "my cart.yaml").string();
  EXPECT_THAT(Output({"record", "--newest", "1", "--out", file}),
              HasSubstr(absl::StrCat("`cloudstate-dev test '", file, "'`")));
}

TEST_F(CliRecord, TellsEachDifferenceOfAReplayInALineOfItsOwn) {
  Add("me", "tea");
  std::ofstream(File()) << "cases: [{name: a, when: [{call: ShoppingCart.GetCart, input: {userId: me}, "
                           "reply: {items: [{productId: tee, name: M, quantity: 1}]}}]}]\n";
  const ToolResult replayed = Tool({"replay", File()});
  EXPECT_EQ(replayed.exit_code, 1) << replayed.errors;
  EXPECT_THAT(replayed.output, AllOf(HasSubstr("reply.items[0].name is "),
                                     HasSubstr("\n    reply.items[0].productId is "), Not(HasSubstr("\\x0a"))));
}

TEST_F(CliRecord, TellsWhichCasesAReplaySkips) {
  std::ofstream(File()) << "cases: [{name: a, skip: not yet, when: [{call: ShoppingCart.GetCart}]}]\n";
  EXPECT_THAT(Output({"replay", File()}), AllOf(HasSubstr("skipped: not yet"), HasSubstr("Nothing was played.")));
}

TEST_F(CliRecord, SaysWhereNothingCame) {
  const ToolResult result = Tool({"record", "--newest", "3", "--out", File()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("there is no file"));
  EXPECT_EQ(Text(), "");
}

}  // namespace
}  // namespace cloudstate
