#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/figures.pb.h"

namespace cloudstate::admin {

// Tells which lines of the log somebody asked for. Any thread.
class LogFilter {
 public:
  // INVALID_ARGUMENT for a source or level that is none.
  static absl::StatusOr<LogFilter> From(const dev::v1::LogFilter& filter);

  // Whether it is one of them.
  bool operator()(const dev::v1::LogLine& line) const;

 private:
  std::string source_;
  int least_level_ = 0;
  std::string contains_;  // in lower case
};

}  // namespace cloudstate::admin
