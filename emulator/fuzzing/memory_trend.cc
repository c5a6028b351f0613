#include "emulator/fuzzing/memory_trend.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace cloudstate::fuzzing {
namespace {

constexpr std::size_t kLeastRounds = 9;
constexpr double kLeastForCommand = 4;         // KiB
constexpr std::int64_t kLeastForLeak = 65536;  // KiB

std::size_t Third(const MemoryRounds& rounds) { return (rounds.kibibytes.size() - 1) / 3; }

// In the last third, for each command, in KiB.
double Growth(const MemoryRounds& rounds) {
  const std::vector<std::int64_t>& sizes = rounds.kibibytes;
  const std::size_t last = Third(rounds);
  return static_cast<double>(sizes.back() - sizes[sizes.size() - 1 - last]) /
         static_cast<double>(static_cast<std::int64_t>(last) * rounds.commands);
}

}  // namespace

Trend TrendOf(const MemoryRounds& rounds) {
  const std::vector<std::int64_t>& sizes = rounds.kibibytes;
  if (sizes.size() < kLeastRounds + 1 || rounds.commands <= 0) return Trend::kFlat;
  const std::size_t last = Third(rounds);
  std::size_t growing = 0;
  for (std::size_t i = sizes.size() - last; i < sizes.size(); ++i) growing += sizes[i] > sizes[i - 1] ? 1 : 0;
  if (growing * 4 < last * 3 || Growth(rounds) < kLeastForCommand) return Trend::kFlat;
  return sizes.back() - sizes[last] >= kLeastForLeak ? Trend::kLeaks : Trend::kGrows;
}

std::string TrendText(const MemoryRounds& rounds) {
  const std::vector<std::int64_t>& sizes = rounds.kibibytes;
  if (sizes.size() < kLeastRounds + 1) return "nothing was measured";
  const auto mebibytes = [](std::int64_t size) {
    return absl::StrFormat("%.1f MiB", static_cast<double>(size) / 1024);
  };
  return absl::StrCat("its process had ", mebibytes(sizes.front()), " at first, ", mebibytes(sizes[Third(rounds)]),
                      " after ", Third(rounds), " rounds of ", rounds.commands, " commands, and ",
                      mebibytes(sizes.back()), " after ", sizes.size() - 1, ": in the last ", Third(rounds),
                      " it grew by ", absl::StrFormat("%.1f KiB", Growth(rounds)), " for each command");
}

}  // namespace cloudstate::fuzzing
