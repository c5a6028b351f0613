#include "emulator/capacity/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "emulator/capacity/svg.h"

namespace cloudstate::capacity {
namespace {

constexpr double kWidth = 960;
constexpr double kLeft = 64;
constexpr double kRight = 936;
constexpr double kFirstPanel = 104;
constexpr double kPanelHeight = 112;
constexpr double kPanelDistance = 160;
constexpr int kPanels = 4;
constexpr double kHeight = kFirstPanel + kPanelDistance * kPanels;
constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

struct Panel {
  double top;
  double bottom;
};
Panel PanelAt(int index) {
  const double top = kFirstPanel + kPanelDistance * index;
  return {top, top + kPanelHeight};
}

// In the middle of each interval.
template <typename Value>
Points Over(const std::vector<Interval>& timeline, Value value) {
  Points points;
  for (const Interval& interval : timeline) {
    points.emplace_back(static_cast<double>(interval.begin) + static_cast<double>(interval.length) / 2,
                        value(interval));
  }
  return points;
}

double Most(const Points& points) {
  double most = 0;
  for (const auto& [at, value] : points) {
    if (std::isfinite(value)) most = std::max(most, value);
  }
  return most;
}

class PlayedDrawing {
 public:
  PlayedDrawing(const Played& played, const scaling::Settings& settings)
      : played_(played), settings_(settings), x_(Axis::Times(static_cast<double>(played.length), kLeft, kRight)) {}

  std::string Draw(const std::string& title) {
    const std::string summary = Summary();
    drawing_.Text(kLeft, 32, title, "title");
    drawing_.Text(kLeft, 54, summary, "note");
    for (int i = 0; i < kPanels; ++i) {
      ShadePanic(PanelAt(i));
      drawing_.Along(x_, PanelAt(i).bottom, PanelAt(i).top);
    }
    DrawLoad(PanelAt(0));
    DrawReplicas(PanelAt(1));
    DrawConcurrency(PanelAt(2));
    DrawLatency(PanelAt(3));
    return drawing_.ToSvg(title, summary);
  }

 private:
  std::string Summary() const {
    const auto quantile = [&](double share) {
      return played_.answered == 0 ? "-" : TimeLabel(absl::ToInt64Nanoseconds(played_.latencies.Quantile(share)));
    };
    std::string text = absl::StrFormat(
        "%s calls in %s: p50 %s, p99 %s; %s replica-seconds, %.3g replicas on average, %d at most",
        NumberLabel(static_cast<double>(played_.calls)), TimeLabel(played_.length), quantile(0.5), quantile(0.99),
        NumberLabel(played_.replica_seconds), played_.average_replicas, played_.most_replicas);
    if (played_.refused > 0) absl::StrAppend(&text, "; ", played_.refused, " refused");
    if (played_.unanswered > 0) absl::StrAppend(&text, "; ", played_.unanswered, " not answered");
    return text;
  }

  void ShadePanic(const Panel& panel) {
    for (std::size_t i = 0; i < played_.supply.size(); ++i) {
      if (!played_.supply[i].panic) continue;
      std::size_t end = i;
      while (end < played_.supply.size() && played_.supply[end].panic) ++end;
      const double begin = x_.At(static_cast<double>(played_.supply[i].at));
      const double until = end < played_.supply.size() ? x_.At(static_cast<double>(played_.supply[end].at)) : x_.end();
      drawing_.Box(begin, panel.top, until - begin, panel.bottom - panel.top, "panic");
      panics_ = true;
      i = end;
    }
  }

  void Legend(const Panel& panel, std::vector<std::pair<std::string, std::string>> entries) {
    if (panics_) entries.emplace_back("panic", "panic");
    DrawLegend(drawing_, kRight, panel.top - 10, entries);
  }

