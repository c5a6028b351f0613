#include "tests/bench/load.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"

namespace cloudstate::bench {
namespace {

// What one lane does. Touched by one call's end after the other, so that it needs no lock.
struct Lane {
  std::size_t index = 0;
  std::size_t next_entity = 0;
  absl::Time began;
  std::vector<absl::Duration> latencies;
};

class ClosedLoop {
 public:
  // Ends at `end`, or when every entity has been called once if there is none.
  ClosedLoop(Calls& calls, std::size_t lanes, std::size_t entities, std::optional<absl::Time> end)
      : calls_(calls), entities_(entities), end_(end), lanes_(lanes), running_(lanes) {
    for (std::size_t i = 0; i < lanes; ++i) lanes_[i].index = lanes_[i].next_entity = i;
  }

  Figures Run() {
    const absl::Time began = absl::Now();
    for (Lane& lane : lanes_) Next(lane);
    const auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return running_ == 0; };
    absl::MutexLock lock(&mutex_, absl::Condition(&ended));
    Figures figures;
    figures.took = absl::Now() - began;
    for (Lane& lane : lanes_) std::ranges::move(lane.latencies, std::back_inserter(figures.latencies));
    figures.calls = figures.latencies.size();
    figures.failure = failure_;
    return figures;
  }

 private:
  void Next(Lane& lane) {
    lane.began = absl::Now();
    if (end_.has_value() ? lane.began >= *end_ : lane.next_entity >= entities_) return End(absl::OkStatus());
    const std::size_t entity = lane.next_entity;
    lane.next_entity += lanes_.size();
    if (end_.has_value() && lane.next_entity >= entities_) lane.next_entity = lane.index;
    calls_.Make(lane.index, entity, [this, &lane](const absl::Status& status) {
      if (!status.ok()) return End(status);
      lane.latencies.push_back(absl::Now() - lane.began);
      Next(lane);
    });
  }

  void End(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    failure_.Update(status);
    --running_;
  }

  Calls& calls_;
  const std::size_t entities_;
  const std::optional<absl::Time> end_;
  std::vector<Lane> lanes_;
  absl::Mutex mutex_;
  std::size_t running_;
  absl::Status failure_;
};

// Calls at times that are planned, each in a lane that is free.
class OpenLoop {
 public:
  OpenLoop(Calls& calls, std::size_t lanes, std::size_t entities) : calls_(calls), lanes_(lanes), entities_(entities) {
    for (std::size_t i = 0; i < lanes; ++i) free_.push_back(i);
  }

  Figures Run(const std::vector<absl::Duration>& times) {
    const absl::Time began = absl::Now();
    for (std::size_t i = 0; i < times.size() && Begin(i, began + times[i]); ++i) {
    }
    const auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return free_.size() == lanes_; };
    absl::MutexLock lock(&mutex_, absl::Condition(&ended));
    figures_.took = absl::Now() - began;
    figures_.calls = figures_.latencies.size();
    return std::move(figures_);
  }

 private:
  // False once a call has failed.
  bool Begin(std::size_t call, absl::Time due) {
    absl::SleepFor(due - absl::Now());
    std::size_t lane = 0;
    {
      const auto has_room = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !free_.empty(); };
      absl::MutexLock lock(&mutex_, absl::Condition(&has_room));
      if (!figures_.failure.ok()) return false;
      lane = free_.back();
      free_.pop_back();
    }
    calls_.Make(lane, call % entities_, [this, lane, due](const absl::Status& status) {
      absl::MutexLock lock(&mutex_);
      figures_.failure.Update(status);
      if (status.ok()) figures_.latencies.push_back(absl::Now() - due);
      free_.push_back(lane);
    });
    return true;
  }

  Calls& calls_;
  const std::size_t lanes_;
  const std::size_t entities_;
  absl::Mutex mutex_;
  std::vector<std::size_t> free_ ABSL_GUARDED_BY(mutex_);
  Figures figures_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

Figures Measure(Calls& calls, std::size_t lanes, std::size_t entities, absl::Duration time) {
  return ClosedLoop(calls, lanes, entities, absl::Now() + time).Run();
}

Figures MeasureAtRate(Calls& calls, std::size_t lanes, std::size_t entities, absl::Duration time, double per_second) {
  std::vector<absl::Duration> times(static_cast<std::size_t>(absl::ToDoubleSeconds(time) * per_second));
  for (std::size_t i = 0; i < times.size(); ++i) times[i] = absl::Seconds(static_cast<double>(i) / per_second);
  return MeasureAtTimes(calls, lanes, entities, times);
}

Figures MeasureAtTimes(Calls& calls, std::size_t lanes, std::size_t entities,
                       const std::vector<absl::Duration>& times) {
  return OpenLoop(calls, lanes, entities).Run(times);
}

absl::Status CallEachOnce(Calls& calls, std::size_t lanes, std::size_t entities) {
  return ClosedLoop(calls, lanes, entities, std::nullopt).Run().failure;
}

absl::Duration Percentile(std::vector<absl::Duration> latencies, double share) {
  if (latencies.empty()) return absl::ZeroDuration();
  const auto place = static_cast<std::ptrdiff_t>(share * static_cast<double>(latencies.size() - 1));
  std::ranges::nth_element(latencies, latencies.begin() + place);
  return latencies[static_cast<std::size_t>(place)];
}

double Median(std::vector<double> figures) {
  const auto middle = static_cast<std::ptrdiff_t>(figures.size() / 2);
  std::ranges::nth_element(figures, figures.begin() + middle);
  return figures[static_cast<std::size_t>(middle)];
}

}  // namespace cloudstate::bench
