// `test` as a user's build server runs it: the real program, files of cases, a sample as the user function.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/emulator_process.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate {
namespace {

using support::RunTool;
using support::ToolResult;
using ::testing::HasSubstr;

constexpr char kWrongQuantity[] = R"(service: ShoppingCart
cases:
  - name: passes
    when: [{call: GetCart, input: {userId: me}, reply: {}}]
  - name: does not
    when:
      - call: AddItem
        input: {userId: me, productId: a, name: A, quantity: 2}
        events:
          - ItemAdded: {item: {productId: a, name: A, quantity: 3}}
  - name: is left out
    skip: not yet
)";

class TestCommand : public ::testing::Test {
 protected:
  std::string Save(const std::string& name, const std::string& text) const {
    const std::string path = (directory_.path() / name).string();
    std::ofstream(path) << text;
    return path;
  }
  static ToolResult Test(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "test");
    arguments.insert(arguments.end(), {"--sample", "shopping-cart"});
    return RunTool(arguments);
  }
  std::string Content(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream((directory_.path() / name).string()).rdbuf();
    return text.str();
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(TestCommand, PassesTheExampleThatUsersBeginWith) {
  const ToolResult result =
      Test({SAMPLE_SCENARIOS "/../tests/shopping-cart.yaml", "--coverage", "--min-coverage", "100"});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
  EXPECT_THAT(result.output, HasSubstr("100 % of the methods were called"));
}

TEST_F(TestCommand, TellsWhereInTheFileWhatWasExpectedDidNotCome) {
  const ToolResult result =
      Test({Save("a.yaml", kWrongQuantity), "--junit", (directory_.path() / "report.xml").string()});
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("a.yaml:10:55: events[0].ItemAdded.item.quantity is 2, not 3"));
  EXPECT_THAT(result.output, ::testing::ContainsRegex("- +\"quantity\": 3"));
  EXPECT_THAT(result.output, HasSubstr("stored"));  // the steps of the call
  EXPECT_THAT(result.output, HasSubstr("1 passed, 1 failed, 1 skipped"));
  EXPECT_THAT(Content("report.xml"), HasSubstr("tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""));
}

TEST_F(TestCommand, RefusesAReportThatCantBeWrittenBeforeAnythingRuns) {
  const ToolResult result =
      Test({Save("a.yaml", kWrongQuantity), "--junit", (directory_.path() / "none" / "report.xml").string()});
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_EQ(result.output, "");
  EXPECT_THAT(result.errors, HasSubstr("is not there; make it first"));
}

TEST_F(TestCommand, TellsNamesThatThereAreNotBeforeAnythingRuns) {
  const ToolResult result = Test({Save("a.yaml", "cases: [{name: a, when: [{call: AddItm}]}]\n")});
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_THAT(result.errors, HasSubstr("there is no method 'AddItm'; did you mean 'AddItem'?"));
}

TEST_F(TestCommand, RefusesMoreNodesThanThereCanBe) {
  const ToolResult result = Test({Save("a.yaml", "nodes: 101\ncases: [{name: a, when: [{call: GetCart}]}]\n")});
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_THAT(result.errors, HasSubstr("a.yaml:1:1: there are 1 to 100 nodes"));
}

TEST_F(TestCommand, TellsHeadersThatCannotBeSentBeforeAnythingRuns) {
  const ToolResult result = Test(
      {Save("a.yaml", "cases:\n  - name: a\n    when: [{call: GetCart, input: {userId: me}, headers: {'a b': c}}]\n")});
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_THAT(result.errors, HasSubstr("a.yaml:3:"));
  EXPECT_THAT(result.errors, HasSubstr("'a b' is no name of a header"));
}

// The sample buys with a side effect that its answer does not wait for.
constexpr char kUnawaitedEffect[] = R"(service: Checkout
cases:
  - name: sees the effect
    when:
      - call: Buy
        input: {userId: me, productId: apple, quantity: 2}
        headers: {X-Shop: corner}
        effects: [{call: ShoppingCart.AddItem, input: $any}]
        forward: {call: ShoppingCart.AddItem, input: $any}
  - name: takes none for all
    when:
      - {call: Buy, input: {userId: me, productId: apple, quantity: 2}, effects: []}
)";

TEST_F(TestCommand, WaitsForSideEffectsThatNobodyAwaits) {
  const ToolResult result = RunTool({"test", Save("a.yaml", kUnawaitedEffect), "--sample", "checkout"});
  EXPECT_EQ(result.exit_code, 1) << result.output << result.errors;
  EXPECT_THAT(result.output, HasSubstr("there are 1 effects, not 0: com.example.shoppingcart.ShoppingCart.AddItem"));
  EXPECT_THAT(result.output, HasSubstr("1 passed, 1 failed"));
}

// A stream that never ends: the emulator ends it, as it is told by the case, or by a header of the client.
constexpr char kHttpStreams[] = R"(service: Chat
before:
  - {call: Post, input: {room: r, author: a, text: hello}}
cases:
  - name: ends in lines
    when: [{http: GET /chat/r/join/b, deadline: 1s, replies: [$any]}]
  - name: ends in events
    when: [{http: GET /chat/r/join/b, headers: {accept: text/event-stream}, deadline: 1s, replies: [$any]}]
  - name: fails in lines
    when: [{http: GET /chat/r/join/b, headers: {X-Server-Timeout: '1'}}]
  - name: fails in events
    when: [{http: GET /chat/r/join/b, headers: {accept: text/event-stream, x-server-timeout: '1'}}]
)";

