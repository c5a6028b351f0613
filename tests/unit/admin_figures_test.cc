#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/unit/admin_test_support.h"

namespace cloudstate::admin {
namespace {

using ::testing::ElementsAre;

class AdminFigures : public AdminBackendTest {
 protected:
  static std::shared_ptr<trace::Trace> TraceAt(const std::string& id, absl::Duration at, bool good = true) {
    auto trace = std::make_shared<trace::Trace>();
    trace->id = id;
    trace->begin = absl::UnixEpoch() + at;
    trace->duration = absl::Milliseconds(1);
    trace->steps.emplace_back();
    if (!good) trace->outcome = absl::UnknownError("no");
    return trace;
  }
  void AddSample(std::int64_t calls) {
    auto sample = std::make_shared<dev::v1::Sample>();
    sample->mutable_calls()->set_calls(calls);
    live_.samples.push_back(std::move(sample));
  }
};

TEST_F(AdminFigures, TellTheSettings) {
  live_.settings.add_settings()->set_flag("--port");
  auto responder = Start("GetSettings", dev::v1::GetSettingsRequest());
  EXPECT_TRUE(responder->WaitForEnd().ok());
  EXPECT_EQ(responder->WaitForMessages<dev::v1::Settings>(1)[0].settings(0).flag(), "--port");
}

TEST_F(AdminFigures, ListTheNewestSamples) {
  for (int i = 1; i <= 3; ++i) AddSample(i);
  dev::v1::ListSamplesRequest request;
  EXPECT_EQ(StartOfFigures("ListSamples", request)->WaitForMessages<dev::v1::ListSamplesResponse>(1)[0].samples_size(),
            3);
  request.set_limit(2);
  const auto listed = StartOfFigures("ListSamples", request)->WaitForMessages<dev::v1::ListSamplesResponse>(1)[0];
  ASSERT_EQ(listed.samples_size(), 2);
  EXPECT_EQ(listed.samples(0).calls().calls(), 2);
  request.set_limit(-1);
  EXPECT_TRUE(absl::IsInvalidArgument(StartOfFigures("ListSamples", request)->WaitForEnd()));
}

TEST_F(AdminFigures, FollowSamplesFromTheNewestThatAreKept) {
  for (int i = 1; i <= 3; ++i) AddSample(i);
  dev::v1::WatchSamplesRequest request;
  request.set_newest(2);
  auto responder = StartOfFigures("WatchSamples", request);
  live_.WaitForWatchers(1);
  live_.sample_watcher(live_.samples[0]);
  const auto all = responder->WaitForMessages<dev::v1::Sample>(3);
  EXPECT_EQ(all[0].calls().calls(), 2);
  EXPECT_EQ(all[2].calls().calls(), 1);
  request.set_newest(-1);
  EXPECT_TRUE(absl::IsInvalidArgument(StartOfFigures("WatchSamples", request)->WaitForEnd()));
}

TEST_F(AdminFigures, ListAndFollowTheLog) {
  for (int i = 1; i <= 200; ++i) live_.Log(i % 2 == 0 ? "info" : "warning", absl::StrCat(i));
  dev::v1::ListLogLinesRequest list;
  EXPECT_EQ(StartOfFigures("ListLogLines", list)->WaitForMessages<dev::v1::ListLogLinesResponse>(1)[0].lines_size(),
            100);
  list.mutable_filter()->set_level("loud");
  EXPECT_TRUE(absl::IsInvalidArgument(StartOfFigures("ListLogLines", list)->WaitForEnd()));

  dev::v1::WatchLogLinesRequest watch;
  watch.set_newest(2);
  watch.mutable_filter()->set_level("warning");
  auto responder = StartOfFigures("WatchLogLines", watch);
  responder->WaitForMessages<dev::v1::LogLine>(2);
  live_.Log("info", "not this");
  live_.Log("error", "this");
  const auto lines = responder->WaitForMessages<dev::v1::LogLine>(3);
  EXPECT_EQ(lines[0].text(), "197");
  EXPECT_EQ(lines[1].text(), "199");
  EXPECT_EQ(lines[2].text(), "this");
  watch.set_newest(-1);
  EXPECT_TRUE(absl::IsInvalidArgument(StartOfFigures("WatchLogLines", watch)->WaitForEnd()));
}

TEST_F(AdminFigures, TellASlowReaderOfTheLogHowManyLinesItMissed) {
  live_.Log("info", "first");
  dev::v1::WatchLogLinesRequest request;
  request.set_newest(1);
  auto responder = StartOfFigures("WatchLogLines", request);
  responder->WaitForMessages<dev::v1::LogLine>(1);
  {
    std::lock_guard lock(live_.mutex);
    live_.first_log_line = 7;
    while (live_.log.size() < 6) live_.log.push_back(std::make_shared<dev::v1::LogLine>());
  }
  live_.Log("info", "last");
  const auto lines = responder->WaitForMessages<dev::v1::LogLine>(3);
  EXPECT_EQ(lines[1].text(), "5 lines came faster than they could be shown.");
  EXPECT_EQ(lines[1].level(), "warning");
  EXPECT_EQ(lines[2].text(), "last");
}

TEST_F(AdminFigures, CommandsBeyondTheMostPerSecondCountAsMissed) {
  dev::v1::WatchCommandsRequest request;
  request.set_most_per_second(100);
  auto responder = Start("WatchCommands", request);
  live_.WaitForWatchers(1);
  for (int i = 0; i < 1'000; ++i) live_.trace_watcher(TraceAt(absl::StrCat(i), absl::Milliseconds(i) / 20));
  live_.trace_watcher(TraceAt("next", absl::Milliseconds(250)));
  const auto all = responder->WaitForMessages<dev::v1::WatchCommandsResponse>(11);
  ASSERT_EQ(all.size(), 11u);
  EXPECT_EQ(all[9].command().trace_id(), "9");
  EXPECT_EQ(all[10].command().trace_id(), "next");
  EXPECT_EQ(all[10].missed(), 990);
}

TEST_F(AdminFigures, FailedCommandsAreNotLostAmongTheOthers) {
  dev::v1::WatchCommandsRequest request;
  request.set_most_per_second(10);
  auto responder = Start("WatchCommands", request);
  live_.WaitForWatchers(1);
  for (int i = 0; i < 100; ++i) live_.trace_watcher(TraceAt("good", absl::ZeroDuration()));
  live_.trace_watcher(TraceAt("bad", absl::ZeroDuration(), false));
  const auto all = responder->WaitForMessages<dev::v1::WatchCommandsResponse>(2);
  EXPECT_EQ(all[1].command().trace_id(), "bad");
  EXPECT_EQ(all[1].missed(), 99);
}

TEST_F(AdminFigures, CommandsAreFollowedFromTheNewestThatFit) {
  for (int i = 1; i <= 5; ++i) {  // the newest comes first
    auto trace = TraceAt(absl::StrCat(i), absl::ZeroDuration());
    trace->duration = absl::Milliseconds(i);
    live_.traces.insert(live_.traces.begin(), trace);
  }
  dev::v1::WatchCommandsRequest request;
  request.set_newest(2);
  request.set_most_per_second(1);
  request.set_brief(true);
  *request.mutable_filter()->mutable_at_least() = ToDuration(absl::Milliseconds(2));
  auto responder = Start("WatchCommands", request);
  live_.WaitForWatchers(1);
  live_.trace_watcher(TraceAt("too quick", absl::ZeroDuration()));
  live_.trace_watcher(live_.traces.back());
  live_.trace_watcher(live_.traces.front());
  std::vector<std::string> ids;
  for (const auto& each : responder->WaitForMessages<dev::v1::WatchCommandsResponse>(3)) {
    ids.push_back(each.command().trace_id());
    EXPECT_EQ(each.command().steps_size(), 0);
    EXPECT_EQ(each.missed(), 0);
  }
  EXPECT_THAT(ids, ElementsAre("4", "5", "5"));
}

TEST_F(AdminFigures, WatchersOfCommandsMustMakeSense) {
  dev::v1::WatchCommandsRequest request;
  request.set_most_per_second(-1);
  EXPECT_TRUE(absl::IsInvalidArgument(Start("WatchCommands", request)->WaitForEnd()));
  request.set_most_per_second(0);
  request.set_newest(-1);
  EXPECT_TRUE(absl::IsInvalidArgument(Start("WatchCommands", request)->WaitForEnd()));
  request.set_newest(0);
  request.mutable_filter()->set_open(true);
  EXPECT_TRUE(absl::IsInvalidArgument(Start("WatchCommands", request)->WaitForEnd()));
}

}  // namespace
}  // namespace cloudstate::admin
