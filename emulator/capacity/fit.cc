#include "emulator/capacity/fit.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <map>
#include <queue>

#include "absl/status/status.h"
#include "emulator/base/chance.h"

namespace cloudstate::capacity {
namespace {

constexpr std::size_t kMostCalls = 200'000;   // enough for three digits
constexpr std::size_t kPlayedCalls = 50'000;  // by all plays of a candidate together, at least
constexpr double kAsGood = 0.01;
constexpr int kCandidates[] = {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 32, 48, 64, 96, 128};

// A call in the hands of a user function.
struct Visit {
  Nanoseconds arrival = 0;
  Nanoseconds departure = 0;
  const RecordedCall* call = nullptr;
};
using Visits = std::vector<Visit>;  // of one node, by arrival

using Earliest = std::priority_queue<Nanoseconds, std::vector<Nanoseconds>, std::greater<>>;

// When each of some workers is free, if calls are taken on in the order in which they come.
class FreeTimes {
 public:
  explicit FreeTimes(int workers) : endless_(workers == 0) {
    for (int i = 0; i < workers; ++i) free_.push(0);
  }
  Nanoseconds Start(Nanoseconds arrival) const { return endless_ ? arrival : std::max(arrival, free_.top()); }
  void Serve(Nanoseconds until) {
    if (endless_) return;
    free_.pop();
    free_.push(until);
  }

 private:
  const bool endless_;
  Earliest free_;
};

// Takes down how long calls stay, in the order in which they come.
class StayMeter {
 public:
  void BeginNode() { there_ = Earliest(); }
  void Add(Nanoseconds arrival, Nanoseconds departure) {
    while (!there_.empty() && there_.top() <= arrival) there_.pop();
    const auto others = static_cast<double>(there_.size());
    const auto stay = static_cast<double>(departure - arrival);
    there_.push(departure);
    most_ = std::max(most_, there_.size());
    stays_.push_back(departure - arrival);
    sum_ += stay;
    others_ += others;
    crowded_ += others * stay;
  }

  int most() const { return static_cast<int>(most_); }
  Stay Read() {
    Stay stay;
    stay.p50 = Quantile(0.5);
    stay.p99 = Quantile(0.99);
    stay.mean = static_cast<Nanoseconds>(sum_ / static_cast<double>(stays_.size()));
    stay.crowded = others_ > 0 ? static_cast<Nanoseconds>(crowded_ / others_) : 0;
    return stay;
  }

 private:
  Nanoseconds Quantile(double share) {
    const auto place = static_cast<std::ptrdiff_t>(share * static_cast<double>(stays_.size() - 1));
    std::nth_element(stays_.begin(), stays_.begin() + place, stays_.end());
    return stays_[static_cast<std::size_t>(place)];
  }

  Earliest there_;
  std::size_t most_ = 0;
  std::vector<Nanoseconds> stays_;
  double sum_ = 0, others_ = 0, crowded_ = 0;
};

class Fitting {
 public:
  Fitting(const Recording& recording, std::uint64_t seed) : seed_(seed) {
    for (const RecordedCall& call : recording.calls) {
      if (call.user_function <= 0 || count_ == kMostCalls) continue;
      const Nanoseconds arrival = call.at + call.until_sent;
      nodes_[call.node].push_back({arrival, arrival + call.user_function, &call});
      ++count_;
    }
    StayMeter meter;
    for (auto& [node, visits] : nodes_) {
      std::stable_sort(visits.begin(), visits.end(),
                       [](const Visit& one, const Visit& other) { return one.arrival < other.arrival; });
      meter.BeginNode();
      for (const Visit& visit : visits) meter.Add(visit.arrival, visit.departure);
    }
    if (count_ == 0) return;
    measured_ = meter.Read();
    most_at_once_ = meter.most();
  }

  std::size_t count() const { return count_; }
  int most_at_once() const { return most_at_once_; }
  const Stay& measured() const { return measured_; }

