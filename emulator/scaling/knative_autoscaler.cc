#include "emulator/scaling/knative_autoscaler.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace cloudstate::scaling {
namespace {

constexpr double kLeastTarget = 0.01;

std::string TimeText(absl::Duration time) { return absl::FormatDuration(absl::Trunc(time, absl::Milliseconds(1))); }

// Of one replica at full use. Under a hard limit it is no more than that.
double Capacity(const KnativeSettings& settings, int container_concurrency) {
  if (settings.metric != KnativeSettings::Metric::kConcurrency || container_concurrency == 0) return settings.Target();
  const double limit = container_concurrency;
  return settings.target > 0 ? std::min(settings.target, limit) : limit;
}

}  // namespace

struct KnativeAutoscaler::Input {
  const KnativeSettings& settings;
  int max_scale;
  const Measurement& measurement;
  double capacity;  // of one replica, in terms of the metric
  double target;    // of it, what it is to have

  // Where none is ready, the rules are those of one.
  int Ready() const { return std::max(1, measurement.ready); }
};

struct KnativeAutoscaler::Load {
  double stable = 0;
  double panic = 0;
  double held = 0;  // calls, on average
  int want_stable = 0;
  int want_panic = 0;
  double spare = 0;  // excess burst capacity: room for calls, less than 0 where there is too little
};

Decision KnativeAutoscaler::Decide(const KnativeSettings& settings, int max_scale, int container_concurrency,
                                   const Measurement& measurement) {
  const double capacity = Capacity(settings, container_concurrency);
  const Input input{settings, max_scale, measurement, capacity,
                    std::max(kLeastTarget, capacity * settings.target_utilization_percent / 100)};
  for (const NodeReport& report : measurement.reports) window_.Add(report);
  window_.Keep(measurement.now, settings.stable_window);
  if (!initial_scale_.has_value()) initial_scale_ = std::min(settings.initial_scale, measurement.wanted);
  if (measurement.ready >= *initial_scale_) initial_scale_ = 0;

  const Load load = Measure(input);
  FollowPanic(input, load);
  std::string reason;
  int wanted = WantedByLoad(input, load, reason);
  wanted = Delayed(input, wanted, reason);
  wanted = Bounded(input, wanted, reason);
  wanted = KeptFromZero(input, wanted, reason);
  return {.wanted = wanted,
          .phase = panic_.has_value() ? "panic" : "stable",
          .reason = std::move(reason),
          .figures = Figures(input, load),
          .activator_in_path = wanted == 0 || measurement.ready == 0 || load.spare < 0};
}

KnativeAutoscaler::Load KnativeAutoscaler::Measure(const Input& input) const {
  const KnativeSettings& settings = input.settings;
  const absl::Time now = input.measurement.now;
  Load load;
  if (settings.metric == KnativeSettings::Metric::kConcurrency) {
    load.stable = window_.TotalConcurrency(now, settings.stable_window);
    load.panic = window_.TotalConcurrency(now, settings.PanicWindow());
  } else {
    load.stable = window_.TotalRate(now, settings.stable_window);
    load.panic = window_.TotalRate(now, settings.PanicWindow());
  }
  for (const NodeReport& report : input.measurement.reports) {
    if (report.node == 0) load.held = std::max(load.held, report.requests.concurrency);
  }
  // Calls that are held have neither ended nor, perhaps, lasted long, but somebody has to take them.
  const int least = load.held > 0 ? 1 : 0;
  load.want_stable = std::max(least, RoundedUp(load.stable / input.target));
  load.want_panic = std::max(least, RoundedUp(load.panic / input.target));
  const double burst = settings.target_burst_capacity;
  load.spare = burst > 0    ? std::floor(input.measurement.ready * input.capacity - burst - load.panic)
               : burst == 0 ? 0
                            : -1;
  return load;
}

void KnativeAutoscaler::FollowPanic(const Input& input, const Load& load) {
  const absl::Time now = input.measurement.now;
  const double share = 100.0 * load.want_panic / input.Ready();
  if (!IsAbove(input.settings.panic_threshold_percent, share)) {
    if (!panic_.has_value()) panic_wanted_ = input.measurement.wanted;
    panic_ = now;
  } else if (panic_.has_value() && *panic_ + input.settings.stable_window < now) {
    panic_.reset();
  }
}

