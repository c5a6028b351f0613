#include "emulator/scaling/cloudstate_autoscaler.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace cloudstate::scaling {
namespace {

std::string Replicas(int count) { return count == 1 ? "1 replica" : absl::StrCat(count, " replicas"); }

// Cuts the change from `from` to `to` to the largest step, and to the largest cluster.
int CutToStep(const CloudstateSettings& settings, int max_scale, int from, int to) {
  int change = std::abs(to - from);
  if (settings.max_scale_factor > 0) {
    change = std::min(change, static_cast<int>(std::max(1.0, std::floor(from * settings.max_scale_factor))));
  }
  if (settings.max_scale_absolute > 0) change = std::min(change, settings.max_scale_absolute);
  return std::min(to > from ? from + change : from - change, max_scale);
}

std::string Cut(int want, int cut) { return want == cut ? "" : absl::StrCat(", cut to ", cut); }

std::string Left(absl::Time now, absl::Time deadline) {
  return absl::FormatDuration(absl::Trunc(deadline - now, absl::Milliseconds(1)));
}

}  // namespace

struct CloudstateAutoscaler::Input {
  const CloudstateSettings& settings;
  int max_scale;
  const Measurement& measurement;
};

struct CloudstateAutoscaler::Load {
  double user_function = 0;  // per replica, as the next
  double requests = 0;
  double journal = 0;
  double rate = 0;  // of all replicas
  int want_user_function = 0;
  int want_requests = 0;
};

const char* CloudstateAutoscaler::Name(Phase phase) {
  switch (phase) {
    case Phase::kWaiting:
      return "waiting";
    case Phase::kStable:
      return "stable";
    case Phase::kScalingUp:
      return "scaling up";
    case Phase::kScalingDown:
      return "scaling down";
    case Phase::kUpgrading:
      break;
  }
  return "upgrading";
}

Decision CloudstateAutoscaler::Decide(const CloudstateSettings& settings, int max_scale,
                                      const Measurement& measurement) {
  const Input input{settings, max_scale, measurement};
  for (const NodeReport& report : measurement.reports) {
    if (report.node != 0) window_.Add(report);
  }
  window_.Keep(measurement.now, settings.target_concurrency_window);
  Load load = Measure(input);
  auto [wanted, reason] = Step(input, load);
  if (wanted > max_scale) absl::StrAppend(&reason, "; there are to be ", max_scale, " at most");
  return {.wanted = std::clamp(wanted, 1, std::max(1, max_scale)),
          .phase = Name(phase_),
          .reason = std::move(reason),
          .figures = Figures(input, load),
          .activator_in_path = false};
}

CloudstateAutoscaler::Load CloudstateAutoscaler::Measure(const Input& input) const {
  const CloudstateSettings& settings = input.settings;
  const int replicas = input.measurement.ready;
  const MetricWindow::Concurrency average = window_.PerReplica();
  return {.user_function = average.user_function,
          .requests = average.requests,
          .journal = average.journal,
          .rate = window_.RateOfNodes(input.measurement.now, settings.request_rate_window),
          .want_user_function =
              std::max(1, RoundedUp(average.user_function * replicas / settings.user_function_target_concurrency)),
          .want_requests = std::max(
              1, RoundedUp((average.requests - average.journal) * replicas / settings.request_target_concurrency))};
}

CloudstateAutoscaler::Outcome CloudstateAutoscaler::Step(const Input& input, Load& load) {
  const Measurement& now = input.measurement;
  if (now.ready == 0) return {now.wanted, "no replica is ready"};
  if (phase_ == Phase::kWaiting) {
    const std::size_t reported = window_.nodes();
    if (reported < static_cast<std::size_t>(now.ready)) {
      return {now.wanted, absl::StrCat(reported, " of ", Replicas(now.ready), " reported so far")};
    }
    phase_ = Phase::kStable;
  }
  if (phase_ == Phase::kUpgrading) {
    if (now.upgrading) return {now.wanted, "an upgrade runs"};
    phase_ = Phase::kStable;
  }
  if (phase_ != Phase::kStable) {
    if (now.now < deadline_) {
      if (phase_ == Phase::kScalingUp) return FollowRate(input, load);
      return {now.wanted, absl::StrCat("scaled down, and decides again in ", Left(now.now, deadline_))};
    }
    // What was measured while replicas came and went says little.
    window_.Keep(now.now, input.settings.request_rate_window);
    load = Measure(input);
    phase_ = Phase::kStable;
  }
  return DecideStable(input, load);
}

