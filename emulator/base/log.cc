#include "emulator/base/log.h"

#include <mutex>
#include <set>
#include <utility>

#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"

namespace cloudstate::base {
namespace {

struct Listeners {
  std::mutex mutex;
  std::set<LogListening::Listener*> all;
};

Listeners& AllListeners() {
  static auto* const kListeners = new Listeners;  // never destroyed: threads may log until the very end
  return *kListeners;
}

void Tell(LogLevel level, const std::string& text) {
  Listeners& listeners = AllListeners();
  const std::lock_guard lock(listeners.mutex);
  for (const LogListening::Listener* listener : listeners.all) (*listener)(level, text);
}

}  // namespace

void LogDebug(const std::string& text) {
  spdlog::debug(text);
  if (spdlog::default_logger_raw()->should_log(spdlog::level::debug)) Tell(LogLevel::kDebug, text);
}

void LogInfo(const std::string& text) {
  spdlog::info(text);
  Tell(LogLevel::kInfo, text);
}

void LogWarning(const std::string& text) {
  spdlog::warn(text);
  Tell(LogLevel::kWarning, text);
}

void SetUpLog(int verbosity) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("cloudstate-dev"));
  spdlog::set_pattern("%H:%M:%S.%e %^%l%$ %v");
  spdlog::set_level(verbosity < 0    ? spdlog::level::off
                    : verbosity == 0 ? spdlog::level::warn
                    : verbosity == 1 ? spdlog::level::info
                                     : spdlog::level::debug);
}

LogListening::LogListening(Listener listener) : listener_(std::move(listener)) {
  Listeners& listeners = AllListeners();
  const std::lock_guard lock(listeners.mutex);
  listeners.all.insert(&listener_);
}

LogListening::~LogListening() {
  Listeners& listeners = AllListeners();
  const std::lock_guard lock(listeners.mutex);
  listeners.all.erase(&listener_);
}

}  // namespace cloudstate::base
