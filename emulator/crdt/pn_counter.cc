#include "emulator/crdt/pn_counter.h"

#include <algorithm>
#include <limits>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "emulator/base/planted_bug.h"

namespace cloudstate::crdt {
namespace {

constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();

absl::int128 Difference(const PNCounter::Counts& counts) {
  absl::int128 total = 0;
  for (const auto& [dot, count] : counts.values()) total += absl::int128(count.up) - absl::int128(count.down);
  return total;
}

std::uint64_t Sum(std::uint64_t a, std::uint64_t b) {
  return b > std::numeric_limits<std::uint64_t>::max() - a ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

PNCounter::Count Moved(PNCounter::Count count, std::int64_t by) {
  const std::uint64_t size = by < 0 ? 0 - static_cast<std::uint64_t>(by) : static_cast<std::uint64_t>(by);
  std::uint64_t& side = by < 0 ? count.down : count.up;
  side = Sum(side, size);
  return count;
}

}  // namespace

absl::Status PNCounter::CheckChange(std::int64_t by, ReplicaId self) const {
  const absl::int128 total = Difference(counts_);
  const absl::int128 after = total + by;
  const auto* own = counts_.Of(self);
  const Count moved = Moved(own == nullptr ? Count() : own->second, by);
  const bool counted_out = std::max(moved.up, moved.down) == std::numeric_limits<std::uint64_t>::max();
  if (after <= kHighest && after >= kLowest && !counted_out) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat("a change by ", by, " takes a PNCounter of ", value(), " beyond ",
                                            by < 0 ? kLowest : kHighest, ", the last number it can hold"));
}

void PNCounter::Change(std::int64_t by, Writer& writer, PNCounter& delta) {
  const auto* own = counts_.Of(writer.self());
  counts_.Write(Moved(own == nullptr ? Count() : own->second, by), writer, delta.counts_, [&](const Dot& dot) {
    return dot.replica == writer.self() || base::IsPlanted(base::PlantedBug::kOthersCountsReplaced);
  });
}

std::int64_t PNCounter::value() const {
  const absl::int128 total = Difference(counts_);
  if (total > kHighest) return kHighest;
  return total < kLowest ? kLowest : static_cast<std::int64_t>(total);
}

void PNCounter::Prune(ReplicaId gone, Writer& writer, PNCounter& delta) {
  Count sum;
  bool found = false;
  const auto concerned = [&](const Dot& dot) { return dot.replica == gone || dot.replica == writer.self(); };
  for (const auto& [dot, count] : counts_.values()) {
    if (concerned(dot)) sum = {Sum(sum.up, count.up), Sum(sum.down, count.down)};
    found = found || dot.replica == gone;
  }
  if (found) counts_.Write(sum, writer, delta.counts_, concerned);
}

}  // namespace cloudstate::crdt