CloudstateAutoscaler::Outcome CloudstateAutoscaler::DecideStable(const Input& input, const Load& load) {
  const CloudstateSettings& settings = input.settings;
  const Measurement& now = input.measurement;
  const double adjusted = load.requests - load.journal;
  if (IsAbove(load.user_function, settings.user_function_target_concurrency)) {
    last_stable_rate_ = load.rate;
    return ScaleUp(
        input, load.want_user_function,
        absl::StrCat("the user function has ", NumberText(load.user_function), " commands per replica, more than ",
                     NumberText(settings.user_function_target_concurrency)));
  }
  if (IsAbove(adjusted, settings.request_target_concurrency)) {
    last_stable_rate_ = load.rate;
    return ScaleUp(input, load.want_requests,
                   absl::StrCat(NumberText(load.requests), " calls per replica are open, ", NumberText(adjusted),
                                " without the journal's, more than ", NumberText(settings.request_target_concurrency)));
  }
  const int want = std::max(load.want_user_function, load.want_requests);
  if (want < now.ready) {
    const int cut = CutToStep(settings, input.max_scale, now.ready, want);
    phase_ = Phase::kScalingDown;
    deadline_ = now.now + settings.scale_down_stable_deadline;
    return {cut, absl::StrCat("the user function wants ", load.want_user_function, " and calls want ",
                              load.want_requests, ", fewer than ", Replicas(now.ready), Cut(want, cut))};
  }
  if (now.upgrading) {
    phase_ = Phase::kUpgrading;
    return {now.wanted, "an upgrade runs"};
  }
  return {now.wanted, absl::StrCat("the user function has ", NumberText(load.user_function), " of ",
                                   NumberText(settings.user_function_target_concurrency), " commands per replica, and ",
                                   NumberText(adjusted), " of ", NumberText(settings.request_target_concurrency),
                                   " calls are open")};
}

CloudstateAutoscaler::Outcome CloudstateAutoscaler::FollowRate(const Input& input, const Load& load) {
  const CloudstateSettings& settings = input.settings;
  const Measurement& now = input.measurement;
  const bool over_target = IsAbove(load.user_function, settings.user_function_target_concurrency) ||
                           IsAbove(load.requests, settings.request_target_concurrency);
  if (over_target && IsAbove(load.rate, last_stable_rate_ * settings.request_rate_threshold_factor)) {
    // Of no rate at all anything is a multiple.
    const double want = last_stable_rate_ > 0 ? load.rate * now.ready / last_stable_rate_ : input.max_scale;
    if (CutToStep(settings, input.max_scale, now.ready, RoundedUp(want)) > now.wanted) {
      return ScaleUp(
          input, RoundedUp(want),
          absl::StrCat(NumberText(load.rate), " calls end in a second, more than ",
                       NumberText(settings.request_rate_threshold_factor), " × ", NumberText(last_stable_rate_)));
    }
  }
  return {now.wanted, absl::StrCat("scaled up, and decides by concurrency again in ", Left(now.now, deadline_))};
}

CloudstateAutoscaler::Outcome CloudstateAutoscaler::ScaleUp(const Input& input, int want, std::string why) {
  const Measurement& now = input.measurement;
  const int cut = CutToStep(input.settings, input.max_scale, now.ready, want);
  phase_ = Phase::kScalingUp;
  deadline_ = now.now + input.settings.scale_up_stable_deadline;
  // Here it departs from the published one, which asks for `cut` whatever was wanted before. That is counted from the
  // replicas that are ready, so while some still start, a second step would call off what the first one had started.
  return {std::max(cut, now.wanted), absl::StrCat(why, ": ", want, " instead of ", now.ready, Cut(want, cut))};
}

std::vector<Figure> CloudstateAutoscaler::Figures(const Input& input, const Load& load) const {
  const CloudstateSettings& settings = input.settings;
  std::vector<Figure> figures = {
      {"ready", static_cast<double>(input.measurement.ready)},
      {"user function concurrency", load.user_function},
      {"user function target", settings.user_function_target_concurrency},
      {"wanted by user function", static_cast<double>(load.want_user_function)},
      {"request concurrency", load.requests},
      {"journal concurrency", load.journal},
      {"request target", settings.request_target_concurrency},
      {"wanted by requests", static_cast<double>(load.want_requests)},
      {"request rate", load.rate},
  };
  if (phase_ == Phase::kScalingUp) figures.push_back({"last stable request rate", last_stable_rate_});
  return figures;
}

}  // namespace cloudstate::scaling
