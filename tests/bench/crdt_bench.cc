// What replicated data costs: a large ORSet, and a counter's increments next to its reads: see docs/performance.md.
//
//   crdt_bench           measures all, in about half a minute
//   crdt_bench --quick   the same with hardly any time for each figure: shows that it works, not how fast

#include <array>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "counters/counters.pb.h"
#include "tests/bench/crdt_set.h"
#include "tests/bench/goals.h"
#include "tests/bench/grpc_calls.h"
#include "tests/bench/quick_or_whole.h"
#include "tests/support/emulator_process.h"

namespace cloudstate::bench {
namespace {

constexpr double kElementGoal = 2'000;  // ns
constexpr double kGrowthGoal = 2;
constexpr double kIncrementGoal = 0.7;
constexpr std::size_t kLanes = 64;
constexpr std::size_t kEntities = 1'000;

struct Scale {
  int rounds = 15;
  absl::Duration round = absl::Milliseconds(600);
  int repeats = 5;
  std::size_t elements = 100'000;
};

Scale QuickScale() { return {1, absl::Milliseconds(200), 1, 2'000}; }

template <typename Figures>
double MedianOf(const std::vector<Figures>& all, double Figures::*one) {
  std::vector<double> figures;
  for (const Figures& each : all) figures.push_back(each.*one);
  return Median(std::move(figures));
}

absl::Status MeasureSets(const Scale& scale) {
  std::vector<SetFigures> all;
  for (int i = 0; i < scale.repeats; ++i) {
    const auto figures = MeasureSet(scale.elements);
    if (!figures.ok()) return figures.status();
    all.push_back(*figures);
  }
  const auto print = [&](const std::string& what, double SetFigures::*one) {
    const double time = MedianOf(all, one);
    PrintGoal(absl::StrFormat("%s: %.0f ns each", what, time), time < kElementGoal, "under 2000 ns");
  };
  print(absl::StrFormat("an ORSet adds %d elements", scale.elements), &SetFigures::add);
  print("their deltas are sent and merged", &SetFigures::take);
  print("or all of it at once", &SetFigures::merge);
  std::cout << absl::StrFormat(
      "      a plain sorted map takes %.0f ns for a key; a delta has %.1f bytes, the whole %.1f an element\n",
      MedianOf(all, &SetFigures::keep), MedianOf(all, &SetFigures::delta_bytes),
      MedianOf(all, &SetFigures::whole_bytes));
  return absl::OkStatus();
}

absl::Status MeasureEntities(const Scale& scale) {
  const std::array<std::size_t, 2> sizes = {scale.elements / 100, scale.elements};
  std::array<std::vector<double>, 2> figures;
  for (int i = 0; i < scale.repeats; ++i) {
    for (std::size_t size = 0; size < sizes.size(); ++size) {
      const auto time = MeasureEntityOfSet(sizes[size]);
      if (!time.ok()) return time.status();
      figures[size].push_back(*time);
    }
  }
  const double few = Median(figures[0]);
  const double many = Median(figures[1]);
  PrintGoal(
      absl::StrFormat("an entity adds to %d in %.1f µs, to %d in %.1f", sizes[1], many / 1e3, sizes[0], few / 1e3),
      many < kGrowthGoal * few, "less than twice as much");
  return absl::OkStatus();
}

std::unique_ptr<Calls> HitCalls(const std::string& address, const std::string& method) {
  return UnaryCalls(address, "/com.example.counters.Hits/" + method, [](std::size_t entity) {
    com::example::counters::Counter message;
    message.set_name(absl::StrCat("counter-", entity));
    return message.SerializeAsString();
  });
}

// The two in turn, which change places, so that what else the machine does counts for both.
absl::Status MeasureIncrements(const Scale& scale) {
  support::EmulatorProcess emulator(
      {.arguments = {"--sample", "counters", "--passivation-timeout", "1h"}, .environment = {}});
  if (!emulator.WaitUntilReady()) return absl::UnavailableError("no emulator: " + emulator.process().errors());
  const std::array<std::unique_ptr<Calls>, 2> calls = {HitCalls(emulator.client_address(), "Hit"),
                                                       HitCalls(emulator.client_address(), "Get")};
  for (const auto& each : calls) {
    if (absl::Status warm = CallEachOnce(*each, kLanes, kEntities); !warm.ok()) return warm;
  }
  std::array<std::vector<double>, 2> rates;
  std::vector<double> ratios;
  for (int round = 0; round < scale.rounds; ++round) {
    for (std::size_t turn = 0; turn < calls.size(); ++turn) {
      const std::size_t which = (turn + static_cast<std::size_t>(round)) % calls.size();
      const Figures figures = Measure(*calls[which], kLanes, kEntities, scale.round);
      if (!figures.failure.ok()) return figures.failure;
      rates[which].push_back(figures.PerSecond());
    }
    ratios.push_back(rates[0].back() / rates[1].back());
  }
  const double ratio = Median(ratios);
  PrintGoal(absl::StrFormat("%.0f LOCAL increments a second are %.2f of reads", Median(rates[0]), ratio),
            ratio >= kIncrementGoal, "0.7");
  return absl::OkStatus();
}

absl::Status Run(const Scale& scale) {
  for (const auto& part : {MeasureSets, MeasureEntities, MeasureIncrements}) {
    if (absl::Status status = part(scale); !status.ok()) return status;
  }
  return absl::OkStatus();
}

int Main(int count, char** arguments) {
  return RunBenchmark(count, arguments,
                      [](Extent extent) { return Run(extent == Extent::kQuick ? QuickScale() : Scale()); });
}

}  // namespace
}  // namespace cloudstate::bench

int main(int count, char** arguments) { return cloudstate::bench::Main(count, arguments); }
