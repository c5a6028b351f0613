#include "emulator/admin/log_filter.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace cloudstate::admin {
namespace {

constexpr std::array<const char*, 4> kLevels = {"debug", "info", "warning", "error"};

// Letters of ASCII in any case; `wanted` is in lower case.
bool ContainsInAnyCase(const std::string& text, const std::string& wanted) {
  const auto same = [](char a, char b) { return absl::ascii_tolower(static_cast<unsigned char>(a)) == b; };
  return wanted.empty() || std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), same) != text.end();
}

}  // namespace

int LogLevelNumber(const std::string& level) {
  const auto found = std::ranges::find(kLevels, level);
  return found == kLevels.end() ? -1 : static_cast<int>(std::distance(kLevels.begin(), found));
}

absl::StatusOr<LogFilter> LogFilter::From(const dev::v1::LogFilter& filter) {
  if (!filter.source().empty() && filter.source() != "emulator" && filter.source() != "user function") {
    return absl::InvalidArgumentError(
        absl::StrCat("'", filter.source(), "' writes no lines; 'emulator' and 'user function' do"));
  }
  LogFilter result;
  result.source_ = filter.source();
  if (!filter.level().empty()) result.least_level_ = LogLevelNumber(filter.level());
  if (result.least_level_ < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", filter.level(), "' is no level; those are debug, info, warning and error"));
  }
  result.contains_ = absl::AsciiStrToLower(filter.contains());
  return result;
}

bool LogFilter::LetsThrough(const dev::v1::LogLine& line) const {
  return (source_.empty() || line.source() == source_) && LogLevelNumber(line.level()) >= least_level_ &&
         ContainsInAnyCase(line.text(), contains_);
}

}  // namespace cloudstate::admin
