#include "cmd/cloudstate-dev/cluster_values.h"

#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "emulator/cluster/latency.h"
#include "emulator/cluster/shard_table.h"

namespace cloudstate::cli {
namespace {

absl::Status Wrong(const std::string& text, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat("'", text, "' is no ", expected));
}

// Factor of the unit that `text` ends with, which is taken off.
double TakeUnit(absl::string_view& text) {
  static constexpr std::pair<absl::string_view, double> kUnits[] = {{"KiB", 1024.0},
                                                                    {"MiB", 1024.0 * 1024},
                                                                    {"GiB", 1024.0 * 1024 * 1024},
                                                                    {"kB", 1e3},
                                                                    {"KB", 1e3},
                                                                    {"MB", 1e6},
                                                                    {"GB", 1e9},
                                                                    {"B", 1}};
  for (const auto& [unit, factor] : kUnits) {
    if (absl::ConsumeSuffix(&text, unit)) return factor;
  }
  return 1;
}

}  // namespace

absl::StatusOr<std::int32_t> ParseNode(const std::string& text) {
  std::int32_t node = 0;
  if (absl::SimpleAtoi(text, &node) && node >= 1) return node;
  return Wrong(text, "node; nodes are numbered from 1");
}

absl::StatusOr<std::int32_t> ParseShard(const std::string& text) {
  constexpr auto kLast = static_cast<std::int32_t>(cluster::kShards - 1);
  std::int32_t shard = 0;
  if (absl::SimpleAtoi(text, &shard) && shard >= 0 && shard <= kLast) return shard;
  return Wrong(text, absl::StrCat("shard; shards are numbered from 0 to ", kLast));
}

absl::StatusOr<std::vector<std::vector<std::int32_t>>> ParseGroups(const std::string& text) {
  constexpr char kExpected[] = "partition such as 1,2/3,4,5, with every node once";
  std::vector<std::vector<std::int32_t>> groups;
  std::set<std::int32_t> seen;
  for (const absl::string_view group : absl::StrSplit(text, '/')) {
    std::vector<std::int32_t>& nodes = groups.emplace_back();
    for (const absl::string_view each : absl::StrSplit(group, ',')) {
      const absl::StatusOr<std::int32_t> node = ParseNode(std::string(each));
      if (!node.ok() || !seen.insert(*node).second) return Wrong(text, kExpected);
      nodes.push_back(*node);
    }
  }
  return groups;
}

absl::StatusOr<double> ParseShare(const std::string& text) {
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  const double whole = absl::ConsumeSuffix(&rest, "%") ? 100 : 1;
  double number = 0;
  const bool good = absl::SimpleAtod(rest, &number) && number >= 0 && number <= whole;
  if (!good) return Wrong(text, "share such as 10% or 0.1");
  return number / whole;
}

absl::StatusOr<std::int64_t> ParseBytes(const std::string& text) {
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  absl::ConsumeSuffix(&rest, "/s");
  const double unit = TakeUnit(rest);
  double number = 0;
  const bool good = absl::SimpleAtod(rest, &number) && number >= 0 && number * unit <= 1e15;
  if (!good) return Wrong(text, "number of bytes such as 64KiB or 1.5MB");
  const double bytes = std::round(number * unit);
  if (bytes < 1 && number > 0) return Wrong(text, "number of bytes: it is less than one");
  return static_cast<std::int64_t>(bytes);
}

absl::StatusOr<absl::Duration> ParseSkew(const std::string& text) {
  absl::Duration skew;
  if (!absl::ParseDuration(text, &skew)) return Wrong(text, "time such as 2s, -500ms or 0");
  if (absl::AbsDuration(skew) > absl::Hours(24)) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' is too much: a clock is wrong by 24h at most"));
  }
  return skew;
}

absl::StatusOr<std::string> ParseLatency(const std::string& text) {
  if (const auto latency = cluster::Latency::Parse(text); !latency.ok()) return latency.status();
  return text;
}

}  // namespace cloudstate::cli
