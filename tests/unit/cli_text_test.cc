#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "cmd/cloudstate-dev/completion.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/payload_text.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {
namespace {

constexpr Terminal kNoTerminal;

Table TwoColumns() {
  Table table({{"NAME"}, {"COUNT", Table::Align::kRight}, {"WHAT"}});
  table.AddRow({{"a"}, {"1"}, {"short"}});
  table.AddRow({{"longer"}, {"1000"}, {"a text that goes on and on"}});
  return table;
}

TEST(CliTable, AlignsItsColumnsAndLeavesNoBlanksAtTheEnd) {
  EXPECT_EQ(TwoColumns().Format(kNoTerminal),
            "NAME    COUNT  WHAT\n"
            "a           1  short\n"
            "longer   1000  a text that goes on and on\n");
}

TEST(CliTable, CutsTheLastColumnAtTheEdgeOfATerminalOnly) {
  Terminal terminal;
  terminal.width = 36;
  const std::vector<std::string> lines = absl::StrSplit(TwoColumns().Format(terminal), '\n');
  for (const std::string& line : lines) EXPECT_LE(Width(line), 36u);
  EXPECT_NE(TwoColumns().Format(terminal).find("a text that goes on …"), std::string::npos)
      << TwoColumns().Format(terminal);
}

TEST(CliTable, CountsCharactersAndNotBytesOrColours) {
  Terminal terminal;
  terminal.colour = true;
  Table table({{"A"}, {"B"}});
  table.AddRow({{"größe", Style::kBold}, {"x"}});
  table.AddRow({{"12345"}, {"y"}});
  EXPECT_EQ(table.Format(terminal),
            "\x1b[2mA\x1b[0m      \x1b[2mB\x1b[0m\n"
            "\x1b[1mgröße\x1b[0m  x\n"
            "12345  y\n");
}

TEST(CliText, OfOthersDoesNothingToATerminal) {
  EXPECT_EQ(Printable("plain ö ✓"), "plain ö ✓");
  EXPECT_EQ(Printable("\x1b[31m\r\n\t"), "\\x1b[31m\\x0d\\x0a\\x09");
  EXPECT_EQ(Printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(Printable("\xc2\x9b"), "\\xc2\\x9b");
  EXPECT_EQ(Printable(std::string("a\0b", 3)), "a\\x00b");
}

TEST(CliText, IsCutBetweenCharacters) {
  EXPECT_EQ(Truncated("größe", 5), "größe");
  EXPECT_EQ(Truncated("größer", 5), "größ…");
  EXPECT_EQ(Truncated("ab", 1), "…");
  EXPECT_EQ(Truncated("ab", 0), "");
}

TEST(CliText, HasColourOnlyWhereTheTerminalHas) {
  Terminal terminal;
  terminal.colour = true;
  EXPECT_EQ(Styled("x", Style::kBad, terminal), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(Styled("x", Style::kBad, kNoTerminal), "x");
}

TEST(CliTime, IsShortForPeopleAndExactForScripts) {
  EXPECT_EQ(FormatAge(absl::Milliseconds(900)), "just now");
  EXPECT_EQ(FormatAge(absl::Seconds(59)), "59s ago");
  EXPECT_EQ(FormatAge(absl::Minutes(59)), "59m ago");
  EXPECT_EQ(FormatAge(absl::Hours(47)), "47h ago");
  EXPECT_EQ(FormatAge(absl::Hours(48)), "2d ago");
  EXPECT_EQ(FormatWhen(absl::UnixEpoch() + absl::Milliseconds(1'234), kNoTerminal), "1970-01-01T00:00:01.234Z");
  EXPECT_EQ(FormatShortDuration(absl::Microseconds(12)), "12µs");
  EXPECT_EQ(FormatShortDuration(absl::Microseconds(1'234)), "1.23ms");
  EXPECT_EQ(FormatShortDuration(absl::Seconds(2)), "2s");
  EXPECT_EQ(FormatShortDuration(absl::Nanoseconds(999'600)), "1ms");
  EXPECT_EQ(FormatShortDuration(absl::Microseconds(999'600)), "1s");
  EXPECT_EQ(FormatShortDuration(absl::Milliseconds(999'600)), "16m39s");
  EXPECT_EQ(FormatShortDuration(absl::Minutes(30)), "30m");
}

TEST(CliPayload, ShowsItsShortTypeAndWhetherItsMeaningIsGuessed) {
  dev::v1::Payload payload;
  payload.set_type_url("type.googleapis.com/com.example.ItemAdded");
  payload.set_json(R"({"1":"tea"})");
  EXPECT_EQ(FormatPayload(payload, kNoTerminal), R"(ItemAdded {"1":"tea"} (not described))");
  payload.set_described(true);
  EXPECT_EQ(FormatPayload(payload, kNoTerminal), R"(ItemAdded {"1":"tea"})");
  EXPECT_EQ(ShortType("Plain"), "Plain");
  EXPECT_EQ(ShortMethod("com.example.Cart", "Add"), "Cart.Add");
  EXPECT_EQ(CodeName(5), "NOT_FOUND");
}

TEST(CliJson, HasPayloadsAsJsonInPlace) {
  dev::v1::ListEventsResponse response;
  for (const char* json : {R"({"a":[1,"x"]})", R"("text")", ""}) {
    dev::v1::Event& event = *response.add_events();
    event.set_entity_id(
        "quote \" and \"json\":\"\x01"
        "0\x01\"");
    event.mutable_payload()->set_json(json);
    event.mutable_cause()->mutable_command()->set_json("7");
  }
  const std::string json = ToJson(response);
  EXPECT_NE(json.find(R"("json":{"a":[1,"x"]})"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("json":"text")"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("json":null)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("json":7)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"(\u00010\u0001\")"), std::string::npos)
      << "a text that looks like a placeholder was replaced: " << json;
  EXPECT_EQ(json.find('\n'), std::string::npos);
}

TEST(CliJson, HasRepliesAsJsonInPlace) {
  dev::v1::CallResponse response;
  response.add_replies(R"({"items":[]})");
  EXPECT_NE(ToJson(response).find(R"("replies":[{"items":[]}])"), std::string::npos) << ToJson(response);
  dev::v1::CallStreamResponse streamed;
  streamed.set_json(R"({"item":1})");
  EXPECT_EQ(ToJson(streamed), R"({"json":{"item":1}})");
  EXPECT_EQ(JsonString("a\"\n"), R"("a\"\n")");
}

}  // namespace
}  // namespace cloudstate::cli
