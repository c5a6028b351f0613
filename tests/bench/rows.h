#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/bench/load.h"

namespace cloudstate::bench {

// What is compared, in the order in which it is measured and printed.
enum RowId : std::size_t { kEcho, kStreams, kCommands, kReads, kHttpCommands, kHttpReads, kRowCount };

struct RowsOptions {
  std::string echo_address;
  std::string emulator_address;
  std::string user_function_address;
  std::vector<std::size_t> lanes;  // calls at a time
  std::size_t entities = 0;
  int rounds = 0;
  absl::Duration round;     // how long each row runs in each round
  std::vector<pid_t> pids;  // of all processes that take part
};

// One row at one number of lanes.
struct Row {
  std::vector<double> per_second;  // by round
  std::vector<absl::Duration> latencies;
  absl::Duration processor_time;  // of all processes, for all calls
};

struct Table {
  std::size_t lanes = 0;
  std::vector<Row> rows;  // by RowId

  // How many calls of `row` are made in the time of one of `base`: the median of the rounds, whose two figures were
  // measured within seconds of each other. What else the machine does thus counts for both.
  double Ratio(RowId row, RowId base) const;

  // The same for one call of (a) and then one of (b), over `base`: what goes through the emulator does both, so this is
  // what an emulator would reach that costs nothing by itself.
  double RatioOfBoth(RowId base) const;
};

// Rounds go through all rows, so that they are measured side by side.
absl::StatusOr<std::vector<Table>> MeasureRows(const RowsOptions& options);

void Print(const Table& table);

}  // namespace cloudstate::bench
