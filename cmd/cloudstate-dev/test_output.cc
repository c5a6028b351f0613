#include "cmd/cloudstate-dev/test_output.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cmd/cloudstate-dev/difference_line.h"

namespace cloudstate::cli {
namespace {

using testing::CaseResult;
using testing::Outcome;

struct OutcomeWord {
  const char* word;
  Style style;
};

OutcomeWord WordOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPassed:
      return {"ok", Style::kGood};
    case Outcome::kFailed:
      return {"FAILED", Style::kBad};
    case Outcome::kSkipped:
      return {"skipped", Style::kDim};
    case Outcome::kNotRun:
      return {"not run", Style::kWarning};
  }
  return {"", Style::kPlain};
}

std::string Indented(const std::string& text) {
  std::string lines;
  for (const auto line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    absl::StrAppend(&lines, "    ", Printable({line.data(), line.size()}), "\n");
  }
  return lines;
}

std::string DifferenceText(const std::vector<std::string>& difference, const Terminal& terminal) {
  std::string text = "    - expected, + came\n";
  for (const std::string& line : difference) {
    absl::StrAppend(&text, "      ", DifferenceLine(line, terminal), "\n");
  }
  return text;
}

std::string YesNo(bool yes) { return yes ? "yes" : "no"; }
Style StyleOf(bool yes) { return yes ? Style::kGood : Style::kWarning; }

}  // namespace

std::string FailureLines(const testing::CaseFailure& failure, const Terminal& terminal) {
  std::string text = absl::StrCat("    ", Styled(absl::StrCat(failure.place, ": "), Style::kBold, terminal),
                                  Indented(failure.problem).substr(4));
  if (!failure.difference.empty()) text += DifferenceText(failure.difference, terminal);
  if (!failure.steps.empty()) text += "    what happened:\n";
  for (const std::string& step : failure.steps) absl::StrAppend(&text, "      ", Printable(step), "\n");
  return text;
}

std::string TestResultText(const CaseResult& result, const Terminal& terminal) {
  const OutcomeWord outcome = WordOf(result.outcome);
  std::string text =
      absl::StrCat(Styled(outcome.word, outcome.style, terminal), "  ", Printable(testing::CaseId(result)));
  if (result.outcome == Outcome::kPassed || result.outcome == Outcome::kFailed) {
    absl::StrAppend(&text, "  ", Styled(FormatShortDuration(result.took), Style::kDim, terminal));
  }
  if (!result.reason.empty()) absl::StrAppend(&text, "  ", Printable(result.reason));
  text += "\n";
  if (result.outcome == Outcome::kFailed) absl::StrAppend(&text, FailureLines(result.failure, terminal), "\n");
  return text;
}

std::string TestSummary(const testing::Report& report, const Terminal& terminal) {
  std::vector<std::string> parts;
  const auto add = [&](Outcome outcome, const char* word) {
    const std::size_t count = report.Count(outcome);
    if (count > 0) parts.push_back(Styled(absl::StrCat(count, " ", word), WordOf(outcome).style, terminal));
  };
  add(Outcome::kPassed, "passed");
  add(Outcome::kFailed, "failed");
  add(Outcome::kSkipped, "skipped");
  add(Outcome::kNotRun, "not run");
  return absl::StrCat(report.interrupted ? "interrupted: " : "", absl::StrJoin(parts, ", "), " in ",
                      FormatShortDuration(report.took), "\n");
}

std::string CoverageText(const testing::Coverage& coverage, const Terminal& terminal) {
  Table methods({{"METHOD"}, {"CALLED"}});
  for (const testing::Coverage::Method& each : coverage.methods) {
    methods.AddRow({{absl::StrCat(each.service, ".", each.method)}, {YesNo(each.called), StyleOf(each.called)}});
  }
  Table events({{"EVENT TYPE"}, {"STORED"}, {"GIVEN"}});
  for (const testing::Coverage::EventType& each : coverage.events) {
    events.AddRow({{each.name}, {YesNo(each.stored), StyleOf(each.stored)}, {YesNo(each.given)}});
  }
  std::string text = absl::StrCat("\n", methods.Format(terminal));
  if (!events.empty()) absl::StrAppend(&text, "\n", events.Format(terminal));
  absl::StrAppendFormat(&text, "\n%.0f %% of the methods were called\n", coverage.PercentOfMethods());
  return text;
}

std::string TapComment(const std::string& text) {
  std::string lines;
  for (const auto line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    absl::StrAppend(&lines, "# ", absl::string_view(line.data(), line.size()), "\n");
  }
  return lines;
}

}  // namespace cloudstate::cli
