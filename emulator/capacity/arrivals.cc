#include "emulator/capacity/arrivals.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "emulator/base/chance.h"

namespace cloudstate::capacity {

Arrivals::Arrivals(const Load& load, Spacing spacing, std::uint64_t seed)
    : load_(load), spacing_(spacing), random_(seed) {}

bool Arrivals::Next(Nanoseconds& at) { return load_.recorded.empty() ? NextOfStretches(at) : NextRecorded(at); }

// The calls that are expected until then grow by one from one call to the next, or by a number that is drawn
// exponentially; Cinlar's inversion of the process' mean (1975).
bool Arrivals::NextOfStretches(Nanoseconds& at) {
  double gap = spacing_ == Spacing::kPoisson ? -std::log(1 - base::Uniform(random_)) : any_ ? 1 : 0.5;
  any_ = true;
  for (; place_ < load_.stretches.size(); ++place_, passed_ = 0) {
    const Stretch& stretch = load_.stretches[place_];
    const double left = stretch.Calls() * load_.times - passed_;
    if (gap >= left) {
      gap -= left;
      begin_ += stretch.length;
      continue;
    }
    passed_ += gap;
    // passed = from · t + slope / 2 · t², solved for t so that no slope is divided by.
    const double from = stretch.from * load_.times;
    const double slope = (stretch.to - stretch.from) * load_.times * kSecond / static_cast<double>(stretch.length);
    const double seconds = 2 * passed_ / (from + std::sqrt(std::max(0.0, from * from + 2 * slope * passed_)));
    at = begin_ + std::min(stretch.length, static_cast<Nanoseconds>(seconds * kSecond));
    return true;
  }
  return false;
}

// What there is more than one of comes in the time until the next recorded call.
bool Arrivals::NextRecorded(Nanoseconds& at) {
  while (copies_.empty()) {
    if (place_ == load_.recorded.size()) return false;
    const Nanoseconds first = load_.recorded[place_++];
    const Nanoseconds next = place_ < load_.recorded.size() ? load_.recorded[place_] : first;
    due_ += load_.times;
    for (Nanoseconds copy = first; due_ >= 1; --due_) {
      copies_.push_back(copy);
      copy = first + static_cast<Nanoseconds>(base::Uniform(random_) * static_cast<double>(next - first));
    }
    std::sort(copies_.begin(), copies_.end(), std::greater<>());
  }
  at = copies_.back();
  copies_.pop_back();
  return true;
}

}  // namespace cloudstate::capacity
