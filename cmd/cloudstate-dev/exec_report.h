#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/dev.pb.h"
#include "cmd/cloudstate-dev/exec_process.h"
#include "cmd/cloudstate-dev/own_emulator.h"

namespace cloudstate::cli {

// What helps to find out why a test failed, as far as the emulator knows: a bounded part of it.
struct ExecReport {
  TestEnd end;
  std::string under_way;                       // what had not ended yet, in words; empty for nothing
  dev::v1::ListCommandsResponse open_calls;    // the newest of it, newest first
  dev::v1::ListCommandsResponse failed_calls;  // the newest, newest first
  dev::v1::ListNewestEventsResponse events;    // the newest, oldest first
  std::vector<std::string> troubles;           // the newest
  std::vector<std::string> output;             // of the user function: the last lines
};

// Asks the emulator, over its admin port.
absl::StatusOr<ExecReport> MakeExecReport(OwnEmulator& emulator, const TestEnd& end);

// Plain text, the same for terminals and files.
std::string ExecReportText(const ExecReport& report);

// One document.
std::string ExecReportJson(const ExecReport& report);

}  // namespace cloudstate::cli
