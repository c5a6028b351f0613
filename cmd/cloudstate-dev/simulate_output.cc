#include "cmd/cloudstate-dev/simulate_output.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/paste_lines.h"

namespace cloudstate::cli {
namespace {

using simulation::Outcome;
using simulation::Summary;
using simulation::Violation;

constexpr std::size_t kMostFailedShown = 20;

// "60s played in 12ms, 5,000 times as fast".
std::string Speed(absl::Duration simulated, absl::Duration took) {
  const double times = absl::FDivDuration(simulated, std::max(took, absl::Microseconds(1)));
  std::string text = absl::StrCat(absl::FormatDuration(absl::Trunc(simulated, absl::Milliseconds(1))), " played in ",
                                  FormatShortDuration(took));
  if (times >= 2) absl::StrAppend(&text, ", ", Grouped(static_cast<std::uint64_t>(times)), " times as fast");
  return text;
}

std::string CountLines(const Summary& summary) {
  return absl::StrCat("  calls     ", Grouped(summary.calls), ": ", Grouped(summary.ok), " ok, ",
                      Grouped(summary.failed), " failed, ", Grouped(summary.unknown), " with an unknown outcome\n",
                      "  events    ", Grouped(summary.events), "\n", "  messages  ", Grouped(summary.messages),
                      " between nodes\n", "  steps     ", Grouped(summary.steps), "\n");
}

std::string CountsJson(const Summary& summary) {
  return absl::StrCat("\"simulatedSeconds\":", absl::ToDoubleSeconds(summary.simulated),
                      ",\"calls\":{\"all\":", summary.calls, ",\"ok\":", summary.ok, ",\"failed\":", summary.failed,
                      ",\"unknown\":", summary.unknown, "},\"events\":", summary.events,
                      ",\"messages\":", summary.messages, ",\"steps\":", summary.steps);
}

std::string ViolationsJson(const std::vector<Violation>& violations) {
  std::vector<std::string> all;
  for (const Violation& each : violations) {
    all.push_back(
        absl::StrCat("{\"invariant\":", JsonString(each.invariant), ",\"text\":", JsonString(each.text), "}"));
  }
  return absl::StrCat("[", absl::StrJoin(all, ","), "]");
}

std::string FailedLine(const FailedSeed& failed, const Terminal& terminal) {
  return absl::StrCat("  seed ", failed.seed, "  ",
                      Styled(absl::StrJoin(failed.invariants, ", "), Style::kBad, terminal), "\n");
}

}  // namespace

std::string Grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::vector<std::string> Invariants(const Outcome& outcome) {
  std::set<std::string> names;
  for (const Violation& each : outcome.violations) names.insert(each.invariant);
  return {names.begin(), names.end()};
}

std::string PlayedText(const PlayedSeed& played, const Terminal& terminal) {
  const Outcome& outcome = played.outcome;
  std::string text = absl::StrCat(Styled(played.scenario, Style::kBold, terminal), ", seed ", outcome.seed, ": ",
                                  Speed(outcome.summary.simulated, played.took), "\n", CountLines(outcome.summary));
  if (outcome.violations.empty()) return text + Styled("nothing was violated", Style::kGood, terminal) + "\n";
  for (const Violation& each : outcome.violations) {
    absl::StrAppend(&text, Styled("VIOLATED", Style::kBad, terminal), " ",
                    Styled(each.invariant, Style::kBold, terminal), ": ", Printable(each.text), "\n");
  }
  return absl::StrCat(text, "replay: ", played.replay, "\n");
}

std::string ShrunkText(const ShrunkScenario& shrunk, std::uint64_t seed) {
  return absl::StrCat("shrunk from ", Counted(shrunk.steps_before, "step"), " to ", shrunk.steps, ": ", shrunk.file,
                      "\nreplay: cloudstate-dev simulate --scenario ", ShellWord(shrunk.file), " --seed ", seed, "\n");
}

std::string PlayedJson(const PlayedSeed& played, const std::optional<ShrunkScenario>& shrunk) {
  const Outcome& outcome = played.outcome;
  std::string json = absl::StrCat("{\"scenario\":", JsonString(played.scenario), ",\"seed\":", outcome.seed, ",",
                                  CountsJson(outcome.summary), ",\"seconds\":", absl::ToDoubleSeconds(played.took),
                                  ",\"violations\":", ViolationsJson(outcome.violations));
  if (!played.replay.empty()) absl::StrAppend(&json, ",\"replay\":", JsonString(played.replay));
  if (shrunk.has_value()) {
    absl::StrAppend(&json, ",\"shrunk\":{\"file\":", JsonString(shrunk->file), ",\"steps\":", shrunk->steps,
                    ",\"stepsBefore\":", shrunk->steps_before, "}");
  }
  return json + "}\n";
}

std::string PlayedText(const PlayedSeeds& played, const Terminal& terminal) {
  const double seconds = std::max(absl::ToDoubleSeconds(played.took), 1e-6);
  std::string text = absl::StrCat(
      Styled(played.scenario, Style::kBold, terminal), ", seeds ", played.seeds.first, "..", played.seeds.last, ": ",
      Grouped(played.played), " played", played.interrupted ? " until interrupted" : "", ", ",
      Grouped(static_cast<std::uint64_t>(std::llround(static_cast<double>(played.played) / seconds))),
      " a second\n  time      ", Speed(played.total.simulated, played.took), "\n", CountLines(played.total));
  if (played.failed.empty()) return text + Styled("nothing was violated", Style::kGood, terminal) + "\n";
  absl::StrAppend(&text, Styled(absl::StrCat(Grouped(played.failed.size()), " of them failed"), Style::kBad, terminal),
                  "\n");
  const std::size_t shown = std::min(played.failed.size(), kMostFailedShown);
  for (std::size_t i = 0; i < shown; ++i) text += FailedLine(played.failed[i], terminal);
  if (shown < played.failed.size()) absl::StrAppend(&text, "  and ", Grouped(played.failed.size() - shown), " more\n");
  return absl::StrCat(text, "replay: ", played.replay, "\n");
}

std::string PlayedJson(const PlayedSeeds& played) {
  std::vector<std::string> failed;
  for (const FailedSeed& each : played.failed) {
    failed.push_back(absl::StrCat("{\"seed\":", each.seed, ",\"invariants\":", JsonStrings(each.invariants), "}"));
  }
  std::string json = absl::StrCat("{\"scenario\":", JsonString(played.scenario), ",\"firstSeed\":", played.seeds.first,
                                  ",\"lastSeed\":", played.seeds.last, ",\"played\":", played.played,
                                  ",\"interrupted\":", played.interrupted ? "true" : "false", ",",
                                  CountsJson(played.total), ",\"seconds\":", absl::ToDoubleSeconds(played.took),
                                  ",\"failed\":[", absl::StrJoin(failed, ","), "]");
  if (!played.replay.empty()) absl::StrAppend(&json, ",\"replay\":", JsonString(played.replay));
  return json + "}\n";
}

}  // namespace cloudstate::cli
