#include "emulator/scaling/metric_window.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace cloudstate::scaling {
namespace {

constexpr double kMostReckonedWith = 1e9;
constexpr double kInexactness = 1e-9;
constexpr double kNanosecond = 1e-9;

double Sane(double value) { return std::isfinite(value) && value > 0 ? std::min(value, kMostReckonedWith) : 0; }

}  // namespace

void MetricWindow::Add(const NodeReport& report) {
  const absl::Duration length = std::max(report.length, absl::ZeroDuration());
  if (!began_.has_value()) began_ = report.end - length;
  samples_.push_back({.node = report.node,
                      .end = absl::ToUnixNanos(report.end),
                      .length = absl::ToInt64Nanoseconds(length),
                      .concurrency = {.requests = Sane(report.requests.concurrency),
                                      .user_function = Sane(report.user_function.concurrency),
                                      .journal = Sane(report.journal.concurrency)},
                      .ended = Sane(static_cast<double>(report.requests.count))});
}

void MetricWindow::Keep(absl::Time now, absl::Duration window) {
  const std::int64_t oldest = absl::ToUnixNanos(now - window);
  while (!samples_.empty() && samples_.front().end < oldest) samples_.pop_front();
}

std::size_t MetricWindow::nodes() const {
  std::set<std::uint32_t> nodes;
  for (const Sample& sample : samples_) nodes.insert(sample.node);
  return nodes.size();
}

MetricWindow::Concurrency MetricWindow::PerReplica() const {
  Concurrency sum;
  double time = 0;
  for (const Sample& sample : samples_) {
    const double length = static_cast<double>(sample.length);
    time += length;
    sum.requests += length * sample.concurrency.requests;
    sum.user_function += length * sample.concurrency.user_function;
    sum.journal += length * sample.concurrency.journal;
  }
  if (time == 0) return {};
  return {.requests = sum.requests / time, .user_function = sum.user_function / time, .journal = sum.journal / time};
}

double MetricWindow::RateOfNodes(absl::Time now, absl::Duration window) const {
  struct Node {
    double ended = 0;
    double time = 0;
  };
  const std::int64_t oldest = absl::ToUnixNanos(now - window);
  std::map<std::uint32_t, Node> nodes;
  for (auto sample = samples_.rbegin(); sample != samples_.rend() && sample->end > oldest; ++sample) {
    Node& node = nodes[sample->node];
    node.ended += sample->ended;
    node.time += static_cast<double>(sample->length) * kNanosecond;
  }
  double rate = 0;
  for (const auto& [number, node] : nodes) rate += node.time > 0 ? node.ended / node.time : 0;
  return rate;
}

double MetricWindow::TotalConcurrency(absl::Time now, absl::Duration window) const {
  return Total(Of::kConcurrency, now, window);
}

double MetricWindow::TotalRate(absl::Time now, absl::Duration window) const { return Total(Of::kRate, now, window); }

double MetricWindow::Total(Of what, absl::Time now, absl::Duration window) const {
  if (!began_.has_value()) return 0;
  const absl::Duration time = std::min(window, now - *began_);
  if (time <= absl::ZeroDuration()) return 0;
  const std::int64_t begin = absl::ToUnixNanos(now - time);
  double sum = 0;
  for (auto sample = samples_.rbegin(); sample != samples_.rend() && sample->end > begin; ++sample) {
    const std::int64_t inside = std::min(sample->length, sample->end - begin);
    if (inside <= 0 || (what == Of::kRate && sample->node == 0)) continue;
    sum += what == Of::kConcurrency ? sample->concurrency.requests * static_cast<double>(inside) * kNanosecond
                                    : sample->ended * static_cast<double>(inside) / static_cast<double>(sample->length);
  }
  return sum / absl::ToDoubleSeconds(time);
}

bool IsAbove(double value, double limit) { return value > limit + std::abs(limit) * kInexactness; }

int RoundedUp(double value) {
  const double sane = Sane(value);
  return static_cast<int>(std::ceil(sane - sane * kInexactness));
}

std::string NumberText(double value) {
  if (value != 0 && std::abs(value) < 0.01) return absl::StrFormat("%.2g", value);
  if (std::abs(value) >= 1e5) return absl::StrFormat("%.0f", value);  // has more digits than StrCat writes out
  return absl::StrCat(std::round(value * 100) / 100);
}

}  // namespace cloudstate::scaling
