#include "emulator/base/line_diff.h"

#include <algorithm>
#include <cstddef>
#include <span>

namespace cloudstate::base {
namespace {

using Lines = std::span<const std::string>;

// Beyond so many cells the table is not worth its memory: then all lines are shown as changed.
constexpr std::size_t kMostCells = 4'000'000;

void Add(const char* mark, Lines lines, std::vector<std::string>& diff) {
  for (const std::string& line : lines) diff.push_back(mark + line);
}

// By the longest common subsequence.
void DiffMiddle(Lines before, Lines after, std::vector<std::string>& diff) {
  const std::size_t width = after.size() + 1;
  if ((before.size() + 1) * width > kMostCells) {
    Add("- ", before, diff);
    Add("+ ", after, diff);
    return;
  }
  std::vector<std::size_t> common((before.size() + 1) * width, 0);  // lines in common behind each pair of places
  const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& { return common[i * width + j]; };
  for (std::size_t i = before.size(); i-- > 0;) {
    for (std::size_t j = after.size(); j-- > 0;) {
      at(i, j) = before[i] == after[j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
    }
  }
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < before.size() || j < after.size()) {
    if (i < before.size() && j < after.size() && before[i] == after[j]) {
      diff.push_back("  " + before[i++]);
      ++j;
    } else if (j == after.size() || (i < before.size() && at(i + 1, j) >= at(i, j + 1))) {
      diff.push_back("- " + before[i++]);
    } else {
      diff.push_back("+ " + after[j++]);
    }
  }
}

}  // namespace

std::vector<std::string> JsonLines(const std::string& json) {
  std::vector<std::string> lines(1);
  std::size_t depth = 0;
  const auto begin_line = [&] { lines.emplace_back(2 * depth, ' '); };
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text) {
      lines.back() += c;
      if (c == '\\' && i + 1 < json.size()) lines.back() += json[++i];
      in_text = c != '"';
    } else if (c == '{' || c == '[') {
      lines.back() += c;
      if (i + 1 < json.size() && (json[i + 1] == '}' || json[i + 1] == ']')) {
        lines.back() += json[++i];
        continue;
      }
      ++depth;
      begin_line();
    } else if (c == '}' || c == ']') {
      if (depth > 0) --depth;
      begin_line();
      lines.back() += c;
    } else {
      in_text = c == '"';
      lines.back() += c;
      if (c == ',') begin_line();
      if (c == ':') lines.back() += ' ';
    }
  }
  return lines;
}

std::vector<std::string> DiffLines(const std::vector<std::string>& before, const std::vector<std::string>& after) {
  const auto [first_before, first_after] = std::ranges::mismatch(before, after);
  const auto same = static_cast<std::size_t>(first_before - before.begin());
  const std::size_t shorter = std::min(before.size(), after.size());
  std::size_t tail = 0;
  while (tail < shorter - same && before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) ++tail;
  std::vector<std::string> diff;
  Add("  ", Lines(before).first(same), diff);
  DiffMiddle(Lines(before).subspan(same, before.size() - same - tail),
             Lines(after).subspan(same, after.size() - same - tail), diff);
  Add("  ", Lines(before).last(tail), diff);
  return diff;
}

}  // namespace cloudstate::base
