// Stored events against a user function that was changed since, with the real program.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/running_emulator.h"
#include "tests/support/http_client.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate {
namespace {

using support::RunTool;
using support::ToolResult;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class CliHistory : public RunningEmulator {
 protected:
  explicit CliHistory(std::vector<std::string> arguments = {"--sample", "checkout", "--ephemeral"})
      : RunningEmulator(std::move(arguments)) {}

  void Post(const std::string& path, const std::string& body) const {
    const support::HttpAnswer answer = support::Http(emulator_.client_address(), "POST", path, body);
    EXPECT_EQ(answer.status, 200) << answer.body;
  }
  void Add(const std::string& user, const std::string& product, int quantity) const {
    Post(absl::StrCat("/cart/", user, "/items/add"),
         absl::StrCat(R"({"productId":")", product, R"(","name":"N","quantity":)", quantity, "}"));
  }
  // Of the cart with this fault; without one of the cart as it should be.
  ToolResult Check(const std::string& fault, std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(), "check-history");
    arguments.insert(arguments.end(),
                     {"--serve", absl::StrCat(FAULTY_CART, fault.empty() ? "" : absl::StrCat(" --fault ", fault))});
    return Tool(arguments);
  }
};

TEST_F(CliHistory, IsTheSameForTheSameUserFunction) {
  for (int i = 0; i < 105; ++i) Add("me", "tea", 1);
  Add("you", "mug", 2);
  Post("/cart/you/items/mug/remove", "");
  const ToolResult result = Check("", {"--read", "GetCart"});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("2 entities, 102 commands compared"), HasSubstr("all load and answer as they did")));
  // It notices nothing.
  EXPECT_THAT(Output({"journal", "show", "me", "--from", "105"}), HasSubstr("105 events"));
  EXPECT_THAT(Check("", {"--commands-per-entity", "0", "--workers", "1"}).output, HasSubstr("107 commands compared"));
}

TEST_F(CliHistory, TellsWhichCommandFailsNow) {
  Add("me", "tea", 1);
  Add("me", "mug", 6);
  Add("me", "pot", 1);
  const ToolResult result = Check("different-answer");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, AllOf(HasSubstr("shopping-cart|me"), HasSubstr("#2 by ShoppingCart.AddItem {"),
                                   HasSubstr(": fails"), HasSubstr("No more than five of a kind."),
                                   HasSubstr("3 commands compared"), HasSubstr("1 × fails")));
}

// Written by a user function that forgot a part of its state.
class CliLossyHistory : public CliHistory {
 protected:
  CliLossyHistory() : CliHistory({"--ephemeral", "--", FAULTY_CART, "--fault", "lossy-snapshot"}) {}
};

TEST_F(CliLossyHistory, TellsWhereASnapshotIsNotWhatItsEventsAre) {
  // It takes one of every third event.
  for (const char* product : {"tea", "tea", "tea", "mug"}) Add("me", product, 1);
  ASSERT_THAT(Output({"journal", "show", "me"}), HasSubstr("snapshot at #"));
  const testing::TemporaryDirectory directory;
  const std::string archive = (directory.path() / "a.gz").string();
  Output({"export", archive});
  const std::vector<std::string> of_archive = {"--archive", archive};
  EXPECT_EQ(Check("", of_archive).exit_code, 0);
  const ToolResult result = Check("", {"--archive", archive, "--read", "GetCart"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("has a snapshot that differs from its events"), HasSubstr("-       \"name\": \"N\",")));
}

TEST_F(CliHistory, WritesReportsForScriptsAndCi) {
  testing::TemporaryDirectory directory;
  const std::string file = (directory.path() / "history.xml").string();
  Add("me", "mug", 6);
  Add("you", "mug", 1);
  const ToolResult result = Check("different-answer", {"--json", "--junit", file});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output,
              AllOf(HasSubstr(R"({"passed":false,"entities":2,"commands":2,)"), HasSubstr(R"("findings":{"fails":1})"),
                    HasSubstr(R"("entityId":"me")"), Not(HasSubstr(R"("entityId":"you")"))));
  std::ifstream stream(file);
  const std::string xml(std::istreambuf_iterator<char>(stream), {});
  EXPECT_THAT(xml, AllOf(HasSubstr("failures=\"1\""), HasSubstr("five of a kind")));
  EXPECT_EQ(Check("different-answer", {"--entity", "you"}).exit_code, 0);
}

TEST_F(CliHistory, TakesNoNameThatNobodyHas) {
  Add("me", "tea", 1);
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"--read", "GetCrt"}, "there is no method 'GetCrt'; did you mean 'GetCart'?"},
      {{"--ignore", "ItemAded.item"}, "there is no message type 'ItemAded'; did you mean 'ItemAdded'?"},
      {{"--ignore", "ItemAdded.itm"}, "there is no field 'itm' in ItemAdded; did you mean 'item'?"},
      {{"--ignore", "ItemAdded"}, "--ignore takes a type and one of its fields"},
      {{"--service", "ShopingCart"}, "did you mean 'ShoppingCart'?"},
      {{"--junit", "/no/such/directory/a.xml"}, "make it first"},
  };
  for (const auto& [arguments, text] : cases) {
    const ToolResult result = Check("", arguments);
    EXPECT_EQ(result.exit_code, 2) << text;
    EXPECT_THAT(result.errors, HasSubstr(text));
    EXPECT_EQ(result.output, "");
  }
  EXPECT_THAT(Check("", {"--read", "ShoppingCart.GetCart", "--service", "ShoppingCart", "--ignore",
                         "persistence.ItemAdded.item.product_id"})
                  .output,
              HasSubstr("1 entity, 1 command compared"));
}

TEST_F(CliHistory, EndsAtCtrlC) {
  Output({"call", "ShoppingCart/AddItem", R"({"userId":"me","productId":"tea","quantity":1})"});  // without a name
  const auto check = support::StartTool(
      WithAdmin({"check-history", "--deadline", "1m", "--serve", absl::StrCat(FAULTY_CART, " --fault hang")}));
  absl::SleepFor(absl::Seconds(2));  // then it waits for an answer
  check->Signal(SIGINT);
  EXPECT_EQ(check->WaitForExit(), 130) << check->output() << check->errors();
}

TEST_F(CliHistory, NeedsAUserFunctionAndAJournal) {
  const ToolResult none = Tool({"check-history"});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.errors, HasSubstr("--serve"));
  const ToolResult empty = Check("");
  EXPECT_EQ(empty.exit_code, 1);
  EXPECT_THAT(empty.errors, HasSubstr("no entities to check"));
  const testing::TemporaryDirectory directory;
  const ToolResult nowhere =
      RunTool({"--data-dir", directory.path().string(), "check-history", "--sample", "shopping-cart"});
  EXPECT_EQ(nowhere.exit_code, 3);
  EXPECT_THAT(nowhere.errors, HasSubstr("holds no journal"));
}

TEST_F(CliHistory, TellsWhichEventIsNotTakenAnyMore) {
  Add("me", "tea", 1);
  Add("me", "mug", 1);
  const ToolResult result = Check("renamed-event");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("  #1: does not load\n    ItemAdded {"), HasSubstr("1 × does not load\n")));
}

// Nobody has the service any more.
TEST_F(CliHistory, TellsThatNoServiceTakesTheEvents) {
  Add("me", "tea", 1);
  const ToolResult result = Tool({"check-history", "--sample", "value-shopping-cart"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, AllOf(HasSubstr("shopping-cart|me"), HasSubstr("does not load")));
}

}  // namespace
}  // namespace cloudstate
