#include "emulator/capacity/replica.h"

#include <utility>

namespace cloudstate::capacity {

scaling::Usage PlayedMeter::Take(Nanoseconds now, Nanoseconds length) {
  Advance(now);
  scaling::Usage usage;
  const Nanoseconds integral = integral_ - std::exchange(taken_, integral_);
  if (length > 0) usage.concurrency = static_cast<double>(integral) / static_cast<double>(length);
  usage.time = absl::Nanoseconds(std::exchange(time_, 0));
  usage.count = std::exchange(ended_, 0);
  return usage;
}

scaling::NodeReport PlayedReplica::TakeReport(std::uint32_t node, Nanoseconds now) {
  scaling::NodeReport report;
  report.node = node;
  report.end = ToTime(now);
  const Nanoseconds length = now - std::exchange(taken, now);
  report.length = absl::Nanoseconds(length);
  report.requests = requests.Take(now, length);
  report.user_function = user_function.Take(now, length);
  report.journal = journal.Take(now, length);
  return report;
}

}  // namespace cloudstate::capacity
