#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "cloudstate/dev/v1/figures.pb.h"

namespace cloudstate::admin {

// As lines say who wrote them and how bad they are; the levels in the order of base::LogLevel.
inline constexpr char kEmulatorWrites[] = "emulator";
inline constexpr char kUserFunctionWrites[] = "user function";
inline constexpr std::array<const char*, 4> kLogLevels = {"debug", "info", "warning", "error"};

// A piece of the log.
struct LogLines {
  std::vector<std::shared_ptr<const dev::v1::LogLine>> lines;  // in their order
  std::int64_t next = 1;                                       // number of the line to go on from
  std::int64_t missed = 0;                                     // that were no longer kept, whether they fit or not
};

}  // namespace cloudstate::admin
