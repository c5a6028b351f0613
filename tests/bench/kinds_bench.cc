// Every kind of user function through the emulator, next to the same without it: see docs/performance.md.
//
//   kinds_bench           measures all, in about half a minute
//   kinds_bench --quick   the same with hardly any time for each figure: shows that it works, not how fast

#include <unistd.h>

#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tests/bench/goals.h"
#include "tests/bench/model_calls.h"
#include "tests/bench/process_figures.h"
#include "tests/bench/processor_time.h"
#include "tests/bench/quick_or_whole.h"
#include "tests/bench/slow_reader.h"
#include "tests/support/emulator_process.h"

namespace cloudstate::bench {
namespace {

constexpr std::size_t kLanes = 64;
constexpr double kUnaryGoal = 0.6;
constexpr double kStreamGoal = 0.5;
constexpr double kMemoryGoal = 8;  // KiB for each entity
constexpr double kFlat = 0.5;      // MiB that a process may differ by at two times
constexpr double kMiB = 1024.0 * 1024.0;

struct Scale {
  int rounds = 7;
  absl::Duration round = absl::Milliseconds(600);
  std::size_t entities = 10'000;
  std::size_t streams = 1'000;
  absl::Duration slow = absl::Seconds(2);
};

Scale QuickScale() { return {1, absl::Milliseconds(200), 300, 100, absl::Milliseconds(500)}; }

std::vector<std::string> Arguments() {
  return {"--passivation-timeout", "1h", "--user-function-port", "0", "--", MODEL_USER_FUNCTION};
}

struct Row {
  std::string title;
  std::unique_ptr<Calls> calls;
  std::vector<double> per_second = {};
  std::vector<absl::Duration> latencies = {};
  absl::Duration processor_time = {};
};

absl::Status MeasureRound(Row& row, absl::Duration time, const std::vector<pid_t>& pids) {
  const absl::Duration before = ProcessorTime(pids);
  Figures figures = Measure(*row.calls, kLanes, kLanes, time);
  row.processor_time += ProcessorTime(pids) - before;
  row.per_second.push_back(figures.PerSecond());
  std::ranges::move(figures.latencies, std::back_inserter(row.latencies));
  return figures.failure;
}

void Print(const Row& row) {
  std::cout << absl::StrFormat(
      "%-34s%11.0f%10.0f%10.0f%10.0f\n", row.title, Median(row.per_second),
      absl::ToDoubleMicroseconds(Percentile(row.latencies, 0.5)),
      absl::ToDoubleMicroseconds(Percentile(row.latencies, 0.99)),
      absl::ToDoubleMicroseconds(row.processor_time) / static_cast<double>(row.latencies.size()));
}

double Ratio(const Row& row, const Row& base) {
  std::vector<double> ratios;
  std::ranges::transform(row.per_second, base.per_second, std::back_inserter(ratios), std::divides<>());
  return Median(std::move(ratios));
}

absl::Status MeasureActions(const Scale& scale) {
  support::EmulatorProcess emulator({.arguments = Arguments(), .environment = {}});
  if (!emulator.WaitUntilReady()) return absl::UnavailableError("no emulator: " + emulator.process().errors());
  const std::string& direct = emulator.user_function_address();
  std::vector<Row> rows;
  rows.push_back({"(a) unary action, direct", DirectActionCalls(direct)});
  rows.push_back({"(b) unary action", ActionCalls(emulator.client_address())});
  rows.push_back({"(c) messages of streams, direct", DirectActionStreams(direct, kLanes)});
  rows.push_back({"(d) messages of streams", ActionStreams(emulator.client_address(), kLanes)});
  const std::vector<pid_t> pids = {getpid(), emulator.process().pid(), UserFunctionPid(emulator)};
  for (Row& row : rows) {
    if (absl::Status warm = Measure(*row.calls, kLanes, kLanes, scale.round / 4).failure; !warm.ok()) return warm;
  }
  for (int round = 0; round < scale.rounds; ++round) {
    for (Row& row : rows) {
      if (absl::Status status = MeasureRound(row, scale.round, pids); !status.ok()) return status;
    }
  }
  std::cout << absl::StrFormat("%-34s%11s%11s%11s%11s\n", absl::StrFormat("%d at a time", kLanes), "per second",
                               "p50 µs", " p99 µs", " cpu µs");
  for (const Row& row : rows) Print(row);
  const double unary = Ratio(rows[1], rows[0]);
  const double streams = Ratio(rows[3], rows[2]);
  std::cout << "\n";
  PrintGoal(absl::StrFormat("unary actions are %.2f of direct ones, (b)/(a)", unary), unary >= kUnaryGoal,
            absl::StrFormat("%.1f", kUnaryGoal));
  PrintGoal(absl::StrFormat("streamed messages are %.2f of direct ones, (d)/(c)", streams), streams >= kStreamGoal,
            absl::StrFormat("%.1f", kStreamGoal));
  rows.clear();
  emulator.Stop();
  return absl::OkStatus();
}

absl::Status MeasureEntities(const std::string& kind, std::size_t entities,
                             const std::function<std::unique_ptr<Calls>(const std::string&)>& connect) {
  const auto memory = MeasureMemory(Arguments(), connect, entities);
  if (!memory.ok()) return memory.status();
  const double each = memory->per_entity / 1024;
  PrintGoal(absl::StrFormat("%d active %s: %.1f KiB each", entities, kind, each), each < kMemoryGoal,
            absl::StrFormat("under %.0f KiB, all of it", kMemoryGoal));
  return absl::OkStatus();
}

// Every stream is opened before the first of them says anything.
absl::Status MeasureStreams(std::size_t streams) {
  support::EmulatorProcess emulator({.arguments = Arguments(), .environment = {}});
  if (!emulator.WaitUntilReady()) return absl::UnavailableError("no emulator: " + emulator.process().errors());
  const double before = ResidentBytes(emulator.process().pid());
  auto calls = ActionStreams(emulator.client_address(), streams);
  if (absl::Status served = CallEachOnce(*calls, streams, streams); !served.ok()) return served;
  const double each = (ResidentBytes(emulator.process().pid()) - before) / 1024 / static_cast<double>(streams);
  std::cout << absl::StrFormat("      %d open streams of actions, all answered: %.1f KiB each, the client's side too\n",
                               streams, each);
  return absl::OkStatus();
}

// What the two windows of flow control and the queues between them hold is filled at once; then nothing may grow.
absl::Status MeasureSlowReader(absl::Duration time) {
  support::EmulatorProcess emulator({.arguments = Arguments(), .environment = {}});
  if (!emulator.WaitUntilReady()) return absl::UnavailableError("no emulator: " + emulator.process().errors());
  const pid_t pid = emulator.process().pid();
  const double before = ResidentBytes(pid);
  auto reader = SlowReader::Start(emulator.client_address());
  absl::SleepFor(time);
  const double filled = ResidentBytes(pid);
  const std::uint64_t written = reader->written();
  absl::SleepFor(time);
  const double grown = (ResidentBytes(pid) - filled) / kMiB;
  PrintGoal(absl::StrFormat("a client that writes and does not read: +%.1f MiB a second",
                            grown / absl::ToDoubleSeconds(time)),
            grown < kFlat && reader->written() == written, "none");
  std::cout << absl::StrFormat("      it was held up after %d messages of 4 KiB, and %.1f MiB\n", written,
                               (filled - before) / kMiB);
  const auto all = reader->ReadAll();
  if (!all.ok()) return all.status();
  std::cout << absl::StrFormat("      when it read at last, all %d answers came\n", *all);
  return absl::OkStatus();
}

absl::Status Run(const Scale& scale) {
  if (absl::Status status = MeasureActions(scale); !status.ok()) return status;
  for (const auto& [kind, connect] :
       {std::pair("event-sourced entities", &EventSourcedCalls), std::pair("value entities", &ValueEntityCalls)}) {
    if (absl::Status status = MeasureEntities(kind, scale.entities, connect); !status.ok()) return status;
  }
  if (absl::Status status = MeasureStreams(scale.streams); !status.ok()) return status;
  return MeasureSlowReader(scale.slow);
}

int Main(int count, char** arguments) {
  return RunBenchmark(count, arguments,
                      [](Extent extent) { return Run(extent == Extent::kQuick ? QuickScale() : Scale()); });
}

}  // namespace
}  // namespace cloudstate::bench

int main(int count, char** arguments) { return cloudstate::bench::Main(count, arguments); }
