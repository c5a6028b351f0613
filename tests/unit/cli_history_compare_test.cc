// How check-history compares what is stored with what comes now.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cmd/cloudstate-dev/check_history_compare.h"
#include "cmd/cloudstate-dev/check_history_report.h"

namespace cloudstate::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

dev::v1::Payload HistoryMessage(const std::string& type, const std::string& json, const std::string& value = "") {
  dev::v1::Payload payload;
  payload.set_type_url("type.googleapis.com/shop." + type);
  payload.set_json(json);
  payload.set_value(value.empty() ? json : value);
  return payload;
}

TEST(HistoryComparison, TakesTheSameMeaningForTheSame) {
  const auto one = HistoryMessage("Added", R"({"a":1,"b":"x"})", "bytes");
  EXPECT_TRUE(SameMessages({one}, {HistoryMessage("Added", R"({"b":"x","a":1})", "in another order")}, {}));
  EXPECT_FALSE(SameMessages({one}, {HistoryMessage("Added", R"({"b":"x","a":2})")}, {}));
  EXPECT_FALSE(SameMessages({one}, {HistoryMessage("Removed", R"({"a":1,"b":"x"})", "bytes")}, {}));
  EXPECT_FALSE(SameMessages({one}, {one, one}, {}));
  EXPECT_TRUE(SameMessages({}, {}, {}));
}

TEST(HistoryComparison, LeavesIgnoredFieldsOut) {
  const auto one = HistoryMessage("Added", R"({"item":[{"addedAt":"1","id":"x"},{"addedAt":"2"}],"time":3})");
  const auto other = HistoryMessage("Added", R"({"item":[{"addedAt":"7","id":"x"},{}],"time":4})");
  EXPECT_FALSE(SameMessages({one}, {other}, {"Added.time"}));
  EXPECT_FALSE(SameMessages({one}, {other}, {"Removed.time", "Added.item.added_at"}));
  for (const IgnoredFields& ignored :
       {IgnoredFields{"Added.time", "Added.item.added_at"}, IgnoredFields{"shop.Added.time", "Added.item.addedAt"},
        IgnoredFields{"Added.time", "Added.item"}}) {
    EXPECT_TRUE(SameMessages({one}, {other}, ignored));
  }
  EXPECT_THAT(MessageLines({one}, {"Added.item"}), ElementsAre("shop.Added {", "  \"time\": 3", "}"));
}

TEST(HistoryComparison, NamesTheFieldsThatDiffer) {
  const auto one = HistoryMessage("Added", R"({"item":[{"at":"1","id":"x"}],"time":3,"only":1})");
  const auto other = HistoryMessage("Added", R"({"item":[{"at":"7","id":"x"}],"time":4})");
  EXPECT_THAT(DifferentFields({one}, {other}), ElementsAre("Added.item.at", "Added.only", "Added.time"));
  EXPECT_THAT(DifferentFields({one}, {one}), IsEmpty());
  EXPECT_THAT(DifferentFields({one}, {HistoryMessage("Removed", "{}")}), IsEmpty());
}

TEST(HistoryReport, TellsTimesAndNamesOfCases) {
  EntityHistory history{.entity = {}, .commands = 1, .findings = {}, .failure = {}, .took = absl::Milliseconds(1500)};
  history.entity.set_persistence_id("cart");
  HistoryReport report;
  report.Add(history);
  EXPECT_THAT(report.JUnit(absl::Seconds(2)), HasSubstr(R"-(classname="cart" name="(the empty id)" time="1.500")-"));
}

}  // namespace
}  // namespace cloudstate::cli
