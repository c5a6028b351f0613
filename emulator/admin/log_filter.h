#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/figures.pb.h"

namespace cloudstate::admin {

// "debug", "info", "warning", "error" as 0 to 3; -1 for anything else.
int LogLevelNumber(const std::string& level);

// Tells which lines of the log somebody asked for. Any thread.
class LogFilter {
 public:
  // INVALID_ARGUMENT for a source or level that is none.
  static absl::StatusOr<LogFilter> From(const dev::v1::LogFilter& filter);

  bool LetsThrough(const dev::v1::LogLine& line) const;

 private:
  std::string source_;
  int least_level_ = 0;
  std::string contains_;  // in lower case
};

}  // namespace cloudstate::admin
