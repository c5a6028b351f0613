#include "cmd/cloudstate-dev/tck_output.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cmd/cloudstate-dev/difference_line.h"
#include "cmd/cloudstate-dev/json_output.h"

namespace cloudstate::cli {
namespace {

using tck::CaseResult;
using tck::Mark;
using tck::Report;
using tck::Section;

// Back to the line's beginning, and nothing on it.
constexpr char kEraseLine[] = "\r\x1b[K";
constexpr std::size_t kNameWidth = 26;

std::size_t Count(const std::vector<CaseResult>& results, tck::Outcome outcome) {
  return static_cast<std::size_t>(
      std::count_if(results.begin(), results.end(), [&](const CaseResult& each) { return each.outcome == outcome; }));
}

std::string Padded(std::string text, std::size_t width) {
  return text.append(width - std::min(width, Width(text)), ' ');
}

// "12 passed, 1 failed": what there is of each.
std::string Counts(const std::vector<CaseResult>& results, const Terminal& terminal) {
  std::vector<std::string> parts;
  const auto add = [&](tck::Outcome outcome, const char* word, Style style) {
    const std::size_t count = Count(results, outcome);
    if (count > 0) parts.push_back(Styled(absl::StrCat(count, " ", word), style, terminal));
  };
  add(tck::Outcome::kPassed, "passed", Style::kGood);
  add(tck::Outcome::kFailed, "failed", Style::kBad);
  add(tck::Outcome::kSkipped, "skipped", Style::kDim);
  add(tck::Outcome::kNotRun, "not run", Style::kWarning);
  return absl::StrJoin(parts, ", ");
}

std::string Marked(const tck::DiffLine& line) {
  const char* mark = line.mark == Mark::kSame ? "  " : line.mark == Mark::kExpected ? "- " : "+ ";
  return mark + line.text;
}

std::string DiffLines(const tck::Diff& diff, const Terminal& terminal) {
  std::string text;
  for (const tck::DiffLine& line : diff) {
    absl::StrAppend(&text, "      ", DifferenceLine(Marked(line), terminal), "\n");
  }
  return text;
}

// Whole lines of others' text, each made harmless.
std::string Indented(const std::string& text) {
  std::string indented;
  for (const auto line : absl::StrSplit(text, '\n')) {
    absl::StrAppend(&indented, "    ", Printable({line.data(), line.size()}), "\n");
  }
  return indented;
}

std::string Failure(const CaseResult& result, const Terminal& terminal) {
  std::string text =
      absl::StrCat(Styled("FAILED", Style::kBad, terminal), " ", Styled(result.id, Style::kBold, terminal), ": ",
                   result.title, "\n", Indented(result.failure.problem));
  if (!result.failure.diff.empty()) {
    absl::StrAppend(&text, "    difference: - expected, + received\n", DiffLines(result.failure.diff, terminal));
  }
  if (!result.steps.empty()) absl::StrAppend(&text, "    steps:\n");
  for (const std::string& step : result.steps) absl::StrAppend(&text, "      ", Printable(step), "\n");
  if (!result.hint.empty()) absl::StrAppend(&text, "    hint: ", result.hint, "\n");
  return text + "\n";
}

// The reasons why cases have the outcome, with how many they are.
std::string Reasons(const Report& report, tck::Outcome outcome, const std::string& word) {
  std::map<std::string, int> reasons;
  for (const CaseResult& each : report.results) {
    if (each.outcome == outcome) ++reasons[each.reason];
  }
  std::string text;
  for (const auto& [reason, count] : reasons) {
    absl::StrAppend(&text, word, ": ", Counted(count, "case"), ", ", Printable(reason), "\n");
  }
  return text;
}

std::string Array(const std::vector<std::string>& elements) {
  return absl::StrCat("[", absl::StrJoin(elements, ","), "]");
}

std::string DiffJson(const tck::Diff& diff) {
  std::vector<std::string> lines;
  for (const tck::DiffLine& line : diff) lines.push_back(Marked(line));
  return JsonStrings(lines);
}

std::string ResultJson(const CaseResult& result) {
  std::string json =
      absl::StrCat("{\"id\":", JsonString(result.id), ",\"section\":", JsonString(result.section),
                   ",\"title\":", JsonString(result.title), ",\"outcome\":\"", base::OutcomeName(result.outcome),
                   "\",\"seconds\":", absl::ToDoubleSeconds(result.took));
  if (!result.reason.empty()) absl::StrAppend(&json, ",\"reason\":", JsonString(result.reason));
  if (result.outcome == tck::Outcome::kFailed) {
    absl::StrAppend(&json, ",\"problem\":", JsonString(result.failure.problem),
                    ",\"difference\":", DiffJson(result.failure.diff), ",\"steps\":", JsonStrings(result.steps),
                    ",\"hint\":", JsonString(result.hint));
  }
  return json + "}";
}

}  // namespace

void TckProgress::OnStart(const Report& report, std::size_t cases) {
  const std::string name = report.service_name.empty() ? "user function" : report.service_name;
  Print(absl::StrCat("checking ", Styled(Printable(name), Style::kBold, terminal_), " at ", report.user_function,
                     ", protocol ", report.dialect, ", ", Printable(report.library), ": ",
                     Counted(static_cast<std::int64_t>(cases), "case"), "\n"));
}

void TckProgress::OnSection(const std::string& section, std::size_t cases) {
  section_ = section;
  cases_ = cases;
  results_.clear();
  if (terminal_.interactive) Print(Line());
}

void TckProgress::OnResult(const CaseResult& result) {
  results_.push_back(result);
  const bool done = results_.size() == cases_;
  const std::string erase = terminal_.interactive ? kEraseLine : "";
  const std::string failure = result.outcome == tck::Outcome::kFailed ? Failure(result, terminal_) : "";
  if (!failure.empty()) Print(absl::StrCat(erase, failure));
  if (done) {
    Print(absl::StrCat(erase, Line(), "\n"));
  } else if (terminal_.interactive) {
    Print(absl::StrCat(erase, Line()));
  }
}

std::string TckProgress::Line() const {
  const std::string name = absl::StrCat("  ", Padded(section_, kNameWidth));
  if (results_.size() == cases_) return absl::StrCat(name, Counts(results_, terminal_));
  const std::size_t failed = Count(results_, tck::Outcome::kFailed);
  return absl::StrCat(name, results_.size(), "/", cases_,
                      failed == 0 ? "" : Styled(absl::StrCat(", ", failed, " failed"), Style::kBad, terminal_));
}

std::string TckSummary(const Report& report, const Terminal& terminal) {
  std::string text = report.interrupted ? "\ninterrupted: " : "\n";
  absl::StrAppend(&text, Counts(report.results, terminal), " in ", FormatShortDuration(report.took), "\n");
  for (const CaseResult& each : report.results) {
    if (each.outcome == tck::Outcome::kFailed) absl::StrAppend(&text, "failed: ", each.id, "\n");
  }
  return absl::StrCat(text, Reasons(report, tck::Outcome::kNotRun, "not run"),
                      Reasons(report, tck::Outcome::kSkipped, "skipped"));
}

std::string TckJson(const Report& report) {
  std::vector<std::string> cases;
  for (const CaseResult& each : report.results) cases.push_back(ResultJson(each));
  return absl::StrCat(
      "{\"userFunction\":", JsonString(report.user_function), ",\"serviceName\":", JsonString(report.service_name),
      ",\"library\":", JsonString(report.library), ",\"protocol\":", JsonString(report.dialect),
      ",\"passed\":", report.Count(tck::Outcome::kPassed), ",\"failed\":", report.Count(tck::Outcome::kFailed),
      ",\"skipped\":", report.Count(tck::Outcome::kSkipped), ",\"notRun\":", report.Count(tck::Outcome::kNotRun),
      ",\"interrupted\":", report.interrupted ? "true" : "false", ",\"seconds\":", absl::ToDoubleSeconds(report.took),
      ",\"cases\":", Array(cases), "}\n");
}

std::string TckList(const std::vector<Section>& sections, const Terminal& terminal) {
  Table table({{"ID"}, {"WHAT HOLDS"}});
  for (const Section& section : sections) {
    for (const tck::Case& each : section.cases) {
      table.AddRow({{absl::StrCat(section.name, "/", each.id), Style::kBold}, {each.title}});
    }
  }
  return table.Format(terminal);
}

std::string TckListJson(const std::vector<Section>& sections) {
  std::vector<std::string> cases;
  for (const Section& section : sections) {
    for (const tck::Case& each : section.cases) {
      cases.push_back(absl::StrCat("{\"id\":", JsonString(absl::StrCat(section.name, "/", each.id)), ",\"section\":",
                                   JsonString(section.name), ",\"title\":", JsonString(each.title), "}"));
    }
  }
  return absl::StrCat("{\"cases\":", Array(cases), "}\n");
}

}  // namespace cloudstate::cli
