#include "cmd/cloudstate-dev/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "emulator/base/printable.h"

namespace cloudstate::cli {
namespace {

constexpr std::size_t kNarrowest = 20;  // of a last column that has to be cut

const char* Code(Style style) {
  switch (style) {
    case Style::kPlain:
      return "";
    case Style::kBold:
      return "\x1b[1m";
    case Style::kDim:
      return "\x1b[2m";
    case Style::kGood:
      return "\x1b[32m";
    case Style::kWarning:
      return "\x1b[33m";
    case Style::kBad:
      return "\x1b[31m";
  }
  return "";
}

}  // namespace

Terminal StandardOutput() {
  Terminal terminal;
  terminal.interactive = isatty(STDOUT_FILENO) == 1;
  if (!terminal.interactive) return terminal;
  const char* no_colour = std::getenv("NO_COLOR");
  const char* kind = std::getenv("TERM");
  terminal.colour = (no_colour == nullptr || *no_colour == '\0') && kind != nullptr && std::string_view(kind) != "dumb";
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) terminal.width = size.ws_col;
  return terminal;
}

std::string Styled(const std::string& text, Style style, const Terminal& terminal) {
  if (!terminal.colour || style == Style::kPlain || text.empty()) return text;
  return absl::StrCat(Code(style), text, "\x1b[0m");
}

std::string Printable(std::string_view text) { return base::Printable(text); }

std::size_t Width(const std::string& text) {
  std::size_t width = 0;
  bool in_code = false;
  for (char each : text) {
    if (each == '\x1b') in_code = true;
    if (!in_code && (static_cast<unsigned char>(each) & 0xC0) != 0x80) ++width;
    if (each == 'm') in_code = false;
  }
  return width;
}

std::string Truncated(const std::string& text, std::size_t width) {
  if (Width(text) <= width) return text;
  if (width == 0) return "";
  std::size_t end = 0;
  for (std::size_t kept = 0; kept + 1 < width; ++kept) {
    end += std::max<std::size_t>(base::CharacterBytes(std::string_view(text).substr(end)), 1);
  }
  return absl::StrCat(text.substr(0, end), "…");
}

void Table::AddRow(std::vector<Cell> cells) {
  for (Cell& cell : cells) cell.text = Printable(cell.text);
  rows_.push_back(std::move(cells));
}

std::string Table::Format(const Terminal& terminal) const {
  std::vector<std::size_t> widths;
  std::vector<Cell> titles;
  for (const Column& column : columns_) {
    widths.push_back(Width(column.title));
    titles.push_back({column.title, Style::kDim});
  }
  for (const std::vector<Cell>& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i].text));
  }
  std::string text = FormatRow(titles, widths, terminal);
  for (const std::vector<Cell>& row : rows_) absl::StrAppend(&text, FormatRow(row, widths, terminal));
  return text;
}

std::string Table::FormatRow(const std::vector<Cell>& cells, const std::vector<std::size_t>& widths,
                             const Terminal& terminal) const {
  std::string line;
  std::size_t used = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const bool last = i + 1 == cells.size();
    std::string text = cells[i].text;
    if (last && terminal.width > 0)
      text = Truncated(text, std::max(kNarrowest, terminal.width - std::min(used, terminal.width)));
    const std::string padding(widths[i] - std::min(widths[i], Width(text)), ' ');
    const std::string styled = Styled(text, cells[i].style, terminal);
    const bool right = columns_[i].align == Align::kRight;
    absl::StrAppend(&line, right ? padding : "", styled, right || last ? "" : padding, last ? "\n" : "  ");
    used += widths[i] + 2;
  }
  return line;
}

std::string FormatInstant(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

std::string FormatAge(absl::Duration age) {
  if (age < absl::Seconds(1)) return "just now";
  if (age < absl::Minutes(1)) return absl::StrCat(absl::ToInt64Seconds(age), "s ago");
  if (age < absl::Hours(1)) return absl::StrCat(absl::ToInt64Minutes(age), "m ago");
  if (age < absl::Hours(48)) return absl::StrCat(absl::ToInt64Hours(age), "h ago");
  return absl::StrCat(absl::ToInt64Hours(age) / 24, "d ago");
}

std::string FormatWhen(absl::Time time, const Terminal& terminal) {
  return terminal.interactive ? FormatAge(absl::Now() - time) : FormatInstant(time);
}

std::string FormatShortDuration(absl::Duration duration) {
  // What would be rounded up to four digits has the next unit: %g would give it an exponent.
  const double seconds = absl::ToDoubleSeconds(duration);
  if (seconds < 999.5e-6) return absl::StrFormat("%.3gµs", seconds * 1e6);
  if (seconds < 0.9995) return absl::StrFormat("%.3gms", seconds * 1e3);
  if (seconds < 999.5) return absl::StrFormat("%.3gs", seconds);
  return absl::FormatDuration(absl::Trunc(duration, absl::Seconds(1)));
}

std::string Counted(std::int64_t count, std::string_view noun) {
  if (count == 1) return absl::StrCat("1 ", std::string(noun));
  if (noun == "entity") return absl::StrCat(count, " entities");
  return absl::StrCat(count, " ", std::string(noun), "s");
}

// Standard output that nobody reads any more ends the process by SIGPIPE, silently, as it should with `| head`.
void Print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  PrintError("Standard output can't be written.");
  std::_Exit(kFailed);
}

void PrintError(const std::string& text) {
  // Names in it may come from anywhere.
  const std::string printable =
      absl::StrJoin(absl::StrSplit(text, '\n'), "\n", [](std::string* out, absl::string_view line) {
        out->append(Printable({line.data(), line.size()}));
      });
  const std::string line = absl::StrCat("cloudstate-dev: ", printable, "\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
}

int Fail(const absl::Status& status, ExitCode code) {
  PrintError(status.message().empty() ? absl::StatusCodeToString(status.code()) : std::string(status.message()));
  return code;
}

}  // namespace cloudstate::cli
