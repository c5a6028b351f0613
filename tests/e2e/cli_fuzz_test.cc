// fuzz-user-function as people use it: what it says, what it writes, what it makes of wrong arguments.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/emulator_process.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate {
namespace {

using support::RunTool;
using support::ToolResult;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Of the cart that answers twice where a quantity is 7: what needs no time limit is found soonest.
ToolResult FuzzCart(std::vector<std::string> arguments, const std::string& fault = "wrong-command-id") {
  arguments.insert(arguments.begin(), "fuzz-user-function");
  arguments.insert(arguments.end(), {"--service", "ShoppingCart", "--ignore", "memory", "--", FAULTY_CART});
  if (!fault.empty()) arguments.insert(arguments.end(), {"--fault", fault});
  return RunTool(arguments);
}

class FuzzUserFunction : public ::testing::Test {
 protected:
  std::string File(const std::string& name) const { return (directory_.path() / name).string(); }

  const testing::TemporaryDirectory directory_;
};

TEST_F(FuzzUserFunction, TellsWhatItFoundAndHowToSeeItAgain) {
  const ToolResult result = FuzzCart({"--out", File("found.yaml")});
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("FOUND protocol: "));
  EXPECT_THAT(result.output, HasSubstr("com.example.shoppingcart.ShoppingCart.AddItem"));
  EXPECT_THAT(result.output, HasSubstr("again: cloudstate-dev fuzz-user-function --seed "));
  EXPECT_THAT(result.output, HasSubstr(absl::StrCat("cloudstate-dev test ", File("found.yaml"))));
}

TEST_F(FuzzUserFunction, WritesATestWithTheOneCommandThatIsNeeded) {
  FuzzCart({"--out", File("found.yaml")});
  const std::string test = ReadAll(File("found.yaml"));
  EXPECT_THAT(test, HasSubstr("# Found by cloudstate-dev fuzz-user-function, with seed "));
  EXPECT_THAT(test, HasSubstr("service: com.example.shoppingcart.ShoppingCart"));
  EXPECT_THAT(test, HasSubstr("call: AddItem"));
  EXPECT_THAT(test, HasSubstr("quantity: 7"));
  EXPECT_EQ(test.find("call: "), test.rfind("call: ")) << test;
}

TEST_F(FuzzUserFunction, FindsTheSameWithTheSameSeed) {
  FuzzCart({"--out", File("one.yaml")});
  FuzzCart({"--out", File("other.yaml")});
  EXPECT_EQ(ReadAll(File("one.yaml")), ReadAll(File("other.yaml")));
  EXPECT_THAT(ReadAll(File("one.yaml")), Not(::testing::IsEmpty()));
}

TEST_F(FuzzUserFunction, OverwritesNoFile) {
  std::ofstream(File("mine.yaml")) << "mine";
  const ToolResult result = FuzzCart({"--out", File("mine.yaml")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("There is a file "));
  EXPECT_EQ(ReadAll(File("mine.yaml")), "mine");
}

TEST_F(FuzzUserFunction, LosesNothingForAFileThatCantBeWritten) {
  const ToolResult refused = FuzzCart({"--out", File("none/found.yaml")});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.errors, HasSubstr("is not there; make it first"));
  // Or no longer, when something has been found.
  std::filesystem::create_directory(File("gone"));
  const auto fuzzing = support::StartTool({"fuzz-user-function", "-v", "--service", "ShoppingCart", "--out",
                                           File("gone/found.yaml"), "--", FAULTY_CART, "--fault", "wrong-command-id"});
  ASSERT_TRUE(fuzzing->WaitUntil([](const std::string&, const std::string& errors) {
    return errors.find("user function | ") != std::string::npos;
  })) << fuzzing->errors();
  std::filesystem::remove_all(File("gone"));
  EXPECT_EQ(fuzzing->WaitForExit(absl::Seconds(60)), 1);
  EXPECT_THAT(fuzzing->output(), AllOf(HasSubstr("FOUND protocol: "), HasSubstr("again: cloudstate-dev")));
  EXPECT_THAT(fuzzing->errors(), AllOf(HasSubstr("can't be made"), HasSubstr("call: AddItem")));
}

// The output of a process that has ended is told, with its port; in the file it would be another one each time.
TEST_F(FuzzUserFunction, WritesNothingThatIsOtherEachTime) {
  const ToolResult result = FuzzCart({"--out", File("found.yaml")}, "crash");
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("serves on port"));
  EXPECT_THAT(ReadAll(File("found.yaml")), AllOf(HasSubstr("# the process ended\n"), Not(HasSubstr("port"))));
}

TEST_F(FuzzUserFunction, SaysSoWhereNothingIsFound) {
  const ToolResult result = FuzzCart({"--seeds", "3"}, "");
  EXPECT_EQ(result.exit_code, 0) << result.errors << result.output;
  EXPECT_THAT(result.output, HasSubstr("seeds 1..3: 3 played"));
  EXPECT_THAT(result.output, HasSubstr("nothing was found"));
}

TEST_F(FuzzUserFunction, EndsWhenItsTimeIsUp) {
  const ToolResult result = FuzzCart({"--seeds", "1000000", "--time", "300ms", "--json"}, "");
  EXPECT_EQ(result.exit_code, 0) << result.errors << result.output;
  EXPECT_THAT(result.output, HasSubstr("\"endedEarly\":true"));
}

TEST_F(FuzzUserFunction, EndsAtCtrlC) {
  const auto fuzzing =
      support::StartTool({"fuzz-user-function", "--seeds", "1000000", "--ignore", "memory", "-v", "--", FAULTY_CART});
  ASSERT_TRUE(fuzzing->WaitUntil([](const std::string&, const std::string& errors) {
    return errors.find("user function | ") != std::string::npos;
  })) << fuzzing->errors();
  fuzzing->Signal(SIGINT);
  EXPECT_EQ(fuzzing->WaitForExit(), 130) << fuzzing->errors();
}

TEST_F(FuzzUserFunction, SaysWhichArgumentsMakeNoSense) {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{}, "Which user function?"},
      {{"--seeds", "9..1", "--sample", "chat"}, "--seeds takes two numbers"},
      {{"--ignore", "nothing", "--sample", "chat"}, "--ignore takes one of protocol, crash, hang"},
      {{"--steps", "0", "--sample", "chat"}, "--steps"},
      {{"--seed", "-1", "--sample", "chat"}, "--seed takes a number from 0"},
      {{"--seed", "1", "--seeds", "5", "--sample", "chat"}, "--seed"},
  };
  for (const auto& [arguments, text] : cases) {
    std::vector<std::string> all = {"fuzz-user-function"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ToolResult result = RunTool(all);
    EXPECT_EQ(result.exit_code, 2) << text;
    EXPECT_THAT(result.errors, HasSubstr(text));
  }
}

TEST_F(FuzzUserFunction, NamesTheServicesWhereNoneMatches) {
  const ToolResult result = RunTool({"fuzz-user-function", "--service", "Orders*", "--", FAULTY_CART});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("No service matches 'Orders*'"));
  EXPECT_THAT(result.errors, HasSubstr("com.example.shoppingcart.ShoppingCart"));
}

}  // namespace
}  // namespace cloudstate
