#include "emulator/tck/report.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace cloudstate::tck {
namespace {

// XML 1.0 has no way to write most control characters.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char each : text) {
    switch (each) {
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '&':
        escaped += "&amp;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(each) >= 0x20 || each == '\n' || each == '\t') {
          escaped += each;
        } else {
          absl::StrAppendFormat(&escaped, "\\x%02x", static_cast<unsigned char>(each));
        }
    }
  }
  return escaped;
}

std::string Seconds(absl::Duration duration) { return absl::StrFormat("%.3f", absl::ToDoubleSeconds(duration)); }

std::string TestCase(const CaseResult& result) {
  std::string xml = absl::StrCat("    <testcase classname=\"", Escaped(result.section), "\" name=\"",
                                 Escaped(result.id), "\" time=\"", Seconds(result.took), "\"");
  switch (result.outcome) {
    case Outcome::kPassed:
      return xml + "/>\n";
    case Outcome::kFailed:
      absl::StrAppend(&xml, ">\n      <failure message=\"", Escaped(result.failure.problem), "\">",
                      Escaped(FailureText(result)), "</failure>\n");
      break;
    case Outcome::kSkipped:
      absl::StrAppend(&xml, ">\n      <skipped message=\"", Escaped(result.reason), "\"/>\n");
      break;
    case Outcome::kNotRun:
      absl::StrAppend(&xml, ">\n      <error message=\"", Escaped(result.reason), "\"/>\n");
      break;
  }
  return xml + "    </testcase>\n";
}

std::string Counts(const std::vector<CaseResult>& results) {
  const auto count = [&](Outcome outcome) {
    return std::count_if(results.begin(), results.end(),
                         [&](const CaseResult& each) { return each.outcome == outcome; });
  };
  absl::Duration took;
  for (const CaseResult& each : results) took += each.took;
  return absl::StrCat("tests=\"", results.size(), "\" failures=\"", count(Outcome::kFailed), "\" errors=\"",
                      count(Outcome::kNotRun), "\" skipped=\"", count(Outcome::kSkipped), "\" time=\"", Seconds(took),
                      "\"");
}

}  // namespace

const char* Name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPassed:
      return "passed";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kSkipped:
      return "skipped";
    case Outcome::kNotRun:
      return "notRun";
  }
  return "";
}

int Report::Count(Outcome outcome) const {
  return static_cast<int>(
      std::count_if(results.begin(), results.end(), [&](const CaseResult& each) { return each.outcome == outcome; }));
}

std::string FailureText(const CaseResult& result) {
  std::string text = absl::StrCat(result.title, "\n", result.failure.problem, "\n");
  if (!result.failure.diff.empty()) {
    absl::StrAppend(&text, "\n- expected, + received\n", DiffText(result.failure.diff));
  }
  if (!result.steps.empty()) absl::StrAppend(&text, "\nsteps:\n");
  for (const std::string& step : result.steps) absl::StrAppend(&text, "  ", step, "\n");
  if (!result.hint.empty()) absl::StrAppend(&text, "\nhint: ", result.hint, "\n");
  return text;
}

std::string JUnitXml(const Report& report) {
  std::string suites;
  for (auto from = report.results.begin(); from != report.results.end();) {
    const auto to =
        std::find_if(from, report.results.end(), [&](const CaseResult& each) { return each.section != from->section; });
    const std::vector<CaseResult> results(from, to);
    absl::StrAppend(&suites, "  <testsuite name=\"", Escaped(from->section), "\" ", Counts(results), ">\n");
    for (const CaseResult& each : results) suites += TestCase(each);
    suites += "  </testsuite>\n";
    from = to;
  }
  return absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"cloudstate-dev tck\" ",
                      Counts(report.results), ">\n", suites, "</testsuites>\n");
}

}  // namespace cloudstate::tck
