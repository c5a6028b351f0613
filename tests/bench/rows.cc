#include "tests/bench/rows.h"

#include <algorithm>
#include <array>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>

#include "absl/strings/str_format.h"
#include "tests/bench/cart_calls.h"
#include "tests/bench/processor_time.h"

namespace cloudstate::bench {
namespace {

constexpr std::array<const char*, kRowCount> kTitles = {
    "(a) gRPC echo", "(b) entity stream, direct", "(c) commands, durable",
    "(d) reads",     "(e) commands over HTTP",    "(e) reads over HTTP",
};

using CallsByRow = std::array<std::unique_ptr<Calls>, kRowCount>;

absl::StatusOr<CallsByRow> Connect(const RowsOptions& options) {
  const std::size_t most_lanes = *std::ranges::max_element(options.lanes);
  CallsByRow calls;
  calls[kEcho] = UnaryCalls(options.echo_address, "/bench.Echo/Echo",
                            [](std::size_t entity) { return CartMessage(CartMethod::kGetCart, entity); });
  auto streams = CartStreams(options.user_function_address, options.entities);
  if (!streams.ok()) return streams.status();
  calls[kStreams] = *std::move(streams);
  calls[kCommands] = CartCalls(options.emulator_address, CartMethod::kAddItem);
  calls[kReads] = CartCalls(options.emulator_address, CartMethod::kGetCart);
  calls[kHttpCommands] = CartHttpCalls(options.emulator_address, most_lanes, CartMethod::kAddItem);
  calls[kHttpReads] = CartHttpCalls(options.emulator_address, most_lanes, CartMethod::kGetCart);
  return calls;
}

// All entities are active and hold a product, and all connections have been used, before anything is measured.
absl::Status WarmUp(CallsByRow& calls, const RowsOptions& options) {
  const std::size_t most_lanes = *std::ranges::max_element(options.lanes);
  for (const RowId row : {kCommands, kEcho, kStreams, kReads, kHttpCommands, kHttpReads}) {
    if (absl::Status done = CallEachOnce(*calls[row], most_lanes, options.entities); !done.ok()) return done;
    if (absl::Status done = Measure(*calls[row], most_lanes, options.entities, options.round / 4).failure; !done.ok()) {
      return done;
    }
  }
  return absl::OkStatus();
}

}  // namespace

double Table::Ratio(RowId row, RowId base) const {
  std::vector<double> ratios;
  std::ranges::transform(rows[row].per_second, rows[base].per_second, std::back_inserter(ratios), std::divides<>());
  return Median(std::move(ratios));
}

double Table::RatioOfBoth(RowId base) const {
  std::vector<double> ratios;
  for (std::size_t round = 0; round < rows[base].per_second.size(); ++round) {
    const double echo = rows[kEcho].per_second[round];
    const double streams = rows[kStreams].per_second[round];
    ratios.push_back(echo * streams / (echo + streams) / rows[base].per_second[round]);
  }
  return Median(std::move(ratios));
}

absl::StatusOr<std::vector<Table>> MeasureRows(const RowsOptions& options) {
  auto calls = Connect(options);
  if (!calls.ok()) return calls.status();
  if (absl::Status warm = WarmUp(*calls, options); !warm.ok()) return warm;
  std::vector<Table> tables;
  for (const std::size_t lanes : options.lanes) {
    Table table{lanes, std::vector<Row>(kRowCount)};
    for (int round = 0; round < options.rounds; ++round) {
      for (std::size_t id = 0; id < kRowCount; ++id) {
        const absl::Duration before = ProcessorTime(options.pids);
        Figures figures = Measure(*(*calls)[id], lanes, options.entities, options.round);
        if (!figures.failure.ok()) return figures.failure;
        Row& row = table.rows[id];
        row.processor_time += ProcessorTime(options.pids) - before;
        row.per_second.push_back(figures.PerSecond());
        std::ranges::move(figures.latencies, std::back_inserter(row.latencies));
      }
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

void Print(const Table& table) {
  std::cout << absl::StrFormat("\n%-28s%11s%11s%11s%11s%8s%8s\n", absl::StrFormat("%d at a time", table.lanes),
                               "per second", "p50 µs", " p99 µs", " cpu µs", "of (a)", "of (b)");
  for (std::size_t id = 0; id < kRowCount; ++id) {
    const Row& row = table.rows[id];
    std::cout << absl::StrFormat(
        "%-28s%11.0f%10.0f%10.0f%10.0f%8.2f%8.2f\n", kTitles[id], Median(row.per_second),
        absl::ToDoubleMicroseconds(Percentile(row.latencies, 0.5)),
        absl::ToDoubleMicroseconds(Percentile(row.latencies, 0.99)),
        absl::ToDoubleMicroseconds(row.processor_time) / static_cast<double>(row.latencies.size()),
        table.Ratio(static_cast<RowId>(id), kEcho), table.Ratio(static_cast<RowId>(id), kStreams));
  }
  std::cout << absl::StrFormat("%-69s%8.2f%8.2f\n", "(a) and then (b), for comparison", table.RatioOfBoth(kEcho),
                               table.RatioOfBoth(kStreams))
            << std::flush;
}

}  // namespace cloudstate::bench
