#include "cmd/cloudstate-dev/scale_report.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/simulate_output.h"
#include "emulator/capacity/chart.h"
#include "emulator/capacity/svg.h"
#include "emulator/scaling/metric_window.h"

namespace cloudstate::cli {
namespace {

using capacity::InSeconds;
using capacity::Interval;
using capacity::Nanoseconds;
using capacity::Played;

constexpr std::size_t kRows = 24;
constexpr std::size_t kMostDecisions = 20;

std::string Time(Nanoseconds time) { return capacity::TimeLabel(time); }
std::string Count(std::int64_t count) { return Grouped(static_cast<std::uint64_t>(count)); }
std::string Short(absl::Duration time) { return FormatShortDuration(time); }
std::string Seconds(double seconds) { return Grouped(static_cast<std::uint64_t>(std::llround(seconds))); }
// A number of JSON, which knows no others.
std::string Number(double number) { return std::isfinite(number) ? absl::StrFormat("%.6g", number) : "null"; }
std::string NumberOf(absl::Duration time) { return Number(absl::ToDoubleSeconds(time)); }
// Of calls that were answered, if any were.
std::string LatencyOf(std::int64_t answered, absl::Duration time) { return answered > 0 ? NumberOf(time) : "null"; }
std::string Workers(int workers) { return workers == 0 ? "any number of workers" : Counted(workers, "worker"); }

double MeanService(const capacity::ServiceModel& model) {
  double sum = 0;
  for (const capacity::CallCost& cost : model.costs) sum += static_cast<double>(cost.service);
  return model.costs.empty() ? 0 : sum / static_cast<double>(model.costs.size());
}

// "+2.1 %".
std::string Off(Nanoseconds played, Nanoseconds measured) {
  if (measured == 0) return "0 %";
  return absl::StrFormat("%+.1f %%", 100 * (static_cast<double>(played) / static_cast<double>(measured) - 1));
}

std::string ModelLines(const ScalePlay& play, const Terminal& terminal) {
  const capacity::ServiceModel& model = play.options.model;
  if (!play.fit.has_value()) return absl::StrCat("  model      ", Workers(model.workers), " a replica, as given\n");
  const capacity::Fit& fit = *play.fit;
  std::string text = absl::StrCat(
      "  model      ", Workers(model.workers), " a replica, ", Time(static_cast<Nanoseconds>(MeanService(model))),
      " a call on average; of ", Count(fit.calls), " measured calls\n  fit        p50 ",
      Off(fit.chosen.played.p50, fit.measured.p50), ", p99 ", Off(fit.chosen.played.p99, fit.measured.p99), ", mean ",
      Off(fit.chosen.played.mean, fit.measured.mean), " of what the user function was measured to take\n");
  if (model.workers == 0 && fit.candidates.size() > 1) {
    absl::StrAppend(&text, "             no limit was seen with ", Counted(fit.most_at_once, "call"),
                    " at once at most; say --workers if you know one\n");
  } else if (fit.candidates.size() == 1 && model.workers == 0) {
    absl::StrAppend(&text, "             a replica never had two calls at once: say --workers if you know how many it ",
                    "works on\n");
  }
  if (fit.chosen.difference > 0.2) {
    absl::StrAppend(&text, "             ",
                    Styled("the model is more than 20 % off: take what it says as a hint", Style::kWarning, terminal),
                    "\n");
  }
  return text;
}

std::string SummaryLines(const ScalePlay& play, const Played& played, absl::Duration took, const Terminal& terminal) {
  const auto latency = [&](absl::Duration time) { return played.answered > 0 ? Short(time) : "-"; };
  const auto quantile = [&](double share) { return latency(played.latencies.Quantile(share)); };
  std::string text = absl::StrCat(Styled(ChartTitle(play), Style::kBold, terminal), "\n", ModelLines(play, terminal));
  absl::StrAppend(&text, "  calls      ", Count(played.calls));
  if (played.unanswered > 0) {
    absl::StrAppend(&text, ", ", Styled(Count(played.unanswered) + " not answered in time", Style::kBad, terminal));
  }
  absl::StrAppend(&text, played.answered < played.calls ? "; of those answered p50 " : ": p50 ", quantile(0.5),
                  ", p90 ", quantile(0.9), ", p99 ", quantile(0.99), ", at most ", latency(played.latencies.longest()),
                  "\n");
  if (played.held + played.refused > 0) {
    absl::StrAppend(&text, "  activator  ", Count(played.held), " held, ", Count(played.refused), " refused\n");
  }
  absl::StrAppend(&text, "  replicas   ", absl::StrFormat("%.3g", played.average_replicas), " on average, ",
                  played.most_replicas, " at most; ", Seconds(played.replica_seconds), " replica-seconds, ",
                  Counted(played.cold_starts, "cold start"), "\n  played     ", Time(played.length), " in ",
                  Short(took), "\n");
  return text;
}

// Next to each other as one, so that there are few enough to read.
std::vector<Interval> Merged(const std::vector<Interval>& timeline) {
  std::size_t each = 1;
  while (timeline.size() > each * kRows) each += each < 2 ? 1 : each < 4 ? 2 : each < 10 ? 6 : 10;  // 1, 2, 4, 10, 20 …
  std::vector<Interval> merged;
  for (std::size_t i = 0; i < timeline.size(); ++i) {
    if (i % each == 0) {
      merged.push_back(timeline[i]);
    } else {
      merged.back().Append(timeline[i]);
    }
  }
  return merged;
}

std::string Optional(double number) { return std::isfinite(number) ? scaling::NumberText(number) : "-"; }

std::string TimelineTable(const ScalePlay& play, const Played& played, const Terminal& terminal) {
  constexpr Table::Align kRight = Table::Align::kRight;
  const capacity::ReplicaTarget target = capacity::TargetOf(play.options.settings);
  std::string of_each = "CALLS EACH";
  if (target.value > 0) of_each = absl::StrCat("EACH (TARGET ", capacity::NumberLabel(target.value), ")");
  Table table({{"FROM", kRight},
               {"CALLS/S", kRight},
               {"READY", kRight},
               {"WANTED", kRight},
               {of_each, kRight},
               {"HELD", kRight},
               {"P50", kRight},
               {"P99", kRight}});
  for (const Interval& interval : Merged(played.timeline)) {
    const bool any = interval.latencies.count() > 0;
    table.AddRow({{Time(interval.begin)},
                  {absl::StrFormat("%.1f", static_cast<double>(interval.arrived) / InSeconds(interval.length))},
                  {absl::StrFormat("%.1f", interval.ready), Style::kBold},
                  {absl::StrCat(interval.wanted)},
                  {Optional(capacity::LoadOfReplica(interval, play.options.settings))},
                  {absl::StrFormat("%.1f", interval.held)},
                  {any ? Short(interval.latencies.Quantile(0.5)) : "-"},
                  {any ? Short(interval.latencies.Quantile(0.99)) : "-"}});
  }
  return table.Format(terminal);
}

std::string DecisionTable(const Played& played, Decisions decisions, const Terminal& terminal) {
  if (played.choices.empty()) return "Nothing was decided.\n";
  const std::size_t shown =
      decisions == Decisions::kAll ? played.choices.size() : std::min(kMostDecisions, played.choices.size());
  Table table({{"AT", Table::Align::kRight}, {"REPLICAS"}, {"STATE"}, {"WHY"}});
  for (std::size_t i = 0; i < shown; ++i) {
    const capacity::Choice& choice = played.choices[i];
    const bool changed = choice.before != choice.decision.wanted;
    table.AddRow({{Time(choice.at)},
                  {changed ? absl::StrCat(choice.before, " → ", choice.decision.wanted) : absl::StrCat(choice.before),
                   changed ? Style::kBold : Style::kDim},
                  {choice.decision.phase, choice.decision.phase == "panic" ? Style::kWarning : Style::kPlain},
                  {choice.decision.reason}});
  }
  std::string text = table.Format(terminal);
  if (shown < played.choices.size()) {
    absl::StrAppend(&text, "… and ", Count(static_cast<std::int64_t>(played.choices.size() - shown)),
                    " more decisions: --all\n");
  }
  return text;
}

std::string ModelJson(const ScalePlay& play) {
  std::string json = absl::StrCat("{\"workers\":", play.options.model.workers);
  if (play.fit.has_value()) {
    const capacity::Fit& fit = *play.fit;
    const auto stay = [](const capacity::Stay& each) {
      return absl::StrCat("{\"p50Seconds\":", Number(InSeconds(each.p50)),
                          ",\"p99Seconds\":", Number(InSeconds(each.p99)),
                          ",\"meanSeconds\":", Number(InSeconds(each.mean)), "}");
    };
    std::vector<std::string> candidates;
    for (const capacity::Candidate& each : fit.candidates) {
      candidates.push_back(
          absl::StrCat("{\"workers\":", each.workers, ",\"difference\":", Number(each.difference), "}"));
    }
    absl::StrAppend(&json, ",\"measuredCalls\":", fit.calls, ",\"mostAtOnce\":", fit.most_at_once,
                    ",\"difference\":", Number(fit.chosen.difference), ",\"measured\":", stay(fit.measured),
                    ",\"played\":", stay(fit.chosen.played), ",\"candidates\":[", absl::StrJoin(candidates, ","), "]");
  }
  return json + "}";
}

std::string IntervalJson(const ScalePlay& play, const Interval& interval) {
  const bool any = interval.latencies.count() > 0;
  return absl::StrCat("{\"atSeconds\":", Number(InSeconds(interval.begin)),
                      ",\"seconds\":", Number(InSeconds(interval.length)), ",\"calls\":", interval.arrived,
                      ",\"refused\":", interval.refused, ",\"ready\":", Number(interval.ready),
                      ",\"wanted\":", interval.wanted, ",\"held\":", Number(interval.held),
                      ",\"ofEachReplica\":", Number(capacity::LoadOfReplica(interval, play.options.settings)),
                      ",\"p50Seconds\":", any ? NumberOf(interval.latencies.Quantile(0.5)) : "null",
                      ",\"p99Seconds\":", any ? NumberOf(interval.latencies.Quantile(0.99)) : "null", "}");
}

std::string ChoiceJson(const capacity::Choice& choice) {
  std::vector<std::string> figures;
  for (const scaling::Figure& figure : choice.decision.figures) {
    figures.push_back(absl::StrCat("{\"name\":", JsonString(figure.name), ",\"value\":", Number(figure.value), "}"));
  }
  return absl::StrCat("{\"atSeconds\":", Number(InSeconds(choice.at)), ",\"wantedBefore\":", choice.before,
                      ",\"wanted\":", choice.decision.wanted, ",\"phase\":", JsonString(choice.decision.phase),
                      ",\"reason\":", JsonString(choice.decision.reason), ",\"figures\":[", absl::StrJoin(figures, ","),
                      "]}");
}

}  // namespace

std::string ChartTitle(const ScalePlay& play) {
  return absl::StrCat(play.name, "; ", std::string(scaling::ModeName(play.options.settings.mode)), ", seed ",
                      play.options.seed);
}

std::string PlayedReport(const ScalePlay& play, const Played& played, absl::Duration took, Decisions decisions,
                         const Terminal& terminal) {
  std::string text =
      absl::StrCat(SummaryLines(play, played, took, terminal), "\n", TimelineTable(play, played, terminal));
  if (play.options.settings.mode == scaling::Mode::kManual) return text;
  return absl::StrCat(text, "\n", DecisionTable(played, decisions, terminal));
}

std::string PlayedReportJson(const ScalePlay& play, const Played& played, absl::Duration took) {
  std::vector<std::string> timeline;
  for (const Interval& interval : played.timeline) timeline.push_back(IntervalJson(play, interval));
  std::vector<std::string> choices;
  for (const capacity::Choice& choice : played.choices) choices.push_back(ChoiceJson(choice));
  const auto latency = [&](absl::Duration time) { return LatencyOf(played.answered, time); };
  return absl::StrCat(
      "{\"load\":", JsonString(play.name),
      ",\"scaling\":", JsonString(std::string(scaling::ModeName(play.options.settings.mode))),
      ",\"seed\":", play.options.seed, ",\"seconds\":", Number(InSeconds(played.length)),
      ",\"playedInSeconds\":", NumberOf(took), ",\"calls\":", played.calls, ",\"answered\":", played.answered,
      ",\"held\":", played.held, ",\"refused\":", played.refused, ",\"unanswered\":", played.unanswered,
      ",\"coldStarts\":", played.cold_starts, ",\"meanSeconds\":", latency(played.mean_latency),
      ",\"p50Seconds\":", latency(played.latencies.Quantile(0.5)),
      ",\"p90Seconds\":", latency(played.latencies.Quantile(0.9)),
      ",\"p99Seconds\":", latency(played.latencies.Quantile(0.99)),
      ",\"longestSeconds\":", latency(played.latencies.longest()),
      ",\"replicaSeconds\":", Number(played.replica_seconds), ",\"averageReplicas\":", Number(played.average_replicas),
      ",\"mostReplicas\":", played.most_replicas, ",\"model\":", ModelJson(play), ",\"timeline\":[",
      absl::StrJoin(timeline, ","), "],\"decisions\":[", absl::StrJoin(choices, ","), "]}\n");
}

std::string TimelineCsv(const ScalePlay& play, const Played& played) {
  std::string text = "at_s,seconds,calls,refused,ready,wanted,held,of_each_replica,p50_us,p99_us\n";
  for (const Interval& interval : played.timeline) {
    const double each = capacity::LoadOfReplica(interval, play.options.settings);
    const bool any = interval.latencies.count() > 0;
    const auto quantile = [&](double share) {
      return any ? absl::StrCat(absl::ToInt64Microseconds(interval.latencies.Quantile(share))) : "";
    };
    absl::StrAppend(&text, Number(InSeconds(interval.begin)), ",", Number(InSeconds(interval.length)), ",",
                    interval.arrived, ",", interval.refused, ",", Number(interval.ready), ",", interval.wanted, ",",
                    Number(interval.held), ",", std::isfinite(each) ? Number(each) : "", ",", quantile(0.5), ",",
                    quantile(0.99), "\n");
  }
  return text;
}

// ---- tune

namespace {

std::vector<Table::Column> TunedColumns(const std::vector<capacity::Variation>& variations) {
  std::vector<Table::Column> columns = {{""}};
  for (const capacity::Variation& variation : variations) columns.push_back({variation.name, Table::Align::kRight});
  for (const char* title : {"P50", "P99", "REPLICA-S", "AVERAGE", "MOST", "COLD STARTS", "CHANGES", "HELD", "LOST"}) {
    columns.push_back({title, Table::Align::kRight});
  }
  return columns;
}

std::int64_t Answered(const capacity::Trial& trial) { return trial.calls - trial.refused - trial.unanswered; }

std::vector<Table::Cell> TrialRow(const capacity::Trial& trial, bool chosen) {
  const Style style = chosen ? Style::kGood : trial.best ? Style::kBold : Style::kPlain;
  std::vector<Table::Cell> row = {{chosen ? "→" : trial.best ? "*" : "", style}};
  for (const std::string& value : trial.values) row.push_back({value, style});
  const bool any = Answered(trial) > 0;
  row.push_back({any ? Short(trial.p50) : "-"});
  row.push_back({any ? Short(trial.p99) : "-", style});
  row.push_back({Seconds(trial.replica_seconds), style});
  row.push_back({absl::StrFormat("%.3g", trial.average_replicas)});
  row.push_back({absl::StrCat(trial.most_replicas)});
  row.push_back({Count(trial.cold_starts)});
  row.push_back({Count(trial.changes)});
  row.push_back({Count(trial.held)});
  const std::int64_t lost = trial.refused + trial.unanswered;
  row.push_back({Count(lost), lost > 0 ? Style::kBad : Style::kPlain});
  return row;
}

// What to say to have the trial's settings.
std::string FlagsOf(const Tuned& tuned, const capacity::Trial& trial) {
  std::string flags;
  for (std::size_t i = 0; i < tuned.variations.size(); ++i) {
    absl::StrAppend(&flags, i == 0 ? "" : " ", "--", tuned.variations[i].name, " ", trial.values[i]);
  }
  return flags;
}

std::string TrialJson(const Tuned& tuned, const capacity::Trial& trial) {
  std::vector<std::string> settings;
  for (std::size_t i = 0; i < tuned.variations.size(); ++i) {
    settings.push_back(absl::StrCat(JsonString(tuned.variations[i].name), ":", JsonString(trial.values[i])));
  }
  return absl::StrCat(
      "{\"settings\":{", absl::StrJoin(settings, ","), "},\"p50Seconds\":", LatencyOf(Answered(trial), trial.p50),
      ",\"p99Seconds\":", LatencyOf(Answered(trial), trial.p99),
      ",\"meanSeconds\":", LatencyOf(Answered(trial), trial.mean),
      ",\"replicaSeconds\":", Number(trial.replica_seconds), ",\"averageReplicas\":", Number(trial.average_replicas),
      ",\"mostReplicas\":", trial.most_replicas, ",\"coldStarts\":", trial.cold_starts, ",\"changes\":", trial.changes,
      ",\"calls\":", trial.calls, ",\"held\":", trial.held, ",\"refused\":", trial.refused,
      ",\"unanswered\":", trial.unanswered, ",\"best\":", trial.best ? "true" : "false", "}");
}

// Those that cost less first.
std::vector<std::size_t> ByCost(const std::vector<capacity::Trial>& trials) {
  std::vector<std::size_t> order(trials.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t one, std::size_t other) {
    return trials[one].replica_seconds < trials[other].replica_seconds;
  });
  return order;
}

}  // namespace

