#pragma once

#include <string>

#include "absl/time/time.h"

namespace cloudstate::runtime {

// What an Observer is told, as people read it on the terminal and in the log.
std::string RejectedText(const std::string& problem);
std::string StartedText(const std::string& label, int pid, int restarts);
std::string EndedText(const std::string& label, const std::string& how, absl::Duration again_in);
std::string ChangedText(const std::string& path);

}  // namespace cloudstate::runtime
