#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace cloudstate::trace {

// How long things took: counts in buckets, of which each doubling has 2 to the power of `kKeptBits`, so that quantiles
// are within half of that part of the truth. To add one costs an increment. For one thread.
template <unsigned kKeptBits>
class BasicLatencyHistogram {
 public:
  // Negative times count as none.
  void Add(absl::Duration time) {
    const absl::Duration counted = std::max(time, absl::ZeroDuration());
    ++buckets_[BucketOf(static_cast<std::uint64_t>(absl::ToInt64Nanoseconds(counted)))];
    ++count_;
    longest_ = std::max(longest_, counted);
  }

  std::int64_t count() const { return count_; }
  // Exact; none without any.
  absl::Duration longest() const { return longest_; }

  // So long or shorter was the share `quantile`, 0 to 1, of all. None without any.
  absl::Duration Quantile(double quantile) const {
    const auto wanted = std::max<std::int64_t>(1, std::llround(std::ceil(quantile * static_cast<double>(count_))));
    std::int64_t seen = 0;
    for (std::size_t bucket = 0; bucket < kBuckets && count_ > 0; ++bucket) {
      seen += buckets_[bucket];
      if (seen >= wanted) return std::min(longest_, absl::Nanoseconds(MiddleOf(bucket)));
    }
    return longest_;
  }

  void Add(const BasicLatencyHistogram& other) {
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) buckets_[bucket] += other.buckets_[bucket];
    count_ += other.count_;
    longest_ = std::max(longest_, other.longest_);
  }
  void Clear() { *this = BasicLatencyHistogram(); }

 private:
  // The shortest times have a bucket each. Above, a bucket is known by the highest bit and those kept that follow it.
  static constexpr std::size_t kBuckets = std::size_t{64 - kKeptBits} << kKeptBits;

  static std::size_t BucketOf(std::uint64_t nanoseconds) {
    if (nanoseconds < (1U << kKeptBits)) return nanoseconds;
    const unsigned shift = static_cast<unsigned>(std::bit_width(nanoseconds)) - 1 - kKeptBits;
    return (std::size_t{shift} << kKeptBits) + (nanoseconds >> shift);
  }
  static std::int64_t MiddleOf(std::size_t bucket) {
    if (bucket < (2U << kKeptBits)) return static_cast<std::int64_t>(bucket);
    const std::size_t shift = (bucket >> kKeptBits) - 1;
    const std::uint64_t lowest = (bucket - (shift << kKeptBits)) << shift;
    return static_cast<std::int64_t>(lowest + (std::uint64_t{1} << shift) / 2);
  }

  std::array<std::uint32_t, kBuckets> buckets_ = {};
  std::int64_t count_ = 0;
  absl::Duration longest_;
};

// Within 7 %; 2 KiB.
using LatencyHistogram = BasicLatencyHistogram<3>;
// Within 1 %; 15 KiB.
using FineLatencyHistogram = BasicLatencyHistogram<6>;

}  // namespace cloudstate::trace
