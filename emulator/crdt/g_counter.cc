#include "emulator/crdt/g_counter.h"

#include <limits>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "emulator/base/planted_bug.h"

namespace cloudstate::crdt {
namespace {

constexpr std::uint64_t kMostCounted = std::numeric_limits<std::uint64_t>::max();

std::uint64_t Bounded(absl::uint128 count) {
  return count > kMostCounted ? kMostCounted : static_cast<std::uint64_t>(count);
}

absl::uint128 Total(const GCounter::Counts& counts) {
  absl::uint128 total = 0;
  for (const auto& [dot, count] : counts.values()) total += count;
  return total;
}

}  // namespace

absl::Status GCounter::CheckIncrement(std::uint64_t by) const {
  const absl::uint128 total = Total(counts_);
  if (total + by <= kMostCounted) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat("an increment by ", by, " takes a GCounter of ", Bounded(total), " beyond ",
                                            kMostCounted, ", the largest number it can hold"));
}

void GCounter::Increment(std::uint64_t by, Writer& writer, GCounter& delta) {
  const auto* own = counts_.Of(writer.self());
  const absl::uint128 count = absl::uint128(own == nullptr ? 0 : own->second) + by;
  counts_.Write(Bounded(count), writer, delta.counts_, [&](const Dot& dot) {
    return dot.replica == writer.self() && !base::IsPlanted(base::PlantedBug::kCountKept);
  });
}

std::uint64_t GCounter::value() const { return Bounded(Total(counts_)); }

void GCounter::Prune(ReplicaId gone, Writer& writer, GCounter& delta) {
  absl::uint128 count = 0;
  bool found = false;
  const auto concerned = [&](const Dot& dot) { return dot.replica == gone || dot.replica == writer.self(); };
  const auto replaced = [&](const Dot& dot) {
    return concerned(dot) && !(dot.replica == gone && base::IsPlanted(base::PlantedBug::kPrunedCountedTwice));
  };
  for (const auto& [dot, counted] : counts_.values()) {
    if (concerned(dot)) count += counted;
    found = found || dot.replica == gone;
  }
  if (found) counts_.Write(Bounded(count), writer, delta.counts_, replaced);
}

}  // namespace cloudstate::crdt
