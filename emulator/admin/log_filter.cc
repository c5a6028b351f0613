#include "emulator/admin/log_filter.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/admin/log_lines.h"

namespace cloudstate::admin {
namespace {

// Letters of ASCII in any case; `wanted` is in lower case.
bool ContainsInAnyCase(const std::string& text, const std::string& wanted) {
  const auto same = [](char a, char b) { return absl::ascii_tolower(static_cast<unsigned char>(a)) == b; };
  return wanted.empty() || std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), same) != text.end();
}

// Its place among the levels; -1 for anything else.
int LogLevelNumber(const std::string& level) {
  const auto found = std::ranges::find(kLogLevels, level);
  return found == kLogLevels.end() ? -1 : static_cast<int>(std::distance(kLogLevels.begin(), found));
}

}  // namespace

absl::StatusOr<LogFilter> LogFilter::From(const dev::v1::LogFilter& filter) {
  if (!filter.source().empty() && filter.source() != kEmulatorWrites && filter.source() != kUserFunctionWrites) {
    return absl::InvalidArgumentError(absl::StrCat("'", filter.source(), "' writes no lines; '", kEmulatorWrites,
                                                   "' and '", kUserFunctionWrites, "' do"));
  }
  LogFilter result;
  result.source_ = filter.source();
  if (!filter.level().empty()) result.least_level_ = LogLevelNumber(filter.level());
  if (result.least_level_ < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", filter.level(), "' is no level; those are ", absl::StrJoin(kLogLevels, ", ")));
  }
  result.contains_ = absl::AsciiStrToLower(filter.contains());
  return result;
}

bool LogFilter::operator()(const dev::v1::LogLine& line) const {
  return (source_.empty() || line.source() == source_) &&
         (least_level_ == 0 || LogLevelNumber(line.level()) >= least_level_) &&
         ContainsInAnyCase(line.text(), contains_);
}

}  // namespace cloudstate::admin