std::string TunedReport(const ScalePlay& play, const Tuned& tuned, const Terminal& terminal) {
  std::string text =
      absl::StrCat(Styled(ChartTitle(play), Style::kBold, terminal), "\n", ModelLines(play, terminal), "  played     ",
                   Counted(static_cast<std::int64_t>(tuned.trials.size()), "combination"), " in ", Short(tuned.took),
                   tuned.interrupted ? ", then interrupted" : "", "\n\n");
  if (tuned.trials.empty()) return text + "No combination was played.\n";
  Table table(TunedColumns(tuned.variations));
  for (const std::size_t i : ByCost(tuned.trials)) {
    table.AddRow(TrialRow(tuned.trials[i], tuned.recommendation.trial == i));
  }
  if (!tuned.recommendation.trial.has_value()) {
    return absl::StrCat(text, table.Format(terminal), "Nothing is recommended, as not all combinations were played.\n");
  }
  const std::string flags = FlagsOf(tuned, tuned.trials[*tuned.recommendation.trial]);
  return absl::StrCat(text, table.Format(terminal), "* no other has both a lower p99 and fewer replica-seconds\n→ ",
                      Styled(flags, Style::kGood, terminal), ": ", tuned.recommendation.reason, "\n");
}

std::string TunedReportJson(const ScalePlay& play, const Tuned& tuned) {
  std::vector<std::string> trials;
  for (const capacity::Trial& trial : tuned.trials) trials.push_back(TrialJson(tuned, trial));
  std::string json =
      absl::StrCat("{\"load\":", JsonString(play.name),
                   ",\"scaling\":", JsonString(std::string(scaling::ModeName(play.options.settings.mode))),
                   ",\"seed\":", play.options.seed, ",\"playedInSeconds\":", NumberOf(tuned.took),
                   ",\"interrupted\":", tuned.interrupted ? "true" : "false", ",\"model\":", ModelJson(play),
                   ",\"trials\":[", absl::StrJoin(trials, ","), "]");
  if (tuned.recommendation.trial.has_value()) {
    absl::StrAppend(&json, ",\"recommended\":", TrialJson(tuned, tuned.trials[*tuned.recommendation.trial]),
                    ",\"reason\":", JsonString(tuned.recommendation.reason));
  }
  return json + "}\n";
}

}  // namespace cloudstate::cli
