#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cloudstate/dev/v1/figures.pb.h"

namespace cloudstate::admin {

// A piece of the log.
struct LogLines {
  std::vector<std::shared_ptr<const dev::v1::LogLine>> lines;  // in their order
  std::int64_t next = 1;                                       // number of the line to go on from
  std::int64_t missed = 0;                                     // that were no longer kept, whether they fit or not
};

}  // namespace cloudstate::admin
