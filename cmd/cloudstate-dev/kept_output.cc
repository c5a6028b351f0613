#include "cmd/cloudstate-dev/kept_output.h"

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {
namespace {

constexpr std::size_t kKeptLines = 20;

}  // namespace

void KeptOutput::Add(std::string_view line) {
  if (show_) PrintError(absl::StrCat("user function | ", Printable(line)));
  std::lock_guard lock(mutex_);
  lines_.emplace_back(line);
  if (lines_.size() > kKeptLines) lines_.pop_front();
}

void KeptOutput::Clear() {
  std::lock_guard lock(mutex_);
  lines_.clear();
}

std::vector<std::string> KeptOutput::Lines() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> lines;
  for (const std::string& line : lines_) lines.push_back(Printable(line));
  return lines;
}

std::string KeptOutput::Text() const { return OutputText(Lines()); }

std::string OutputText(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) absl::StrAppend(&text, "\n  | ", line);
  return text;
}

}  // namespace cloudstate::cli
