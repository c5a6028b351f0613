// How fast the emulator is, next to what the same machine can do without it: see docs/performance.md.
//
//   end_to_end_bench           measures all, in about a minute
//   end_to_end_bench --quick   the same with hardly any time for each figure: shows that it works, not how fast

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "tests/bench/cart_calls.h"
#include "tests/bench/disk.h"
#include "tests/bench/echo_server.h"
#include "tests/bench/goals.h"
#include "tests/bench/grpc_calls.h"
#include "tests/bench/process_figures.h"
#include "tests/bench/quick_or_whole.h"
#include "tests/bench/rows.h"
#include "tests/support/child_process.h"
#include "tests/support/emulator_process.h"

namespace cloudstate::bench {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;
constexpr double kReadsGoal = 0.6;     // (d)/(b)
constexpr double kCommandsGoal = 0.7;  // (c)/(d)
constexpr double kStartGoal = 100;     // milliseconds
constexpr double kIdleGoal = 40;       // MiB

struct Scale {
  std::vector<std::size_t> lanes = {1, 16, 64};
  std::size_t entities = 1'000;
  int rounds = 5;
  absl::Duration round = absl::Milliseconds(600);
  int starts = 11;
  std::size_t idle_entities = 10'000;
  int syncs = 200;
};

Scale QuickScale() { return {{1, 16, 64}, 200, 1, absl::Milliseconds(300), 1, 500, 20}; }

absl::StatusOr<std::vector<Table>> MeasureThroughput(const Scale& scale, const std::string& own_program) {
  auto echo = support::ChildProcess::Start({own_program, "--echo-server"});
  if (!echo->WaitUntil([](const std::string& output, const std::string&) { return output.ends_with('\n'); })) {
    return absl::UnavailableError("the echo server did not start: " + echo->errors());
  }
  support::EmulatorProcess emulator(
      {.arguments = {"--sample", "shopping-cart", "--passivation-timeout", "1h"}, .environment = {}});
  if (!emulator.WaitUntilReady()) {
    return absl::UnavailableError("the emulator did not become ready: " + emulator.process().errors());
  }
  auto tables = MeasureRows({.echo_address = std::string(absl::StripSuffix(echo->output(), "\n")),
                             .emulator_address = emulator.client_address(),
                             .user_function_address = emulator.user_function_address(),
                             .lanes = scale.lanes,
                             .entities = scale.entities,
                             .rounds = scale.rounds,
                             .round = scale.round,
                             .pids = {getpid(), echo->pid(), emulator.process().pid(), UserFunctionPid(emulator)}});
  emulator.Stop();
  return tables;
}

void PrintThroughput(const std::vector<Table>& tables) {
  for (const Table& table : tables) Print(table);
  std::cout << "\n";
  const Table& most = tables.back();
  const double reads = most.Ratio(kReads, kStreams);
  const double commands = most.Ratio(kCommands, kReads);
  PrintGoal(absl::StrFormat("reads are %.2f of the direct stream, (d)/(b) at %d", reads, most.lanes),
            reads >= kReadsGoal, absl::StrFormat("%.1f", kReadsGoal));
  PrintGoal(absl::StrFormat("commands are %.2f of reads, (c)/(d) at %d", commands, most.lanes),
            commands >= kCommandsGoal, absl::StrFormat("%.1f", kCommandsGoal));
}

void PrintStarts(const std::vector<absl::Duration>& starts) {
  const double median = absl::ToDoubleMilliseconds(Percentile(starts, 0.5));
  const double slowest = absl::ToDoubleMilliseconds(*std::ranges::max_element(starts));
  PrintGoal(absl::StrFormat("start to first served call: %.0f ms, slowest %.0f ms", median, slowest),
            median < kStartGoal, absl::StrFormat("under %.0f ms", kStartGoal));
}

void PrintMemory(const Memory& memory, std::size_t entities) {
  PrintGoal(absl::StrFormat("idle memory: %.1f MiB", memory.idle / kMiB), memory.idle / kMiB < kIdleGoal,
            absl::StrFormat("under %.0f MiB", kIdleGoal));
  std::cout << absl::StrFormat("      memory for each of %d idle active entities: %.1f KiB\n", entities,
                               memory.per_entity / 1024);
}

absl::Status Run(const Scale& scale, const std::string& own_program) {
  const auto sync = MedianSyncTime(scale.syncs);
  if (!sync.ok()) return sync.status();
  std::cout << absl::StrFormat("one write and fdatasync on this disk: %.0f µs\n", absl::ToDoubleMicroseconds(*sync));
  const auto tables = MeasureThroughput(scale, own_program);
  if (!tables.ok()) return tables.status();
  PrintThroughput(*tables);
  const auto starts = TimesToFirstCall(scale.starts);
  if (!starts.ok()) return starts.status();
  PrintStarts(*starts);
  const auto memory = MeasureMemory(
      {"--sample", "shopping-cart", "--passivation-timeout", "1h"},
      [](const std::string& address) { return CartCalls(address, CartMethod::kGetCart); }, scale.idle_entities);
  if (!memory.ok()) return memory.status();
  PrintMemory(*memory, scale.idle_entities);
  return absl::OkStatus();
}

int Main(int count, char** arguments) {
  if (count > 1 && std::string(arguments[1]) == "--echo-server") return ServeEcho();
  return RunBenchmark(count, arguments, [&](Extent extent) {
    return Run(extent == Extent::kQuick ? QuickScale() : Scale(), arguments[0]);
  });
}

}  // namespace
}  // namespace cloudstate::bench

int main(int count, char** arguments) { return cloudstate::bench::Main(count, arguments); }
