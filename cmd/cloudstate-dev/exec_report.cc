#include "cmd/cloudstate-dev/exec_report.h"

#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
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
  for (const dev::v1::CommandTrace& trace : report.open_calls.commands()) {
    absl::StrAppend(&text, "\n", FormatInstant(admin::FromTimestamp(trace.started())), " by ", trace.protocol(),
                    ", under way for ", FormatShortDuration(admin::FromDuration(trace.duration())), "\n",
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

absl::StatusOr<dev::v1::ListCommandsResponse> NewestCalls(Client& client, dev::v1::CommandFilter filter) {
  dev::v1::ListCommandsRequest request;
  *request.mutable_filter() = std::move(filter);
  request.set_limit(static_cast<int>(kReportedCalls));
  return client.Call(&Client::Stub::ListCommands, request);
}

}  // namespace

absl::StatusOr<ExecReport> MakeExecReport(OwnEmulator& emulator, const TestEnd& end) {
  ExecReport report;
  report.end = end;
  report.troubles = emulator.troubles();
  if (report.troubles.size() > kReportedTroubles) {
    report.troubles.erase(report.troubles.begin(), report.troubles.end() - kReportedTroubles);
  }
  report.output = emulator.OutputLines();
  const absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(emulator.admin_address());
  if (!client.ok()) return client.status();
  dev::v1::CommandFilter filter;
  filter.set_failed_only(true);
  auto failed = NewestCalls(**client, filter);
  if (!failed.ok()) return failed.status();
  report.failed_calls = *std::move(failed);
  dev::v1::ListNewestEventsRequest events;
  events.set_limit(kReportedEvents);
  auto newest = (*client)->Call(&Client::Stub::ListNewestEvents, events);
  if (!newest.ok()) return newest.status();
  report.events = *std::move(newest);
  if (const absl::Status idle = AwaitIdle(**client, kMayJustEnd); absl::IsDeadlineExceeded(idle)) {
    report.under_way = WhatIsUnderWay(idle);
    filter.Clear();
    filter.set_open(true);
    auto open = NewestCalls(**client, filter);
    if (!open.ok()) return open.status();
    report.open_calls = *std::move(open);
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
                      R"(,"openCalls":)", JsonListOf(report.open_calls.commands()), "}\n");
}

}  // namespace cloudstate::cli
