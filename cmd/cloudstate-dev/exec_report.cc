#include "cmd/cloudstate-dev/exec_report.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "cmd/cloudstate-dev/await_idle.h"
#include "cmd/cloudstate-dev/call_tree.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/entity_reference.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/payload_text.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/admin/views.h"

namespace cloudstate::cli {
namespace {

constexpr std::size_t kReportedCalls = 5;
constexpr int kReportedEvents = 20;
constexpr std::size_t kReportedTroubles = 20;
// What goes on after the tests for no longer than this is about to end anyway.
constexpr absl::Duration kMayJustEnd = absl::Milliseconds(100);
// What the emulator takes at once, and what it needs to end what has reached its limit.
constexpr absl::Duration kMostAdvanced = absl::Hours(24);
constexpr absl::Duration kEndsWithin = absl::Milliseconds(500);

// No terminal, but lines that can be read.
constexpr Terminal kReportWidth{.interactive = false, .colour = false, .width = 160};

std::string FailedCall(const dev::v1::CommandTrace& trace) {
  return absl::StrCat("\n", FormatInstant(admin::FromTimestamp(trace.started())), " by ", trace.protocol(), ", took ",
                      FormatShortDuration(admin::FromDuration(trace.duration())), ": ",
                      Truncated(Printable(absl::StrCat(CodeName(trace.code()), " ", trace.message())), 500), "\n",
                      FormatCallTree(trace, kReportWidth));
}

std::string OpenCalls(const ExecReport& report) {
  if (report.under_way.empty()) return "";
  std::string text = absl::StrCat("Still under way: ", report.under_way, "\n");
  for (const dev::v1::CommandTrace& trace : report.open_calls) {
    absl::StrAppend(&text, "\n", FormatInstant(admin::FromTimestamp(trace.started())), " by ", trace.protocol(),
                    ", not answered after ", FormatShortDuration(admin::FromDuration(trace.duration())), "\n",
                    FormatCallTree(trace, kReportWidth));
  }
  return text + "\n";
}

std::string FailedCalls(const ExecReport& report) {
  const dev::v1::ListCommandsResponse& calls = report.failed_calls;
  if (calls.commands().empty()) return report.under_way.empty() ? "No call failed.\n" : "No other call failed.\n";
  std::string text = static_cast<std::size_t>(calls.commands_size()) < kReportedCalls
                         ? absl::StrCat(Counted(calls.commands_size(), "call"), " failed:\n")
                         : absl::StrCat("The newest ", kReportedCalls, " calls that failed:\n");
  // As they happened.
  for (int i = calls.commands_size() - 1; i >= 0; --i) text += FailedCall(calls.commands(i));
  return text;
}

std::string NewestEvents(const dev::v1::ListNewestEventsResponse& newest) {
  if (newest.events().empty()) return "Nothing is stored.\n";
  std::vector<std::string> entities;  // in the order of their first event
  std::map<std::string, std::string> lines;
  for (const dev::v1::Event& event : newest.events()) {
    const std::string entity = Printable(EntityNameOf(event));
    std::string& text = lines[entity];
    if (text.empty()) entities.push_back(entity);
    const std::string line =
        absl::StrCat("  #", event.sequence(), "  ", FormatInstant(admin::FromTimestamp(event.time())), "  ",
                     FormatPayload(event.payload(), kReportWidth));
    absl::StrAppend(&text, Truncated(line, kReportWidth.width), "\n");
  }
  std::string text = absl::StrCat("The newest ", Counted(newest.events_size(), "event"), " stored:\n");
  for (const std::string& entity : entities) absl::StrAppend(&text, "\n", entity, "\n", lines[entity]);
  return text;
}

template <class Messages>
std::string JsonListOf(const Messages& messages) {
  return absl::StrCat(
      "[",
      absl::StrJoin(messages, ",",
                    [](std::string* out, const auto& message) { absl::StrAppend(out, ToJson(message)); }),
      "]");
}

// "1 call is open." of "After 100ms still: 1 call is open."
std::string WhatIsUnderWay(const absl::Status& waited) {
  constexpr std::string_view kStill = "still: ";
  const std::string message(waited.message());
  const std::size_t still = message.find(kStill);
  return still == std::string::npos ? message : message.substr(still + kStill.size());
}

// Without what came of ending it.
dev::v1::CommandTrace AsItWas(dev::v1::CommandTrace trace, absl::Time then) {
  const absl::Duration age = then - admin::FromTimestamp(trace.started());
  *trace.mutable_duration() = admin::ToDuration(age);
  trace.clear_code();
  trace.clear_message();
  while (!trace.steps().empty() && admin::FromDuration(trace.steps().rbegin()->at()) > age)
    trace.mutable_steps()->RemoveLast();
  return trace;
}

// A trace is told when its call has ended. So time goes on, at once, until calls reach their limit. Streams have none.
absl::StatusOr<std::vector<dev::v1::CommandTrace>> EndOpenCalls(Client& client, absl::Duration limit) {
  const auto mark = client.Call(&Client::TestingStub::GetMark, dev::v1::GetMarkRequest());
  if (!mark.ok()) return mark.status();
  const absl::Time now = absl::Now();
  dev::v1::AdvanceTimeRequest advance;
  *advance.mutable_by() = admin::ToDuration(std::min(limit, kMostAdvanced));
  const auto advanced = client.Call(&Client::TestingStub::AdvanceTime, advance);
  if (!advanced.ok()) return advanced.status();
  // The tests may have let time go on themselves.
  const absl::Time then = now + admin::FromDuration(advanced->ahead()) - admin::FromDuration(advance.by());
  AwaitIdle(client, kEndsWithin).IgnoreError();  // whether all has ended or not
  dev::v1::ListSinceRequest since;
  *since.mutable_mark() = *mark;
  const auto ended = client.Call(&Client::TestingStub::ListSince, since);
  if (!ended.ok()) return ended.status();
  std::vector<dev::v1::CommandTrace> calls;
  for (const dev::v1::CommandTrace& trace : ended->commands()) {
    if (admin::FromTimestamp(trace.started()) <= then && calls.size() < kReportedCalls) {
      calls.push_back(AsItWas(trace, then));
    }
  }
  return calls;
}

}  // namespace

absl::StatusOr<ExecReport> MakeExecReport(OwnEmulator& emulator, const TestEnd& end, absl::Duration call_limit) {
  ExecReport report;
  report.end = end;
  report.troubles = emulator.troubles();
  if (report.troubles.size() > kReportedTroubles) {
    report.troubles.erase(report.troubles.begin(), report.troubles.end() - kReportedTroubles);
  }
  report.output = emulator.OutputLines();
  const absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(emulator.admin_address());
  if (!client.ok()) return client.status();
  dev::v1::ListCommandsRequest calls;
  calls.mutable_filter()->set_failed_only(true);
  calls.set_limit(static_cast<int>(kReportedCalls));
  auto failed = (*client)->Call(&Client::Stub::ListCommands, calls);
  if (!failed.ok()) return failed.status();
  report.failed_calls = *std::move(failed);
  dev::v1::ListNewestEventsRequest events;
  events.set_limit(kReportedEvents);
  auto newest = (*client)->Call(&Client::Stub::ListNewestEvents, events);
  if (!newest.ok()) return newest.status();
  report.events = *std::move(newest);
  if (const absl::Status idle = AwaitIdle(**client, kMayJustEnd); absl::IsDeadlineExceeded(idle)) {
    report.under_way = WhatIsUnderWay(idle);
    auto open = EndOpenCalls(**client, call_limit);
    if (open.ok()) report.open_calls = *std::move(open);
  }
  return report;
}

std::string ExecReportText(const ExecReport& report) {
  std::string text = absl::StrCat(OpenCalls(report), FailedCalls(report), "\n", NewestEvents(report.events));
  if (!report.troubles.empty()) {
    absl::StrAppend(&text, "\nTroubles:\n");
    for (const std::string& each : report.troubles) absl::StrAppend(&text, "  ", Truncated(Printable(each), 500), "\n");
  }
  if (!report.output.empty())
    absl::StrAppend(&text, "\nThe user function printed last:", OutputText(report.output), "\n");
  return text;
}

std::string ExecReportJson(const ExecReport& report) {
  return absl::StrCat(R"({"exitCode":)", report.end.exit_code, R"(,"how":)", JsonString(report.end.how),
                      R"(,"failedCalls":)", JsonListOf(report.failed_calls.commands()), R"(,"events":)",
                      JsonListOf(report.events.events()), R"(,"troubles":)", JsonStrings(report.troubles),
                      R"(,"output":)", JsonStrings(report.output), R"(,"underWay":)", JsonString(report.under_way),
                      R"(,"openCalls":)", JsonListOf(report.open_calls), "}\n");
}

}  // namespace cloudstate::cli
