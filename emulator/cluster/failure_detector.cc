#include "emulator/cluster/failure_detector.h"

#include <algorithm>
#include <cmath>

namespace cloudstate::cluster {
namespace {

// A hundred squares of it fit into 64 bits.
constexpr absl::Duration kLongestPause = absl::Minutes(5);

// -log10 of the probability that a value of the normal distribution is more than `deviations` above the mean. After
// Bowling, Khasawneh, Kaewkuekool and Cho: A logistic approximation to the cumulative normal distribution (JIEM 2009),
// kept in logarithms so that it stays finite however late it gets.
double MinusLog10OfTail(double deviations) {
  const double exponent = deviations * (1.5976 + 0.070566 * deviations * deviations);
  const double natural = exponent > 0 ? exponent + std::log1p(std::exp(-exponent)) : std::log1p(std::exp(exponent));
  return natural / std::log(10.0);
}

}  // namespace

void FailureDetector::OnHeartbeat(absl::Time now) {
  if (!heard()) {
    // Two made-up pauses around the expected one stand for what is not known yet.
    Remember(options_.first_pause * 0.75);
    Remember(options_.first_pause * 1.25);
  } else if (IsAvailable(now)) {
    Remember(now - last_);
  }
  last_ = std::max(last_, now);
}

void FailureDetector::Remember(absl::Duration pause) {
  const auto micros =
      static_cast<std::uint32_t>(absl::ToInt64Microseconds(std::clamp(pause, absl::ZeroDuration(), kLongestPause)));
  if (pauses_.size() < kWindow) {
    pauses_.push_back(micros);
  } else {
    const std::uint64_t oldest = pauses_[next_];
    sum_ -= oldest;
    sum_of_squares_ -= oldest * oldest;
    pauses_[next_] = micros;
    next_ = (next_ + 1) % kWindow;
  }
  sum_ += micros;
  sum_of_squares_ += std::uint64_t{micros} * micros;
}

double FailureDetector::Phi(absl::Time now) const {
  if (!heard()) return 0;
  const auto count = static_cast<double>(pauses_.size());
  const double mean = static_cast<double>(sum_) / count;
  const double variance = static_cast<double>(sum_of_squares_) / count - mean * mean;
  const double deviation =
      std::max({std::sqrt(std::max(variance, 0.0)), absl::ToDoubleMicroseconds(options_.min_deviation), 1.0});
  const double usual = mean + absl::ToDoubleMicroseconds(options_.acceptable_pause);
  return MinusLog10OfTail((absl::ToDoubleMicroseconds(now - last_) - usual) / deviation);
}

}  // namespace cloudstate::cluster
