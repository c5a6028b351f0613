#pragma once

#include <string>

#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/testing/report.h"

namespace cloudstate::cli {

// A case in a line, and why it failed below it.
std::string TestResultText(const testing::CaseResult& result, const Terminal& terminal);
// Why it failed, in lines with their ends.
std::string FailureLines(const testing::CaseFailure& failure, const Terminal& terminal);
// How many of each outcome there are.
std::string TestSummary(const testing::Report& report, const Terminal& terminal);
// Methods and event types, reached or not.
std::string CoverageText(const testing::Coverage& coverage, const Terminal& terminal);

// The same lines beside those of the Test Anything Protocol.
std::string TapComment(const std::string& text);

}  // namespace cloudstate::cli
