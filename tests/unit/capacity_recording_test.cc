#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "emulator/capacity/recording.h"

namespace cloudstate::capacity {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<Recording> Read(const std::string& text) {
  std::istringstream input(text);
  return ReadRecording(input, "calls.csv");
}

TEST(CapacityRecording, IsReadInTheOrderOfTheCallsFromTheFirstOn) {
  const absl::StatusOr<Recording> recording = Read(
      "# recorded yesterday\n"
      "at_us,total_us,until_sent_us,held_us,user_function_us,journal_us,node,code\n"
      "1500,2000,100,0,1200,300,2,0\r\n"
      "\n"
      "-500,3000,200,150,2200,0,1,14\n");
  ASSERT_TRUE(recording.ok()) << recording.status();
  EXPECT_TRUE(recording->has_times);
  const RecordedCall first = {.at = 0,
                              .total = 3'000'000,
                              .until_sent = 200'000,
                              .held = 150'000,
                              .user_function = 2'200'000,
                              .journal = 0,
                              .node = 1,
                              .code = 14};
  const RecordedCall second = {.at = 2'000'000,
                               .total = 2'000'000,
                               .until_sent = 100'000,
                               .held = 0,
                               .user_function = 1'200'000,
                               .journal = 300'000,
                               .node = 2,
                               .code = 0};
  EXPECT_THAT(recording->calls, ElementsAre(first, second));
  EXPECT_THAT(recording->ToLoad().recorded, ElementsAre(0, 2'000'000));
  EXPECT_EQ(recording->ToLoad().Length(), 2'000'000);
}

TEST(CapacityRecording, NeedsOnlyWhenCallsCameAndLeavesOutOtherColumns) {
  const absl::StatusOr<Recording> recording = Read("who, at_us\nme,5\nyou,9\n");
  ASSERT_TRUE(recording.ok()) << recording.status();
  EXPECT_FALSE(recording->has_times);
  EXPECT_THAT(recording->ToLoad().recorded, ElementsAre(0, 4'000));
}

TEST(CapacityRecording, OfBeforeThereWasAColumnForThatHasNoCallsThatWereHeld) {
  const absl::StatusOr<Recording> recording =
      Read("at_us,total_us,until_sent_us,user_function_us,journal_us,node,code\n5,2000,100,1200,300,2,0\n");
  ASSERT_TRUE(recording.ok()) << recording.status();
  EXPECT_TRUE(recording->has_times);
  EXPECT_EQ(recording->calls[0].held, 0);
  EXPECT_EQ(recording->calls[0].user_function, 1'200'000);
}

TEST(CapacityRecording, IsReadAsItWasWritten) {
  const RecordedCall call = {.at = 0,
                             .total = 21'000,
                             .until_sent = 6'000,
                             .held = 5'000,
                             .user_function = 10'000,
                             .journal = 4'000,
                             .node = 3,
                             .code = 2};
  std::ostringstream written;
  WriteRecordingHeader(written);
  WriteRecordedCall(call, written);
  const absl::StatusOr<Recording> recording = Read(written.str());
  ASSERT_TRUE(recording.ok()) << recording.status();
  EXPECT_THAT(recording->calls, ElementsAre(call));
}

TEST(CapacityRecording, MayBeginWithAByteOrderMark) {
  const absl::StatusOr<Recording> recording = Read(
      "\xEF\xBB\xBF"
      "at_us\n7\n");
  ASSERT_TRUE(recording.ok()) << recording.status();
  EXPECT_EQ(recording->calls.size(), 1u);
}

TEST(CapacityRecording, OfOneCallIsALoadOfASecond) { EXPECT_EQ(Read("at_us\n7\n")->ToLoad().Length(), kSecond); }

TEST(CapacityRecording, SaysWhatIsWrongInWhichLine) {
  const std::string header = "at_us,total_us,until_sent_us,user_function_us,journal_us,node,code\n";
  const struct {
    std::string text;
    std::string message;
  } cases[] = {
      {"", "calls.csv:1: there is no header line, such as at_us,total_us"},
      {"# only this\n", "calls.csv:1: there is no header line"},
      {"1,2,3\n", "calls.csv:1: expected the names of the columns, at_us at least"},
      {"total_us,node\n", "calls.csv:1: expected the names of the columns, at_us at least"},
      {"at_us,node,at_us\n", "calls.csv:1: two columns are at_us"},
      {header, "calls.csv:1: there are no calls"},
      {header + "1,2,3,4,5,6,0\n#\n1,2,3\n", "calls.csv:4: expected 7 values as in the header, not 3"},
      {header + "1,2,3,4,5,6,0,9\n", "calls.csv:2: expected 7 values as in the header, not 8"},
      {header + "1,2,3.5,4,5,6,0\n", "calls.csv:2: until_sent_us is no whole number: \"3.5\""},
      {header + "1,,3,4,5,6,0\n", "calls.csv:2: total_us is no whole number: \"\""},
      {header + "1,-2,3,4,5,6,0\n", "calls.csv:2: total_us is out of range: -2"},
      {header + "99999999999999999,2,3,4,5,6,0\n", "calls.csv:2: at_us is out of range"},
      {header + "1,2,3,4,5,6,99999999999999999999999\n", "calls.csv:2: code is no whole number"},
  };
  for (const auto& each : cases) {
    const absl::Status status = Read(each.text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << each.text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(each.message));
  }
}

}  // namespace
}  // namespace cloudstate::capacity
