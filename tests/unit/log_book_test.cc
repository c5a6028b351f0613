#include "emulator/runtime/log_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/admin/log_filter.h"
#include "emulator/userfunction/utf8.h"

namespace cloudstate::runtime {
namespace {

using base::LogLevel;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr LogBook::Source kOwn = LogBook::Source::kEmulator;
constexpr LogBook::Source kTheirs = LogBook::Source::kUserFunction;

std::vector<std::string> Texts(const admin::LogLines& lines) {
  std::vector<std::string> texts;
  for (const auto& line : lines.lines) texts.push_back(line->text());
  return texts;
}

bool All(const dev::v1::LogLine&) { return true; }

admin::LogFilter Filter(const std::string& source, const std::string& level, const std::string& contains = "") {
  dev::v1::LogFilter filter;
  filter.set_source(source);
  filter.set_level(level);
  filter.set_contains(contains);
  const absl::StatusOr<admin::LogFilter> result = admin::LogFilter::From(filter);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.value_or(admin::LogFilter());
}

class LogBookTest : public ::testing::Test {
 protected:
  LogBook book_{[] { return absl::FromUnixSeconds(1'700'000'000); }};
};

TEST_F(LogBookTest, NumbersLinesAndTellsWhoWroteThem) {
  book_.Add(kOwn, LogLevel::kWarning, "first");
  book_.Add(kTheirs, LogLevel::kInfo, "second");
  const admin::LogLines all = book_.Newest(All, 10);
  ASSERT_EQ(all.lines.size(), 2U);
  EXPECT_EQ(all.lines[0]->number(), 1);
  EXPECT_EQ(all.lines[0]->source(), "emulator");
  EXPECT_EQ(all.lines[0]->level(), "warning");
  EXPECT_EQ(all.lines[0]->time().seconds(), 1'700'000'000);
  EXPECT_EQ(all.lines[1]->number(), 2);
  EXPECT_EQ(all.lines[1]->source(), "user function");
  EXPECT_EQ(all.next, 3);
}

TEST_F(LogBookTest, ShowsTheNewestThatFitOldestFirst) {
  for (int i = 1; i <= 5; ++i) book_.Add(kTheirs, LogLevel::kInfo, absl::StrCat("Line ", i));
  book_.Add(kOwn, LogLevel::kError, "bad line");
  EXPECT_THAT(Texts(book_.Newest(All, 2)), ElementsAre("Line 5", "bad line"));
  EXPECT_THAT(Texts(book_.Newest(Filter("user function", ""), 2)), ElementsAre("Line 4", "Line 5"));
  EXPECT_THAT(Texts(book_.Newest(Filter("", "warning"), 9)), ElementsAre("bad line"));
  EXPECT_THAT(Texts(book_.Newest(Filter("", "", "LINE 3"), 9)), ElementsAre("Line 3"));
  EXPECT_THAT(Texts(book_.Newest(Filter("emulator", "", "Line 3"), 9)), IsEmpty());
  EXPECT_THAT(Texts(book_.Newest(All, 0)), IsEmpty());
}

TEST_F(LogBookTest, WritersDoNotWaitForWhoLooksForLines) {
  book_.Add(kOwn, LogLevel::kInfo, "first");
  for (const bool newest : {true, false}) {
    std::future<void> written;
    bool in_time = false;
    const auto slow = [&](const dev::v1::LogLine&) {
      written = std::async(std::launch::async, [&] { book_.Add(kTheirs, LogLevel::kInfo, "meanwhile"); });
      in_time = written.wait_for(std::chrono::seconds(5)) == std::future_status::ready;
      return true;
    };
    const admin::LogLines found = newest ? book_.Newest(slow, 1) : book_.From(1, slow, 1);
    EXPECT_EQ(found.lines.size(), 1U);
    EXPECT_TRUE(in_time);
  }
}

TEST_F(LogBookTest, RefusesFiltersThatMakeNoSense) {
  dev::v1::LogFilter filter;
  filter.set_level("loud");
  EXPECT_TRUE(absl::IsInvalidArgument(admin::LogFilter::From(filter).status()));
  filter.set_level("");
  filter.set_source("nobody");
  EXPECT_TRUE(absl::IsInvalidArgument(admin::LogFilter::From(filter).status()));
}

TEST_F(LogBookTest, GoesOnFromALine) {
  for (int i = 1; i <= 5; ++i) book_.Add(kTheirs, LogLevel::kInfo, absl::StrCat(i));
  const admin::LogLines some = book_.From(2, All, 2);
  EXPECT_THAT(Texts(some), ElementsAre("2", "3"));
  EXPECT_EQ(some.next, 4);
  EXPECT_EQ(some.missed, 0);
  // Those that do not fit are passed, so that nobody looks at them again.
  EXPECT_EQ(book_.From(4, Filter("emulator", ""), 2).next, 6);
  EXPECT_THAT(Texts(book_.From(6, All, 2)), IsEmpty());
}

TEST_F(LogBookTest, KeepsABoundedNumberOfLinesAndTellsWhatIsMissed) {
  const int more = 7;
  for (std::size_t i = 0; i < LogBook::kMostLines + more; ++i) book_.Add(kOwn, LogLevel::kInfo, "x");
  EXPECT_EQ(book_.Newest(All, 1'000'000).lines.size(), LogBook::kMostLines);
  const admin::LogLines first = book_.From(3, All, 1);
  EXPECT_EQ(first.missed, more - 2);
  EXPECT_EQ(first.lines[0]->number(), more + 1);
}

TEST_F(LogBookTest, KeepsABoundedNumberOfBytes) {
  const std::string line(LogBook::kLongestLine, 'x');
  for (std::size_t i = 0; i < 2 * LogBook::kMostBytes / line.size(); ++i) book_.Add(kOwn, LogLevel::kInfo, line);
  EXPECT_EQ(book_.Newest(All, 1'000'000).lines.size(), LogBook::kMostBytes / line.size());
}

TEST_F(LogBookTest, CutsLongLinesBetweenCharactersAndSaysSo) {
  std::string line = "a";
  while (line.size() < LogBook::kLongestLine + 10) line += "ö";
  book_.Add(kTheirs, LogLevel::kInfo, line);
  const std::string text = book_.Newest(All, 1).lines[0]->text();
  EXPECT_THAT(text, StartsWith(line.substr(0, LogBook::kLongestLine - 1) + " … "));
  EXPECT_THAT(text, HasSubstr("(12 more bytes were not kept)"));
}

TEST_F(LogBookTest, ReplacesWhatIsNoUtf8) {
  book_.Add(kTheirs, LogLevel::kInfo,
            "a\xff"
            "b\xc3\xb6\xe2\x82");
  EXPECT_EQ(book_.Newest(All, 1).lines[0]->text(),
            "a\xef\xbf\xbd"
            "b\xc3\xb6\xef\xbf\xbd\xef\xbf\xbd");
  book_.Add(kTheirs, LogLevel::kInfo, std::string(2 * LogBook::kLongestLine, '\x80'));
  EXPECT_TRUE(userfunction::IsValidUtf8(book_.Newest(All, 1).lines[0]->text()));
}

TEST_F(LogBookTest, TellsThoseWhoWatch) {
  int told = 0;
  const std::uint64_t watch = book_.Watch([&] { ++told; });
  book_.Add(kOwn, LogLevel::kInfo, "x");
  EXPECT_EQ(told, 1);
  book_.Unwatch(watch);
  book_.Add(kOwn, LogLevel::kInfo, "x");
  EXPECT_EQ(told, 1);
}

TEST_F(LogBookTest, TakesLinesFromManyThreads) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) book_.Add(kOwn, LogLevel::kInfo, "x");
    });
  }
  for (std::thread& thread : threads) thread.join();
  const admin::LogLines all = book_.Newest(All, 10'000);
  ASSERT_EQ(all.lines.size(), 4'000U);
  for (std::size_t i = 0; i < all.lines.size(); ++i) {
    ASSERT_EQ(all.lines[i]->number(), static_cast<std::int64_t>(i) + 1);
  }
}

TEST(LogListening, HearsWarningsAndInformationWhateverTheTerminalIsGiven) {
  base::SetUpLog(-1);
  std::vector<std::string> heard;
  {
    const base::LogListening listening([&](LogLevel, const std::string& text) { heard.push_back(text); });
    base::LogWarning("w");
    base::LogInfo("i");
    base::LogDebug("not without -vv");
  }
  base::LogWarning("after");
  EXPECT_THAT(heard, ElementsAre("w", "i"));
}

}  // namespace
}  // namespace cloudstate::runtime