  void DrawLoad(const Panel& panel) {
    const Points load = Over(played_.timeline, [](const Interval& interval) {
      return static_cast<double>(interval.arrived) / InSeconds(interval.length);
    });
    const Points refused = Over(played_.timeline, [](const Interval& interval) {
      return static_cast<double>(interval.refused) / InSeconds(interval.length);
    });
    const Axis y = Axis::Numbers(Most(load), panel.bottom, panel.top);
    drawing_.Across(x_, y, "Calls per second");
    drawing_.Area(x_, y, load, "load area");
    drawing_.Curve(x_, y, load, "load line");
    if (Most(refused) > 0) drawing_.Area(x_, y, refused, "refused area");
    std::vector<std::pair<std::string, std::string>> legend = {{"load line", "came"}};
    if (Most(refused) > 0) legend.emplace_back("refused area", "refused");
    Legend(panel, legend);
  }

  void DrawReplicas(const Panel& panel) {
    Points ready, wanted, all;
    double most = 1;
    for (const Supply& supply : played_.supply) {
      const auto at = static_cast<double>(supply.at);
      ready.emplace_back(at, supply.ready);
      wanted.emplace_back(at, supply.wanted);
      most = std::max({most, static_cast<double>(supply.ready), static_cast<double>(supply.wanted)});
    }
    const Axis y = Axis::Numbers(most, panel.bottom, panel.top);
    drawing_.Across(x_, y, "Replicas");
    for (std::size_t i = 0; i < ready.size(); ++i) {
      const double from = x_.At(ready[i].first);
      const double until = i + 1 < ready.size() ? x_.At(ready[i + 1].first) : x_.end();
      if (ready[i].second > 0) {
        drawing_.Box(from, y.At(ready[i].second), until - from, panel.bottom - y.At(ready[i].second), "ready area");
      }
    }
    drawing_.Stairs(x_, y, ready, "ready line");
    drawing_.Stairs(x_, y, wanted, "wanted dashed");
    Legend(panel, {{"ready line", "ready"}, {"wanted dashed", "wanted"}});
  }

  void DrawConcurrency(const Panel& panel) {
    const ReplicaTarget target = TargetOf(settings_);
    const Points load =
        Over(played_.timeline, [&](const Interval& interval) { return LoadOfReplica(interval, settings_); });
    const Axis y = Axis::Numbers(std::max(Most(load), target.value * 1.1), panel.bottom, panel.top);
    drawing_.Across(x_, y, absl::StrCat("Of each replica: ", target.name));
    drawing_.Curve(x_, y, load, "concurrency line");
    std::vector<std::pair<std::string, std::string>> legend = {{"concurrency line", "there are"}};
    if (target.value > 0) {
      drawing_.Line(x_.begin(), y.At(target.value), x_.end(), y.At(target.value), "target dashed");
      legend.emplace_back("target dashed", absl::StrCat("target ", NumberLabel(target.value)));
    }
    Legend(panel, legend);
  }

  void DrawLatency(const Panel& panel) {
    const auto quantiles = [&](double share) {
      return Over(played_.timeline, [&](const Interval& interval) {
        if (interval.latencies.count() == 0) return kNothing;
        return std::max(1e3, static_cast<double>(absl::ToInt64Nanoseconds(interval.latencies.Quantile(share))));
      });
    };
    const Points typical = quantiles(0.5);
    const Points slow = quantiles(0.99);
    double least = std::numeric_limits<double>::infinity();
    for (const auto& [at, value] : typical) least = std::isfinite(value) ? std::min(least, value) : least;
    const bool any = std::isfinite(least);
    const Axis y = Axis::Latencies(any ? least : 1e6, any ? Most(slow) : 1e7, panel.bottom, panel.top);
    drawing_.Across(x_, y, "Time until a call is answered (logarithmic)");
    drawing_.Curve(x_, y, typical, "typical line");
    drawing_.Curve(x_, y, slow, "slow line");
    Legend(panel, {{"typical line", "p50"}, {"slow line", "p99"}});
  }

