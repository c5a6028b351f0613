#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace cloudstate::cli {

// The last lines that a user function has printed. Any thread.
class KeptOutput {
 public:
  // `show`: each line goes to standard error besides.
  explicit KeptOutput(bool show) : show_(show) {}

  void Add(std::string_view line);
  void Clear();
  // As they can be printed.
  std::vector<std::string> Lines() const;
  // Those as they follow a sentence, each on a line of its own.
  std::string Text() const;

 private:
  const bool show_;
  mutable std::mutex mutex_;
  std::deque<std::string> lines_;
};

// Lines() as Text() has them.
std::string OutputText(const std::vector<std::string>& lines);

}  // namespace cloudstate::cli
