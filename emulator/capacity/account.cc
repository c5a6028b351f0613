#include "emulator/capacity/account.h"

#include <algorithm>

#include "emulator/capacity/event_heap.h"

namespace cloudstate::capacity {

Account::Account(Nanoseconds length, Nanoseconds interval)
    : interval_length_(interval), interval_end_(std::min(interval, length)) {
  played_.length = length;
}

void Account::Arrived() {
  ++played_.calls;
  ++interval_.arrived;
}

void Account::Refused() {
  ++played_.refused;
  ++interval_.refused;
}

void Account::Answered(Nanoseconds latency) {
  ++played_.answered;
  latency_sum_ += static_cast<double>(latency);
  (LoadIsOver() ? played_.latencies : interval_.latencies).Add(absl::Nanoseconds(latency));
}

void Account::Ready(Nanoseconds now, std::size_t count) {
  CountReady(now);
  ready_ = count;
  if (now <= played_.length) played_.most_replicas = std::max(played_.most_replicas, static_cast<int>(count));
}

void Account::ColdStart(Nanoseconds now) {
  if (now <= played_.length) ++played_.cold_starts;
}

void Account::Decided(Choice choice) {
  if (choice.at <= played_.length) played_.choices.push_back(std::move(choice));
}

void Account::CountReady(Nanoseconds now) {
  const Nanoseconds until = Clip(now);
  ready_time_ += static_cast<double>(until - ready_counted_) * static_cast<double>(ready_);
  ready_counted_ = until;
}

// After the load nothing costs anything.
Nanoseconds Account::Clip(Nanoseconds now) const { return std::min(now, played_.length); }

void Account::Lived(Nanoseconds begin, Nanoseconds end) {
  replica_time_ += static_cast<double>(Clip(end) - Clip(begin));
}

void Account::Note(const Supply& supply) {
  if (supply.at > played_.length) return;
  if (!played_.supply.empty()) {
    Supply& last = played_.supply.back();
    Supply same = supply;
    same.at = last.at;
    if (last == same) return;
    if (last.at == supply.at) {
      last = supply;
      return;
    }
  }
  played_.supply.push_back(supply);
}

bool Account::LoadIsOver() const { return interval_end_ == kNever; }

void Account::EndInterval(Nanoseconds now, const Integrals& integrals, int wanted) {
  CountReady(now);
  interval_.length = now - interval_.begin;
  const auto length = static_cast<double>(std::max<Nanoseconds>(1, interval_.length));
  interval_.wanted = wanted;
  interval_.ready = (ready_time_ - std::exchange(ready_before_, ready_time_)) / length;
  interval_.requests = (integrals.requests - before_.requests) / length;
  interval_.user_function = (integrals.user_function - before_.user_function) / length;
  interval_.held = (integrals.held - before_.held) / length;
  before_ = integrals;
  played_.latencies.Add(interval_.latencies);
  if (interval_.length > 0) played_.timeline.push_back(interval_);
  interval_ = Interval();
  interval_.begin = now;
  interval_end_ = now < played_.length ? Clip(now + interval_length_) : kNever;
}

Played Account::Finish() {
  played_.unanswered += UnderWay();
  if (played_.answered > 0) {
    played_.mean_latency = absl::Seconds(latency_sum_ / kSecond / static_cast<double>(played_.answered));
  }
  played_.replica_seconds = replica_time_ / kSecond;
  if (played_.length > 0) played_.average_replicas = ready_time_ / static_cast<double>(played_.length);
  return std::move(played_);
}

void Interval::Append(const Interval& next) {
  const auto one = static_cast<double>(length);
  const auto other = static_cast<double>(next.length);
  const auto mean = [&](double a, double b) { return (a * one + b * other) / (one + other); };
  ready = mean(ready, next.ready);
  requests = mean(requests, next.requests);
  user_function = mean(user_function, next.user_function);
  held = mean(held, next.held);
  length += next.length;
  arrived += next.arrived;
  refused += next.refused;
  wanted = next.wanted;
  latencies.Add(next.latencies);
}

}  // namespace cloudstate::capacity
