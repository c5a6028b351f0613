#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"

namespace cloudstate::cluster {

// Tells from the pauses between a node's heartbeats how suspicious its present silence is: the phi accrual failure
// detector (Hayashibara, Défago, Yared, Katayama: The φ Accrual Failure Detector, SRDS 2004). With phi = 8 one
// suspicion in 10^8 is wrong, if pauses are distributed normally. Pure.
class FailureDetector {
 public:
  struct Options {
    double threshold = 8;
    // Heartbeats that come very regularly must not make a small delay suspicious.
    absl::Duration min_deviation = absl::Milliseconds(100);
    // A pause that is always forgiven, on top of the usual one: garbage collection and the like.
    absl::Duration acceptable_pause = absl::Milliseconds(1500);
    // The pause to expect before any has been seen.
    absl::Duration first_pause = absl::Milliseconds(500);
  };

  explicit FailureDetector(const Options& options) : options_(options) {}

  // A silence that had become suspicious is not remembered: it was no usual pause.
  void OnHeartbeat(absl::Time now);
  bool heard() const { return last_ != absl::InfinitePast(); }
  absl::Time last_heartbeat() const { return last_; }
  // 0 before the first heartbeat, which nobody can be late with.
  double Phi(absl::Time now) const;
  bool IsAvailable(absl::Time now) const { return Phi(now) < options_.threshold; }

 private:
  // The last pauses, in a ring, in microseconds, with their sums, which as integers stay exact.
  static constexpr std::size_t kWindow = 100;

  void Remember(absl::Duration pause);

  Options options_;
  absl::Time last_ = absl::InfinitePast();
  std::vector<std::uint32_t> pauses_;
  std::size_t next_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t sum_of_squares_ = 0;
};

}  // namespace cloudstate::cluster
