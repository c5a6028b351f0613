#include "cmd/cloudstate-dev/check_history_report.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cmd/cloudstate-dev/difference_line.h"
#include "cmd/cloudstate-dev/entity_reference.h"
#include "cmd/cloudstate-dev/json_output.h"

namespace cloudstate::cli {
namespace {

constexpr std::size_t kShownFindings = 10;  // of one entity

struct FindingWords {
  const char* name;
  const char* code;
};

FindingWords WordsOf(FindingKind kind) {
  switch (kind) {
    case FindingKind::kDoesNotLoad:
      return {"does not load", "doesNotLoad"};
    case FindingKind::kDoesNotLoadFromStart:
      return {"loads from its snapshot only", "doesNotLoadFromStart"};
    case FindingKind::kStoresOtherEvents:
      return {"stores other events", "storesOtherEvents"};
    case FindingKind::kFails:
      return {"fails", "fails"};
    case FindingKind::kCommandIsGone:
      return {"is not taken any more", "commandIsGone"};
    case FindingKind::kSnapshotDiffers:
      return {"has a snapshot that differs from its events", "snapshotDiffers"};
  }
  return {"", ""};
}

std::string HeadlineOf(const Finding& finding) {
  const std::string about = finding.command.empty() ? "" : absl::StrCat(" by ", finding.command);
  return absl::StrCat("#", finding.sequence, about, ": ", FindingName(finding.kind));
}

std::string FormatFinding(const Finding& finding, const Terminal& terminal) {
  std::string text = absl::StrCat("  ", Printable(HeadlineOf(finding)), "\n");
  if (!finding.problem.empty()) absl::StrAppend(&text, "    ", Printable(finding.problem), "\n");
  for (const std::string& line : finding.difference) {
    absl::StrAppend(&text, "    ", DifferenceLine(line, terminal), "\n");
  }
  if (!finding.varying.empty()) {
    absl::StrAppend(&text, "    ", Printable(absl::StrJoin(finding.varying, ", ")),
                    finding.varying.size() == 1 ? " differs" : " differ", " each time\n");
  }
  return text;
}

std::string FindingJson(const Finding& finding) {
  return absl::StrCat("{\"kind\":\"", FindingCode(finding.kind), "\",\"sequence\":", finding.sequence,
                      ",\"command\":", JsonString(finding.command), ",\"problem\":", JsonString(finding.problem),
                      ",\"difference\":", JsonStrings(finding.difference),
                      ",\"varying\":", JsonStrings(finding.varying), "}");
}

std::string EntityJson(const EntityHistory& history) {
  const auto each = [](std::string* out, const Finding& finding) { out->append(FindingJson(finding)); };
  return absl::StrCat("{\"persistenceId\":", JsonString(history.entity.persistence_id()),
                      ",\"entityId\":", JsonString(history.entity.entity_id()),
                      ",\"service\":", JsonString(history.entity.service()), ",\"commands\":", history.commands,
                      ",\"failure\":", JsonString(std::string(history.failure.message())), ",\"findings\":[",
                      absl::StrJoin(history.findings, ",", each), "]}");
}

testing::CaseResult CaseOf(const EntityHistory& history) {
  testing::CaseResult result;
  result.file = history.entity.persistence_id();
  result.name = history.entity.entity_id().empty() ? "(the empty id)" : history.entity.entity_id();
  result.took = history.took;
  if (!history.failure.ok()) {
    result.outcome = testing::Outcome::kNotRun;
    result.reason = std::string(history.failure.message());
  }
  if (!history.findings.empty()) {
    result.outcome = testing::Outcome::kFailed;
    const Finding& first = history.findings.front();
    result.failure = {
        .place = EntityNameOf(history.entity),
        .problem = first.problem.empty() ? HeadlineOf(first) : absl::StrCat(HeadlineOf(first), ": ", first.problem),
        .difference = first.difference};
  }
  return result;
}

}  // namespace

std::string FindingName(FindingKind kind) { return WordsOf(kind).name; }

std::string FindingCode(FindingKind kind) { return WordsOf(kind).code; }

void HistoryReport::Add(const EntityHistory& history) {
  ++entities_;
  commands_ += history.commands;
  findings_ += static_cast<std::int64_t>(history.findings.size());
  failures_ += history.failure.ok() ? 0 : 1;
  for (const Finding& finding : history.findings) {
    ++by_kind_[finding.kind];
    for (const std::string& field : finding.varying) ++varying_[field];
  }
  cases_.results.push_back(CaseOf(history));
  if (history.findings.empty() && history.failure.ok()) return;
  absl::StrAppend(&entities_json_, entities_json_.empty() ? "" : ",", EntityJson(history));
}

std::string HistoryReport::FormatEntity(const EntityHistory& history, const Terminal& terminal) {
  if (history.findings.empty() && history.failure.ok()) return "";
  std::string text = absl::StrCat(Styled(Printable(EntityNameOf(history.entity)), Style::kBold, terminal), "\n");
  const std::size_t shown = std::min(history.findings.size(), kShownFindings);
  for (std::size_t i = 0; i < shown; ++i) absl::StrAppend(&text, FormatFinding(history.findings[i], terminal));
  if (shown < history.findings.size()) {
    absl::StrAppend(&text, "  and ", history.findings.size() - shown, " more, which --json tells\n");
  }
  if (!history.failure.ok()) {
    absl::StrAppend(&text, "  could not be checked to its end: ", Printable(std::string(history.failure.message())),
                    "\n");
  }
  return text;
}

std::string HistoryReport::FormatSummary(absl::Duration took, const Terminal& terminal) const {
  std::vector<std::string> parts;
  for (const auto& [kind, count] : by_kind_) parts.push_back(absl::StrCat(count, " × ", FindingName(kind)));
  if (failures_ > 0) parts.push_back(absl::StrCat(failures_, " not checked to the end"));
  const std::string outcome = parts.empty() ? "all load and answer as they did" : absl::StrJoin(parts, ", ");
  std::string text = absl::StrCat(Counted(entities_, "entity"), ", ", Counted(commands_, "command"), " compared in ",
                                  FormatShortDuration(took), ": ",
                                  Styled(outcome, failed() ? Style::kBad : Style::kGood, terminal), "\n");
  if (!varying_.empty()) {
    absl::StrAppend(&text, "What differs each time can be left out:");
    for (const auto& field : varying_) absl::StrAppend(&text, " --ignore ", Printable(field.first));
    absl::StrAppend(&text, "\n");
  }
  return text;
}

std::string HistoryReport::Json(absl::Duration took) const {
  std::vector<std::string> kinds;
  for (const auto& [kind, count] : by_kind_) kinds.push_back(absl::StrCat("\"", FindingCode(kind), "\":", count));
  return absl::StrCat("{\"passed\":", failed() ? "false" : "true", ",\"entities\":", entities_,
                      ",\"commands\":", commands_, ",\"seconds\":", absl::ToDoubleSeconds(took), ",\"findings\":{",
                      absl::StrJoin(kinds, ","), "},\"different\":[", entities_json_, "]}\n");
}

std::string HistoryReport::JUnit(absl::Duration took) const {
  testing::Report report = cases_;
  report.took = took;
  return testing::JUnitXml("cloudstate-dev check-history", report);
}

}  // namespace cloudstate::cli
