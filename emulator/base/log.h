#pragma once

#include <functional>
#include <string>

namespace cloudstate::base {

// What the log is told: spdlog writes it to standard error where its level lets it, and those who listen get it. Kept
// out of headers and of the many files that say one thing now and then, because it is slow to compile. Any thread.
void LogDebug(const std::string& text);
void LogInfo(const std::string& text);
void LogWarning(const std::string& text);

// -1: nothing; 0: warnings; 1: information as well; 2: everything.
void SetUpLog(int verbosity);

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Hands each line to `listener` while it lives, whatever standard error is given; of what is for debugging only where
// that is written. The listener is called on any thread, one line at a time, and must not log.
class LogListening {
 public:
  using Listener = std::function<void(LogLevel, const std::string& text)>;
  explicit LogListening(Listener listener);
  ~LogListening();
  LogListening(const LogListening&) = delete;
  LogListening& operator=(const LogListening&) = delete;

 private:
  Listener listener_;
};

}  // namespace cloudstate::base
