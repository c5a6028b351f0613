#include "emulator/base/log.h"

#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"

namespace cloudstate::base {

void LogDebug(const std::string& text) { spdlog::debug(text); }

void LogInfo(const std::string& text) { spdlog::info(text); }

void LogWarning(const std::string& text) { spdlog::warn(text); }

void SetUpLog(int verbosity) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("cloudstate-dev"));
  spdlog::set_pattern("%H:%M:%S.%e %^%l%$ %v");
  spdlog::set_level(verbosity < 0    ? spdlog::level::off
                    : verbosity == 0 ? spdlog::level::warn
                    : verbosity == 1 ? spdlog::level::info
                                     : spdlog::level::debug);
}

}  // namespace cloudstate::base
