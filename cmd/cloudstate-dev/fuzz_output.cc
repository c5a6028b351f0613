#include "cmd/cloudstate-dev/fuzz_output.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/paste_lines.h"
#include "cmd/cloudstate-dev/simulate_output.h"
#include "emulator/base/printable.h"

namespace cloudstate::cli {
namespace {

std::string Name(const fuzzing::Finding& finding) { return std::string(fuzzing::NameOf(finding.kind).name); }
std::string Meaning(const fuzzing::Finding& finding) { return std::string(fuzzing::NameOf(finding.kind).meaning); }

// "com.example.ShoppingCart.AddItem to 'user-1'".
std::string Where(const fuzzing::Finding& finding) {
  if (finding.entity_id.empty()) return finding.method;
  return absl::StrCat(finding.method, finding.method.empty() ? "entity '" : " to '", Printable(finding.entity_id), "'");
}

// What the user function says, which does nothing to a terminal, below each other.
std::string SeenLines(const std::string& seen) {
  return absl::StrReplaceAll(base::Printable(seen, "\n"), {{"\n", "\n         "}});
}

std::string FoundText(const FuzzReport& report, const Terminal& terminal) {
  const fuzzing::Finding& finding = report.found->played.finding;
  std::string text = absl::StrCat(Styled("FOUND", Style::kBad, terminal), " ",
                                  Styled(Name(finding), Style::kBold, terminal), ": ", Meaning(finding), "\n");
  if (!Where(finding).empty()) absl::StrAppend(&text, "  where  ", Where(finding), "\n");
  absl::StrAppend(&text, "  what   ", SeenLines(finding.text), "\n");
  if (finding.kind != fuzzing::FindingKind::kMemory) {
    absl::StrAppend(&text, "  steps  ", report.found->played.sequence.size(), " of the ", report.found->steps_before,
                    " of seed ", report.seed, "\n");
    if (!report.found->happens_again) text += "  note   it did not happen again when the same was done once more\n";
  }
  if (!report.file.empty()) absl::StrAppend(&text, "test:  ", report.test, "\n");
  return absl::StrCat(text, "again: ", report.again, "\n");
}

std::string FoundJson(const FuzzReport& report) {
  const fuzzing::Finding& finding = report.found->played.finding;
  std::string json =
      absl::StrCat("{\"kind\":", JsonString(Name(finding)), ",\"meaning\":", JsonString(Meaning(finding)),
                   ",\"method\":", JsonString(finding.method), ",\"entityId\":", JsonString(finding.entity_id),
                   ",\"text\":", JsonString(finding.text), ",\"seed\":", report.seed,
                   ",\"steps\":", report.found->played.sequence.size(), ",\"stepsBefore\":", report.found->steps_before,
                   ",\"happensAgain\":", report.found->happens_again ? "true" : "false");
  if (!report.file.empty()) {
    absl::StrAppend(&json, ",\"file\":", JsonString(report.file), ",\"test\":", JsonString(report.test));
  }
  return absl::StrCat(json, ",\"again\":", JsonString(report.again), "}");
}

}  // namespace

std::string FuzzText(const FuzzReport& report, const Terminal& terminal) {
  std::string text = absl::StrCat(Styled("fuzz-user-function", Style::kBold, terminal), ", seeds ", report.first_seed,
                                  "..", report.last_seed, ": ", Grouped(report.sequences), " played",
                                  report.ended_early ? ", then ended early" : "", "; ", Grouped(report.commands),
                                  " commands in ", FormatShortDuration(report.took), "\n");
  for (const std::string& method : report.drawing_lots) {
    absl::StrAppend(&text, "  note   ", method, " stores other events each time; what is in them was not compared\n");
  }
  if (report.found.has_value()) return text + FoundText(report, terminal);
  if (!report.memory.empty()) absl::StrAppend(&text, "  memory ", report.memory, "\n");
  return text + Styled("nothing was found", Style::kGood, terminal) + "\n";
}

std::string FuzzJson(const FuzzReport& report) {
  std::string json = absl::StrCat(
      "{\"firstSeed\":", report.first_seed, ",\"lastSeed\":", report.last_seed, ",\"played\":", report.sequences,
      ",\"commands\":", report.commands, ",\"seconds\":", absl::ToDoubleSeconds(report.took),
      ",\"endedEarly\":", report.ended_early ? "true" : "false",
      ",\"notCompared\":", JsonStrings({report.drawing_lots.begin(), report.drawing_lots.end()}));
  if (!report.memory.empty()) absl::StrAppend(&json, ",\"memory\":", JsonString(report.memory));
  if (report.found.has_value()) absl::StrAppend(&json, ",\"found\":", FoundJson(report));
  return json + "}\n";
}

std::string UserFunctionArguments(const UserFunctionChoice& choice) {
  const std::string limit =
      choice.max_active_entities == 0 ? "" : absl::StrCat(" --max-active-entities ", choice.max_active_entities);
  if (!choice.address.empty()) return absl::StrCat(limit, " --user-function ", ShellWord(choice.address));
  if (!choice.sample.empty()) return absl::StrCat(limit, " --sample ", choice.sample);
  // A line for the shell has become a command of the shell.
  const std::vector<std::string>& words = choice.command;
  const bool shell = words.size() == 3 && words[0] == "/bin/sh" && words[1] == "-c";
  if (shell) return absl::StrCat(limit, " --serve ", ShellQuoted(words[2]));
  std::string line;
  for (const std::string& word : words) absl::StrAppend(&line, line.empty() ? "" : " ", ShellWord(word));
  return absl::StrCat(limit, " --serve ", ShellQuoted(line));
}

}  // namespace cloudstate::cli
