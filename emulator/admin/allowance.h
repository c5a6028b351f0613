#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace cloudstate::admin {

// So many a second, spread over it: in each tenth of it one tenth more, with what was left over before. For one thread.
class Allowance {
 public:
  // 0: no limit.
  explicit Allowance(int most_per_second) : most_(most_per_second) {}

  // Whether one more at this time is within it; then it counts.
  bool Take(absl::Time now) {
    if (most_ == 0) return true;
    const std::int64_t tenth = absl::ToInt64Nanoseconds(now - absl::UnixEpoch()) / 100'000'000;
    if (tenth / 10 != second_) {
      second_ = tenth / 10;
      taken_ = 0;
    }
    const std::int64_t until_now = (most_ * (tenth % 10 + 1) + 9) / 10;
    if (taken_ >= until_now) return false;
    ++taken_;
    return true;
  }

 private:
  const std::int64_t most_;
  std::int64_t second_ = -1;
  std::int64_t taken_ = 0;  // in this second
};

}  // namespace cloudstate::admin