TEST_F(TestCommand, FailsAStepWhoseHttpStreamFailsAfterItsStatus) {
  const ToolResult result = RunTool({"test", Save("a.yaml", kHttpStreams), "--sample", "chat"});
  EXPECT_EQ(result.exit_code, 1) << result.output << result.errors;
  EXPECT_THAT(result.output, HasSubstr("2 passed, 2 failed"));
  EXPECT_THAT(result.output,
              HasSubstr("a.yaml:10:13: GET /chat/r/join/b failed after 1 messages with DEADLINE_EXCEEDED"));
  EXPECT_THAT(result.output,
              HasSubstr("a.yaml:12:13: GET /chat/r/join/b failed after 1 messages with DEADLINE_EXCEEDED"));
}

TEST_F(TestCommand, RunsTheCommandAfterTwoDashesAndPrintsTap) {
  const ToolResult result = RunTool({"test", Save("a.yaml", kWrongQuantity), "--filter", "passes", "--tap",
                                     "--coverage", "--", support::EmulatorProgram(), "sample", "shopping-cart"});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
  EXPECT_THAT(result.output, HasSubstr("TAP version 14\n1..1\nok 1 - "));
  EXPECT_THAT(result.output, HasSubstr("# 33 % of the methods were called\n"));
}

TEST_F(TestCommand, PlaysCasesAtOnceAndTellsThemInTheirOrder) {
  std::string cases = "service: ShoppingCart\ncases:\n";
  for (int i = 0; i < 20; ++i) {
    absl::StrAppend(
        &cases, "  - name: case ", i, "\n    when:\n      - {call: AddItem, input: {userId: me, productId: a, ",
        "name: A, quantity: 1}}\n      - {call: GetCart, input: {userId: me}, reply: {items: {$length: 1}}}\n");
  }
  const ToolResult result = Test({Save("a.yaml", cases), "--workers", "3"});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
  std::size_t at = 0;
  for (int i = 0; i < 20; ++i) {
    at = result.output.find(absl::StrCat(": case ", i, " "), at);
    ASSERT_NE(at, std::string::npos) << i << "\n" << result.output;
  }
}

TEST_F(TestCommand, EndsAtTheFirstFailureWhereThatIsWanted) {
  std::string cases = kWrongQuantity;
  absl::StrAppend(&cases, "  - name: comes later\n    when: [{call: GetCart, input: {userId: me}}]\n");
  const ToolResult result = Test({Save("a.yaml", cases), "--fail-fast", "--workers", "1", "--json"});
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("\"notRun\":2"));
  EXPECT_THAT(result.output, HasSubstr("\"line\":13,\"name\":\"comes later\""));
}

TEST_F(TestCommand, TellsWhatAUserFunctionPrintedThatDoesNotStart) {
  const ToolResult result = RunTool({"test", Save("a.yaml", kWrongQuantity), "--serve", "echo no such database; exit 3",
                                     "--json", "--junit", (directory_.path() / "report.xml").string()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("exited with 3 before it answered discovery.\n  | no such database\n"));
  EXPECT_EQ(result.errors.find("no such database"), result.errors.rfind("no such database")) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("\"error\":\"The user function exited with 3"));
  EXPECT_THAT(Content("report.xml"), HasSubstr("<error message=\"The user function exited with 3"));
}