  Candidate Try(int workers) const {
    Candidate candidate;
    candidate.workers = workers;
    const std::vector<CallCost> costs = Costs(workers, candidate.impossible);
    candidate.played = Play(workers, costs);
    for (Nanoseconds Stay::*figure : {&Stay::p50, &Stay::p99, &Stay::mean, &Stay::crowded}) {
      if (measured_.*figure == 0) continue;
      const double ratio = static_cast<double>(candidate.played.*figure) / static_cast<double>(measured_.*figure);
      candidate.difference = std::max(candidate.difference, std::abs(ratio - 1));
    }
    candidate.difference += candidate.impossible;
    return candidate;
  }

  // What each call cost if there were so many workers; and which share of them cannot have been served by these.
  std::vector<CallCost> Costs(int workers, double& impossible) const {
    std::vector<CallCost> costs;
    std::size_t wrong = 0;
    for (const auto& [node, visits] : nodes_) {
      FreeTimes free(workers);
      for (const Visit& visit : visits) {
        const Nanoseconds service = visit.departure - free.Start(visit.arrival);
        free.Serve(visit.departure);
        if (service < 0) ++wrong;
        const RecordedCall& call = *visit.call;
        const Nanoseconds after = std::max<Nanoseconds>(0, call.total - call.until_sent - call.user_function);
        // What a call was held is not what it costs: it follows from the replicas that there are, and from their
        // places.
        const Nanoseconds before = std::max<Nanoseconds>(0, call.until_sent - call.held);
        costs.push_back({before, std::max<Nanoseconds>(0, service), after, std::min(call.journal, after)});
      }
    }
    impossible = static_cast<double>(wrong) / static_cast<double>(count_);
    return costs;
  }

 private:
  Stay Play(int workers, const std::vector<CallCost>& costs) const {
    base::Random random(seed_);
    StayMeter meter;
    for (std::size_t played = 0; played < kPlayedCalls; played += count_) {
      for (const auto& [node, visits] : nodes_) {
        FreeTimes free(workers);
        meter.BeginNode();
        for (const Visit& visit : visits) {
          const Nanoseconds service = costs[base::Below(random, costs.size())].service;
          const Nanoseconds departure = free.Start(visit.arrival) + service;
          free.Serve(departure);
          meter.Add(visit.arrival, departure);
        }
      }
    }
    return meter.Read();
  }

  const std::uint64_t seed_;
  std::map<std::uint32_t, Visits> nodes_;
  std::size_t count_ = 0;
  int most_at_once_ = 0;
  Stay measured_;
};

}  // namespace

absl::StatusOr<Fit> FitModel(const Recording& recording, std::optional<int> workers, std::uint64_t seed) {
  if (!recording.has_times) {
    return absl::FailedPreconditionError(
        "The recording says when calls came, but not how long they took: it has no total_us, until_sent_us and "
        "user_function_us. Say that with --service and --workers, or record calls with `scale record`.");
  }
  const Fitting fitting(recording, seed);
  if (fitting.count() == 0) {
    return absl::FailedPreconditionError(
        "In the recording no call reached the user function, so there is nothing to be learnt of it. Record calls that "
        "do, or describe it with --service and --workers.");
  }
  Fit fit;
  if (workers.has_value()) {
    fit.candidates.push_back(fitting.Try(*workers));
  } else {
    // So many workers that no call ever waited are as good as any number.
    for (int candidate : kCandidates) {
      if (candidate < fitting.most_at_once()) fit.candidates.push_back(fitting.Try(candidate));
    }
    fit.candidates.push_back(fitting.Try(0));
  }
  fit.chosen =
      *std::min_element(fit.candidates.begin(), fit.candidates.end(),
                        [](const Candidate& one, const Candidate& other) { return one.difference < other.difference; });
  // Where nobody's waiting plays as well, to a hundredth, no limit was seen.
  const Candidate& endless = fit.candidates.back();
  if (endless.workers == 0 && endless.difference < fit.chosen.difference + kAsGood) fit.chosen = endless;
  double impossible = 0;
  fit.model.workers = fit.chosen.workers;
  fit.model.costs = fitting.Costs(fit.chosen.workers, impossible);
  fit.measured = fitting.measured();
  fit.calls = static_cast<std::int64_t>(fitting.count());
  fit.most_at_once = fitting.most_at_once();
  return fit;
}

}  // namespace cloudstate::capacity