  const Played& played_;
  const scaling::Settings& settings_;
  const Axis x_;
  Drawing drawing_{kWidth, kHeight};
  bool panics_ = false;
};

std::string Tooltip(const std::vector<Variation>& variations, const Trial& trial) {
  std::string text;
  for (std::size_t i = 0; i < variations.size(); ++i) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", variations[i].name, " ", trial.values[i]);
  }
  return absl::StrCat(text, ": p99 ", TimeLabel(absl::ToInt64Nanoseconds(trial.p99)), ", ",
                      NumberLabel(trial.replica_seconds), " replica-seconds");
}

double Latency(const Trial& trial) { return std::max(1e3, static_cast<double>(absl::ToInt64Nanoseconds(trial.p99))); }

}  // namespace

std::string PlayedChart(const Played& played, const scaling::Settings& settings, const std::string& title) {
  return PlayedDrawing(played, settings).Draw(title);
}

std::string TuningChart(const std::vector<Variation>& variations, const std::vector<Trial>& trials,
                        const Recommendation& recommendation, const std::string& title) {
  constexpr double kTop = 116, kBottom = 500;
  double least = 1e18, most = 1e3, dearest = 1;
  for (const Trial& trial : trials) {
    least = std::min(least, Latency(trial));
    most = std::max(most, Latency(trial));
    dearest = std::max(dearest, trial.replica_seconds);
  }
  const Axis x = Axis::Numbers(dearest, kLeft, kRight);
  const Axis y = Axis::Latencies(std::min(least, most), most, kBottom, kTop);
  Drawing drawing(kWidth, kBottom + 60);
  drawing.Text(kLeft, 32, title, "title");
  drawing.Along(x, kBottom, kTop);
  drawing.Across(x, y, "p99 (logarithmic)");
  drawing.Text(kRight, kBottom + 40, "replica-seconds", "panel end");
  Points front;
  for (const Trial& trial : trials) {
    if (trial.best) front.emplace_back(trial.replica_seconds, Latency(trial));
  }
  std::sort(front.begin(), front.end());
  drawing.Curve(x, y, front, "front line");
  for (const Trial& trial : trials) {
    drawing.Dot(x.At(trial.replica_seconds), y.At(Latency(trial)), trial.best ? 6 : 4,
                trial.best ? "load dot best" : "load dot", Tooltip(variations, trial));
  }
  std::string description = "What each combination of settings costs, and how fast it is.";
  std::string reason;
  if (recommendation.trial.has_value()) {
    const Trial& chosen = trials[*recommendation.trial];
    drawing.Dot(x.At(chosen.replica_seconds), y.At(Latency(chosen)), 10, "chosen", Tooltip(variations, chosen));
    description = absl::StrCat("Recommended (ring): ", Tooltip(variations, chosen));
    reason = recommendation.reason;
  }
  drawing.Text(kLeft, 54, description, "note");
  drawing.Text(kLeft, 72, reason, "note");
  return drawing.ToSvg(title, absl::StrCat(description, ": ", reason));
}

ReplicaTarget TargetOf(const scaling::Settings& settings) {
  const scaling::KnativeSettings& knative = settings.knative;
  switch (settings.mode) {
    case scaling::Mode::kKnative: {
      const bool rps = knative.metric == scaling::KnativeSettings::Metric::kRps;
      return {knative.Target() * knative.target_utilization_percent / 100, rps ? "calls per second" : "calls"};
    }
    case scaling::Mode::kCloudstate:
      return {settings.cloudstate.user_function_target_concurrency, "commands in the user function"};
    case scaling::Mode::kManual:
    case scaling::Mode::kOff:
      break;
  }
  return {-1, "calls"};
}

double LoadOfReplica(const Interval& interval, const scaling::Settings& settings) {
  if (interval.ready < 0.5) return kNothing;
  if (settings.mode == scaling::Mode::kCloudstate) return interval.user_function / interval.ready;
  if (settings.mode == scaling::Mode::kKnative && settings.knative.metric == scaling::KnativeSettings::Metric::kRps) {
    return static_cast<double>(interval.latencies.count()) / InSeconds(interval.length) / interval.ready;
  }
  return interval.requests / interval.ready;
}

}  // namespace cloudstate::capacity
