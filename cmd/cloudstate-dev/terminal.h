#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cmd/cloudstate-dev/commands.h"

namespace cloudstate::cli {

// What standard output goes to. Pipes and files get plain, whole lines.
struct Terminal {
  bool interactive = false;
  bool colour = false;    // never with NO_COLOR
  std::size_t width = 0;  // in characters; 0 for no limit
};
Terminal StandardOutput();

enum class Style { kPlain, kBold, kDim, kGood, kWarning, kBad };
std::string Styled(const std::string& text, Style style, const Terminal& terminal);

// Text of others as one line that does nothing to a terminal: control characters and broken UTF-8 are written as \xNN.
std::string Printable(std::string_view text);

// Characters that a terminal shows for `text`, which may be styled; wide ones count as one.
std::size_t Width(const std::string& text);

// At most `width` characters, the last of them "…" if some had to go. Not for styled text.
std::string Truncated(const std::string& text, std::size_t width);

// Columns as wide as they need to be; on a terminal the last one ends at its edge.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };
  struct Cell {
    std::string text;
    Style style = Style::kPlain;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell for each column.
  void AddRow(std::vector<Cell> cells);
  bool empty() const { return rows_.empty(); }
  std::string Format(const Terminal& terminal) const;

 private:
  std::string FormatRow(const std::vector<Cell>& cells, const std::vector<std::size_t>& widths,
                        const Terminal& terminal) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// "2026-01-31T23:59:59.123Z".
std::string FormatInstant(absl::Time time);
// "12s ago", "3h ago"; "just now" below a second.
std::string FormatAge(absl::Duration age);
// The age for people, the time for scripts.
std::string FormatWhen(absl::Time time, const Terminal& terminal);
// "1.23ms", "1h30m5s": three digits, or whole seconds, are enough for people.
std::string FormatShortDuration(absl::Duration duration);

// "1 event", "2 events", "2 entities".
std::string Counted(std::int64_t count, std::string_view noun);

// Writes to standard output, at once.
void Print(const std::string& text);

// Writes "cloudstate-dev: text" to standard error.
void PrintError(const std::string& text);

// Tells a failure and returns the exit code for it.
int Fail(const absl::Status& status, ExitCode code = kFailed);

}  // namespace cloudstate::cli
