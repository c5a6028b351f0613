#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "emulator/base/random.h"

namespace cloudstate::cluster {

// How long a message takes. Never negative.
struct Latency {
  enum class Kind { kConstant, kUniform, kNormal, kExponential };
  Kind kind = Kind::kConstant;
  absl::Duration low;   // the constant; the least of uniform; the mean of normal; what exponential adds to
  absl::Duration high;  // the most of uniform; the deviation of normal; the mean of exponential

  bool operator==(const Latency&) const = default;

  // In whole nanoseconds. A constant takes nothing from `random`.
  absl::Duration Draw(base::Random& random) const;

  // "5ms", "uniform(1ms, 20ms)", "normal(10ms, 3ms)", "exponential(1ms, 10ms)". Parse takes "exponential(10ms)" as
  // well, which adds to nothing.
  std::string ToString() const;
  // INVALID_ARGUMENT with what was expected and an example.
  static absl::StatusOr<Latency> Parse(absl::string_view text);
};

}  // namespace cloudstate::cluster
