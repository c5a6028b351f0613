#include "cmd/cloudstate-dev/exec_report.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cmd/cloudstate-dev/call_tree.h"
#include "cmd/cloudstate-dev/client.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/payload_text.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/admin/views.h"

namespace cloudstate::cli {
namespace {

constexpr int kReportedCalls = 5;
constexpr int kReportedEvents = 20;
constexpr std::size_t kReportedTroubles = 20;

// No terminal, but lines that can be read.
constexpr Terminal kReportWidth{.interactive = false, .colour = false, .width = 160};

std::string FailedCall(const dev::v1::CommandTrace& trace) {
  return absl::StrCat("\n", FormatInstant(admin::FromTimestamp(trace.started())), " by ", trace.protocol(), ", took ",
                      FormatShortDuration(admin::FromDuration(trace.duration())), ": ",
                      Truncated(Printable(absl::StrCat(CodeName(trace.code()), " ", trace.message())), 500), "\n",
                      FormatCallTree(trace, kReportWidth));
}

std::string FailedCalls(const dev::v1::ListCommandsResponse& calls) {
  if (calls.commands().empty()) return "No call failed.\n";
  std::string text = calls.commands_size() < kReportedCalls
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
    const std::string entity = Printable(absl::StrCat(event.persistence_id(), "|", event.entity_id()));
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

std::string JsonList(const std::vector<std::string>& texts) {
  return absl::StrCat(
      "[",
      absl::StrJoin(texts, ",",
                    [](std::string* out, const std::string& text) { absl::StrAppend(out, JsonString(text)); }),
      "]");
}

template <class Messages>
std::string JsonListOf(const Messages& messages) {
  return absl::StrCat(
      "[",
      absl::StrJoin(messages, ",",
                    [](std::string* out, const auto& message) { absl::StrAppend(out, ToJson(message)); }),
      "]");
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
  dev::v1::ListCommandsRequest calls;
  calls.mutable_filter()->set_failed_only(true);
  calls.set_limit(kReportedCalls);
  auto failed = (*client)->Call(&Client::Stub::ListCommands, calls);
  if (!failed.ok()) return failed.status();
  report.failed_calls = *std::move(failed);
  dev::v1::ListNewestEventsRequest events;
  events.set_limit(kReportedEvents);
  auto newest = (*client)->Call(&Client::Stub::ListNewestEvents, events);
  if (!newest.ok()) return newest.status();
  report.events = *std::move(newest);
  return report;
}

std::string ExecReportText(const ExecReport& report) {
  std::string text = absl::StrCat(FailedCalls(report.failed_calls), "\n", NewestEvents(report.events));
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
                      JsonListOf(report.events.events()), R"(,"troubles":)", JsonList(report.troubles), R"(,"output":)",
                      JsonList(report.output), "}\n");
}

}  // namespace cloudstate::cli
