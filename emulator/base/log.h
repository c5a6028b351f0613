#pragma once

#include <string>

namespace cloudstate::base {

// What the log is told: spdlog writes it to standard error where its level lets it. Kept out of headers and of the many
// files that say one thing now and then, because it is slow to compile. Any thread.
void LogDebug(const std::string& text);
void LogInfo(const std::string& text);
void LogWarning(const std::string& text);

// -1: nothing; 0: warnings; 1: information as well; 2: everything.
void SetUpLog(int verbosity);

}  // namespace cloudstate::base