TEST_F(TestCommand, GivesUpAUserFunctionThatTakesTooLongToStart) {
  const ToolResult result =
      RunTool({"test", Save("a.yaml", kWrongQuantity), "--serve", "exec sleep 60", "--start-timeout", "300ms"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("did not answer discovery within 300ms"));
}

TEST_F(TestCommand, RefusesAFileThatIsNotUtf8InEveryForm) {
  const std::string file = Save("a.yaml", "cases:\n  - name: caf\xe9\n    then: [{complaints: []}]\n");
  const ToolResult result = Test({file, "--tap", "--junit", (directory_.path() / "report.xml").string()});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("a.yaml:2:14: this is not UTF-8"));
  EXPECT_THAT(result.output, HasSubstr("TAP version 14\nBail out! "));
  EXPECT_THAT(Content("report.xml"), HasSubstr("a.yaml:2:14: this is not UTF-8"));
}

// It ends while it has a command that a fault holds back.
constexpr char kCrash[] = R"(service: ShoppingCart
cases:
  - name: meets the end
    when:
      - fault: {kind: slow, delay: 8s}
      - {call: GetCart, input: {userId: me}}
  - name: comes after it
    when: [{call: GetCart, input: {userId: me}, reply: {}}]
)";

TEST_F(TestCommand, TellsHowTheUserFunctionEndedAndWaitsForTheNext) {
  const std::string once = (directory_.path() / "once").string();
  const std::string serve =
      absl::StrCat("[ -e ", once, " ] || { touch ", once, "; (sleep 4; echo out of memory; kill -9 $$) & }; exec ",
                   support::EmulatorProgram(), " sample shopping-cart");
  const ToolResult result = RunTool({"test", Save("a.yaml", kCrash), "--serve", serve});
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("the user function was killed by signal 9"));
  EXPECT_THAT(result.output, HasSubstr("| out of memory"));
  EXPECT_THAT(result.output, HasSubstr("1 passed, 1 failed")) << result.output;
}

constexpr char kTooLate[] = R"(service: ShoppingCart
before:
  - fault: {kind: slow, delay: 1300ms}
cases:
  - name: by grpc
    when: [{call: AddItem, input: {userId: me, productId: a, name: A, quantity: 2}, events: []}]
  - name: by http
    when: [{http: GET /carts/me}]
)";

TEST_F(TestCommand, TellsWhichStepTookAllTheTimeOfItsCase) {
  const ToolResult result = Test({Save("a.yaml", kTooLate), "--timeout", "1s"});
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  EXPECT_THAT(result.output,
              HasSubstr("a.yaml:6:13: com.example.shoppingcart.ShoppingCart.AddItem was not answered within"));
  EXPECT_THAT(result.output, HasSubstr("a.yaml:8:13: GET /carts/me was not answered within"));
  EXPECT_THAT(result.output, HasSubstr("command 1  AddLineItem"));  // the steps of the call
}

constexpr char kWrongAtTheEnd[] = R"(service: ShoppingCart
cases:
  - name: another snapshot
    given: [{entity: me, events: [{ItemAdded: {item: {productId: a}}}], snapshot: {persistence.Cart: {items: [{productId: a}]}}}]
    then: [{entity: me, snapshot: {persistence.Cart: {items: [{productId: b}]}}}]
  - name: replay of nothing
    then: [{entity: me, replay: GetCart, input: {userId: me}}]
)";

TEST_F(TestCommand, TellsWhereTheEndIsNotAsItShouldBe) {
  const ToolResult result = Test({Save("a.yaml", kWrongAtTheEnd)});
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("a.yaml:5:64: snapshot.Cart.items[0].productId"));
  EXPECT_THAT(result.output, HasSubstr("a.yaml:7:25: nothing is stored of 'me'"));
}

TEST_F(TestCommand, LooksAtNoFieldsOfAValueThatIsNotThere) {
  const ToolResult result = RunTool({"test",
                                     Save("a.yaml",
                                          "cases:\n  - name: fields\n    then: [{entity: me, state: {itms: []}}]\n"
                                          "  - name: nothing\n    then: [{entity: me, state: $absent}]\n"),
                                     "--sample", "value-shopping-cart"});
  EXPECT_EQ(result.exit_code, 1) << result.output << result.errors;
  EXPECT_THAT(result.output, HasSubstr("a.yaml:3:25: there is no state of 'me'"));
  EXPECT_THAT(result.output, HasSubstr("1 passed, 1 failed"));
}

}  // namespace
}  // namespace cloudstate
