#include "emulator/runtime/observer_texts.h"

#include "absl/strings/str_cat.h"

namespace cloudstate::runtime {

std::string RejectedText(const std::string& problem) {
  return absl::StrCat("what the user function declares cannot be served: ", problem);
}

std::string StartedText(const std::string& label, int pid, int restarts) {
  return absl::StrCat(label, restarts == 0 ? "user function started" : "user function started again", ", pid ", pid);
}

std::string EndedText(const std::string& label, const std::string& how, absl::Duration again_in) {
  if (again_in <= absl::ZeroDuration()) return absl::StrCat(label, "user function stopped");
  return absl::StrCat(label, "user function ", how, "; again in ", absl::FormatDuration(again_in));
}

std::string ChangedText(const std::string& path) {
  return absl::StrCat(path, " changed: restarting the user function");
}

}  // namespace cloudstate::runtime
