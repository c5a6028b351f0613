#include "emulator/base/junit_xml.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "emulator/base/printable.h"

namespace cloudstate::base {
namespace {

// XML 1.0 has no way to write most control characters.
std::string Escaped(std::string_view text) {
  return absl::StrReplaceAll(Printable(text, "\n\t"), {{"<", "&lt;"}, {">", "&gt;"}, {"&", "&amp;"}, {"\"", "&quot;"}});
}

std::string Seconds(absl::Duration duration) { return absl::StrFormat("%.3f", absl::ToDoubleSeconds(duration)); }

std::string TestCase(const JUnitCase& each) {
  std::string xml = absl::StrCat("    <testcase classname=\"", Escaped(each.classname), "\" name=\"",
                                 Escaped(each.name), "\" time=\"", Seconds(each.took), "\"");
  switch (each.outcome) {
    case CaseOutcome::kPassed:
      return xml + "/>\n";
    case CaseOutcome::kFailed:
      absl::StrAppend(&xml, ">\n      <failure message=\"", Escaped(each.message), "\">", Escaped(each.text),
                      "</failure>\n");
      break;
    case CaseOutcome::kSkipped:
      absl::StrAppend(&xml, ">\n      <skipped message=\"", Escaped(each.message), "\"/>\n");
      break;
    case CaseOutcome::kNotRun:
      absl::StrAppend(&xml, ">\n      <error message=\"", Escaped(each.message), "\">", Escaped(each.text),
                      "</error>\n");
      break;
  }
  return xml + "    </testcase>\n";
}

// Of one suite, or of all of them.
std::string Counts(const std::vector<const JUnitCase*>& cases) {
  const auto count = [&](CaseOutcome outcome) {
    return std::count_if(cases.begin(), cases.end(), [&](const JUnitCase* each) { return each->outcome == outcome; });
  };
  absl::Duration took;
  for (const JUnitCase* each : cases) took += each->took;
  return absl::StrCat("tests=\"", cases.size(), "\" failures=\"", count(CaseOutcome::kFailed), "\" errors=\"",
                      count(CaseOutcome::kNotRun), "\" skipped=\"", count(CaseOutcome::kSkipped), "\" time=\"",
                      Seconds(took), "\"");
}

}  // namespace

std::string JUnitXml(const std::string& name, const std::vector<JUnitSuite>& suites) {
  std::string xml;
  std::vector<const JUnitCase*> all;
  for (const JUnitSuite& suite : suites) {
    std::vector<const JUnitCase*> cases;
    for (const JUnitCase& each : suite.cases) cases.push_back(&each);
    absl::StrAppend(&xml, "  <testsuite name=\"", Escaped(suite.name), "\" ", Counts(cases), ">\n");
    for (const JUnitCase* each : cases) xml += TestCase(*each);
    xml += "  </testsuite>\n";
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"", Escaped(name), "\" ",
                      Counts(all), ">\n", xml, "</testsuites>\n");
}

}  // namespace cloudstate::base