int KnativeAutoscaler::WantedByLoad(const Input& input, const Load& load, std::string& reason) {
  const KnativeSettings& settings = input.settings;
  // At least one more, and one fewer, whatever the rates are.
  const double most = std::ceil(settings.max_scale_up_rate * input.Ready());
  const double least = std::floor(input.Ready() / settings.max_scale_down_rate);
  const auto within = [&](int want) {
    const int cut = static_cast<int>(std::min(std::max(static_cast<double>(want), least), most));
    return want > 0 ? std::max(cut, settings.activation_scale > 1 ? settings.activation_scale : 0) : cut;
  };
  const int stable = within(load.want_stable);
  const int panic = within(load.want_panic);
  const bool by_panic = panic_.has_value() && panic > stable;
  const int want = by_panic ? load.want_panic : load.want_stable;
  int wanted = by_panic ? panic : stable;
  reason = absl::StrCat(
      NumberText(by_panic ? load.panic : load.stable),
      settings.metric == KnativeSettings::Metric::kRps ? " calls a second over the " : " calls at once over the ",
      by_panic ? "panic" : "stable", " window, ", NumberText(input.target), " per replica: ", want);
  if (wanted > want && want > 0 && wanted == settings.activation_scale) {
    absl::StrAppend(&reason, ", to begin with ", wanted);
  } else if (wanted != want) {
    absl::StrAppend(&reason, ", in this step ", wanted);
  }
  if (!panic_.has_value()) return wanted;
  panic_wanted_ = std::max(panic_wanted_, wanted);
  if (panic_wanted_ != wanted) absl::StrAppend(&reason, "; no fewer than ", panic_wanted_, " in panic");
  return panic_wanted_;
}

int KnativeAutoscaler::Delayed(const Input& input, int wanted, std::string& reason) {
  const absl::Time now = input.measurement.now;
  const absl::Duration delay = input.settings.scale_down_delay;
  if (delay == absl::ZeroDuration()) {
    wanted_before_.clear();
    return wanted;
  }
  while (!wanted_before_.empty() && wanted_before_.front().first <= now - delay) wanted_before_.pop_front();
  wanted_before_.emplace_back(now, wanted);
  int most = wanted;
  for (const auto& [time, before] : wanted_before_) most = std::max(most, before);
  if (most != wanted) absl::StrAppend(&reason, "; ", most, " were wanted within the last ", TimeText(delay));
  return most;
}

int KnativeAutoscaler::Bounded(const Input& input, int wanted, std::string& reason) {
  const int least = std::max(input.settings.min_scale, *initial_scale_);
  if (wanted < least) absl::StrAppend(&reason, "; at least ", least, *initial_scale_ == least ? " to begin with" : "");
  if (std::max(wanted, least) > input.max_scale) absl::StrAppend(&reason, "; at most ", input.max_scale);
  return std::min(std::max(wanted, least), input.max_scale);
}

int KnativeAutoscaler::KeptFromZero(const Input& input, int wanted, std::string& reason) {
  const KnativeSettings& settings = input.settings;
  const absl::Time now = input.measurement.now;
  if (wanted > 0) {
    idle_since_.reset();
    return wanted;
  }
  if (input.measurement.wanted == 0) return 0;
  if (!settings.enable_scale_to_zero) {
    absl::StrAppend(&reason, "; the last one stays");
    return 1;
  }
  // Not before there has been nothing for a whole stable window.
  if (!window_.began().has_value() || now - *window_.began() < settings.stable_window) {
    absl::StrAppend(&reason, "; the last one stays until there has been nothing for ",
                    TimeText(settings.stable_window));
    return 1;
  }
  if (!idle_since_.has_value()) idle_since_ = now;
  const absl::Time until =
      *idle_since_ + std::max(settings.scale_to_zero_grace_period, settings.scale_to_zero_pod_retention_period);
  if (now >= until) return 0;
  absl::StrAppend(&reason, "; the last one stays for ", TimeText(until - now), " more");
  return 1;
}

std::vector<Figure> KnativeAutoscaler::Figures(const Input& input, const Load& load) const {
  std::vector<Figure> figures = {
      {"ready", static_cast<double>(input.measurement.ready)},
      {"stable average", load.stable},
      {"panic average", load.panic},
      {"target", input.target},
      {"wanted by stable average", static_cast<double>(load.want_stable)},
      {"wanted by panic average", static_cast<double>(load.want_panic)},
      {"held calls", load.held},
      {"excess burst capacity", load.spare},
  };
  if (panic_.has_value()) figures.push_back({"wanted in panic", static_cast<double>(panic_wanted_)});
  return figures;
}

}  // namespace cloudstate::scaling
