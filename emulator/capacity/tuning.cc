#include "emulator/capacity/tuning.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"

namespace cloudstate::capacity {
namespace {

constexpr std::size_t kMostTrials = 2'000;
constexpr char kReplicas[] = "replicas";

constexpr char kColdStart[] = "cold-start";
constexpr char kScaleTick[] = "scale-tick";

absl::Status SetReplicas(const std::string& value, PlayOptions& options) {
  const int most = scaling::Settings().MaxScale();
  if (absl::SimpleAtoi(value, &options.replicas) && options.replicas >= 1 && options.replicas <= most) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("replicas takes a number from 1 to ", most, ", not '", value, "'"));
}

// What people know it by, whichever of its names they use.
std::string NameOf(const Variation& variation) {
  const scaling::SettingInfo* info = scaling::FindSetting(variation.name);
  return info == nullptr ? variation.name : std::string(info->name);
}

// The same for "60s" and "1m".
std::string Value(const Trial& trial, const std::string& name) {
  return name == kReplicas ? absl::StrCat(trial.options.replicas) : scaling::Get(trial.options.settings, name);
}

// What is varied has to change something.
absl::Status CheckMatters(const std::string& name, const PlayOptions& options) {
  const scaling::Mode mode = options.settings.mode;
  if (name == kReplicas && mode == scaling::Mode::kKnative) {
    return absl::InvalidArgumentError("in mode knative the replicas at the beginning are initial-scale; vary that");
  }
  if (name == kColdStart && options.cold_start.has_value()) {
    return absl::InvalidArgumentError("cold-start does nothing where cold starts are drawn; leave out --cold-starts");
  }
  if (name == kScaleTick && mode == scaling::Mode::kManual) {
    return absl::InvalidArgumentError("scale-tick does nothing in mode manual where no replica is lost");
  }
  const scaling::SettingInfo* info = scaling::FindSetting(name);
  if (info == nullptr || std::find(info->modes.begin(), info->modes.end(), mode) != info->modes.end()) {
    return absl::OkStatus();
  }
  const auto name_of = [](std::string* text, scaling::Mode each) { text->append(scaling::ModeName(each)); };
  return absl::InvalidArgumentError(absl::StrCat(name, " does nothing in mode ", std::string(scaling::ModeName(mode)),
                                                 ", only in ", absl::StrJoin(info->modes, " and ", name_of)));
}

absl::Status CheckVariations(const std::vector<Variation>& variations, const PlayOptions& options) {
  std::set<std::string> names;
  for (const Variation& variation : variations) {
    const std::string name = NameOf(variation);
    if (!names.insert(name).second) {
      return absl::InvalidArgumentError(absl::StrCat(name, " is varied twice; name all its values at once"));
    }
    if (absl::Status status = CheckMatters(name, options); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// The trials so far, each with each value of one more variation.
absl::StatusOr<std::vector<Trial>> Multiply(const std::vector<Trial>& trials, const Variation& variation) {
  if (trials.size() * variation.values.size() > kMostTrials) {
    return absl::InvalidArgumentError(
        absl::StrCat("These are more than ", kMostTrials, " combinations; vary fewer settings, or with fewer values."));
  }
  const std::string name = NameOf(variation);
  std::vector<Trial> all;
  for (const Trial& trial : trials) {
    std::set<std::string> values;
    for (const std::string& value : variation.values) {
      Trial& added = all.emplace_back(trial);
      added.values.push_back(value);
      const absl::Status status = variation.name == kReplicas
                                      ? SetReplicas(value, added.options)
                                      : scaling::Set(added.options.settings, variation.name, value);
      if (!status.ok()) return status;
      if (!values.insert(Value(added, name)).second) {
        return absl::InvalidArgumentError(
            absl::StrCat(name, " has the value ", value, " twice; leave one of them out"));
      }
    }
  }
  return all;
}

absl::Status Check(const PlayOptions& options) {
  if (absl::Status status = scaling::Check(options.settings); !status.ok()) return status;
  if (options.replicas <= options.settings.MaxScale()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(options.replicas, " replicas are more than max-scale, ",
                                                 options.settings.MaxScale(), "; take fewer, or raise max-scale"));
}

bool AreAlike(const std::vector<Trial>& trials) {
  return std::all_of(trials.begin(), trials.end(), [&](const Trial& trial) {
    return trial.p99 == trials.front().p99 && trial.replica_seconds == trials.front().replica_seconds;
  });
}

bool IsWhole(const Trial& trial) { return trial.refused == 0 && trial.unanswered == 0; }

bool IsBetter(const Trial& one, const Trial& other) {
  if (IsWhole(one) != IsWhole(other)) return IsWhole(one);
  const bool no_worse = one.p99 <= other.p99 && one.replica_seconds <= other.replica_seconds;
  return no_worse && (one.p99 < other.p99 || one.replica_seconds < other.replica_seconds);
}

void MarkBest(std::vector<Trial>& trials) {
  for (Trial& trial : trials) {
    trial.best = std::none_of(trials.begin(), trials.end(), [&](const Trial& other) { return IsBetter(other, trial); });
  }
}

double LogOf(absl::Duration time) { return std::log(std::max(1e-9, absl::ToDoubleSeconds(time))); }

std::size_t Knee(const std::vector<Trial>& trials) {
  constexpr double kEndless = std::numeric_limits<double>::infinity();
  double fastest = kEndless, slowest = -kEndless, cheapest = kEndless, dearest = -kEndless;
  for (const Trial& trial : trials) {
    if (!trial.best) continue;
    fastest = std::min(fastest, LogOf(trial.p99));
    slowest = std::max(slowest, LogOf(trial.p99));
    cheapest = std::min(cheapest, trial.replica_seconds);
    dearest = std::max(dearest, trial.replica_seconds);
  }
  const auto share = [](double value, double low, double high) {
    return high > low ? (value - low) / (high - low) : 0;
  };
  std::size_t knee = 0;
  double nearest = kEndless;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (!trials[i].best) continue;
    const double distance =
        std::hypot(share(LogOf(trials[i].p99), fastest, slowest), share(trials[i].replica_seconds, cheapest, dearest));
    if (distance < nearest) {
      nearest = distance;
      knee = i;
    }
  }
  return knee;
}

// Of the best ones, by a measure of which less is better, if `fits`.
template <typename Measure, typename Fits>
std::optional<std::size_t> Least(const std::vector<Trial>& trials, Measure measure, Fits fits) {
  std::optional<std::size_t> least;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (!trials[i].best || !fits(trials[i])) continue;
    if (!least.has_value() || measure(trials[i]) < measure(trials[*least])) least = i;
  }
  return least;
}

}  // namespace

std::vector<Variation> UsualVariations(scaling::Mode mode) {
  switch (mode) {
    case scaling::Mode::kKnative:
      return {{"scale-target", {"1", "2", "5", "10", "20", "50", "100"}}, {"stable-window", {"30s", "60s", "120s"}}};
    case scaling::Mode::kCloudstate:
      return {{"user-function-target-concurrency", {"0.5", "0.7", "1", "2", "4", "8"}},
              {"target-concurrency-window", {"20s", "60s", "120s"}}};
    case scaling::Mode::kManual:
    case scaling::Mode::kOff:
      break;
  }
  return {{kReplicas, {"1", "2", "3", "4", "5", "6", "7", "8", "10", "12", "16", "20"}}};
}

absl::StatusOr<std::vector<Trial>> Combine(const std::vector<Variation>& variations, const PlayOptions& options) {
  if (absl::Status status = CheckVariations(variations, options); !status.ok()) return status;
  std::vector<Trial> trials(1);
  trials.front().options = options;
  for (const Variation& variation : variations) {
    absl::StatusOr<std::vector<Trial>> more = Multiply(trials, variation);
    if (!more.ok()) return more.status();
    trials = *std::move(more);
  }
  for (Trial& trial : trials) {
    trial.options.replicas = trial.options.settings.InitialReplicas(trial.options.replicas);
  }
  absl::Status wrong;
  std::erase_if(trials, [&](const Trial& trial) {
    const absl::Status status = Check(trial.options);
    wrong.Update(status);
    return !status.ok();
  });
  if (trials.empty()) return wrong;
  return trials;
}

bool PlayTrial(const Load& load, Trial& trial) {
  const Played played = Play(load, trial.options);
  if (played.interrupted) return false;
  trial.p50 = played.latencies.Quantile(0.5);
  trial.p99 = played.latencies.Quantile(0.99);
  trial.mean = played.mean_latency;
  trial.replica_seconds = played.replica_seconds;
  trial.average_replicas = played.average_replicas;
  trial.most_replicas = played.most_replicas;
  trial.calls = played.calls;
  trial.held = played.held;
  trial.refused = played.refused;
  trial.unanswered = played.unanswered;
  trial.cold_starts = played.cold_starts;
  trial.changes =
      static_cast<std::int64_t>(std::count_if(played.choices.begin(), played.choices.end(), [](const Choice& choice) {
        return choice.before != choice.decision.wanted;
      }));
  return true;
}

Recommendation Recommend(std::vector<Trial>& trials, std::optional<absl::Duration> p99) {
  if (trials.empty()) return {};
  MarkBest(trials);
  const auto cost = [](const Trial& trial) { return trial.replica_seconds; };
  if (!p99.has_value() && trials.size() > 1 && AreAlike(trials)) {
    return {0, "all of them come out alike, so this is only the first; vary something that matters to this load"};
  }
  if (!p99.has_value()) {
    return {Knee(trials), "where less latency begins to cost much more, and fewer replicas much more latency"};
  }
  const std::string goal = absl::StrCat("a p99 of at most ", absl::FormatDuration(*p99));
  const auto fits = [&](const Trial& trial) { return IsWhole(trial) && trial.p99 <= *p99; };
  if (const std::optional<std::size_t> cheapest = Least(trials, cost, fits)) {
    return {cheapest, absl::StrCat("the fewest replica-seconds with ", goal)};
  }
  const auto fastest = Least(
      trials, [](const Trial& trial) { return trial.p99; }, [](const Trial&) { return true; });
  return {fastest, absl::StrCat("none has ", goal, "; this one is the fastest")};
}

}  // namespace cloudstate::capacity
