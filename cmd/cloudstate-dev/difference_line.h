#pragma once

#include <string>

#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

// A line of base::DiffLines: what was there, or expected, after "- ", what came in its place after "+ ".
inline std::string DifferenceLine(const std::string& line, const Terminal& terminal) {
  const Style style = line.starts_with("- ") ? Style::kGood : line.starts_with("+ ") ? Style::kBad : Style::kPlain;
  return Styled(Printable(line), style, terminal);
}

}  // namespace cloudstate::cli
