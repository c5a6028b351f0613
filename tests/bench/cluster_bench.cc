// What the cluster costs, and how fast it is simulated: see docs/performance.md.
//
//   cluster_bench                     measures all, in about a minute
//   cluster_bench --against PROGRAM   and how one node of this build compares to another build's program
//   cluster_bench --quick             the same with hardly any time for each figure: shows that it works, not how fast

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "tests/bench/cart_calls.h"
#include "tests/bench/goals.h"
#include "tests/bench/process_figures.h"
#include "tests/support/emulator_process.h"
#include "tests/support/temporary_directory.h"

namespace cloudstate::bench {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;
constexpr double kLossGoal = 0.95;             // of the throughput before
constexpr double kIdleGoal = 1'000;            // times real time
constexpr double kMemoryGoal = 200;            // MiB
constexpr double kSeedsGoal = 10'000.0 / 300;  // a second
constexpr std::size_t kLanes = 64;
constexpr std::size_t kEntities = 1'000;

struct Scale {
  int rounds = 15;
  absl::Duration round = absl::Milliseconds(600);
  int seeds = 400;
  std::string idle = "30m";
  std::string nodes = "100";
};

Scale QuickScale() { return {1, absl::Milliseconds(200), 4, "1m", "10"}; }

// An emulator of carts with both calls to it.
struct Side {
  explicit Side(std::vector<std::string> arguments, std::string program = "")
      : emulator({.arguments = std::move(arguments), .environment = {}, .program = std::move(program)}) {}

  absl::Status Prepare() {
    if (!emulator.WaitUntilReady()) return absl::UnavailableError(emulator.process().errors());
    reads = CartCalls(emulator.client_address(), CartMethod::kGetCart);
    commands = CartCalls(emulator.client_address(), CartMethod::kAddItem);
    return CallEachOnce(*commands, kLanes, kEntities);
  }

  support::EmulatorProcess emulator;
  std::unique_ptr<Calls> reads;
  std::unique_ptr<Calls> commands;
};

std::vector<std::string> Carts(std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"--sample", "shopping-cart", "--passivation-timeout", "1h"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// The median over the rounds of how `one` compares to `other`, whose turns follow each other closely and change places.
absl::StatusOr<double> Compare(Calls& one, Calls& other, const Scale& scale) {
  std::vector<double> ratios;
  for (int round = 0; round < scale.rounds; ++round) {
    double rates[2] = {0, 0};
    for (int turn = 0; turn < 2; ++turn) {
      const int side = (turn + round) % 2;
      const Figures figures = Measure(side == 0 ? one : other, kLanes, kEntities, scale.round);
      if (!figures.failure.ok()) return figures.failure;
      rates[side] = figures.PerSecond();
    }
    ratios.push_back(rates[0] / rates[1]);
  }
  return Median(ratios);
}

absl::Status CompareSides(Side& one, Side& other, const Scale& scale,
                          const std::function<void(double reads, double commands)>& print) {
  for (Side* side : {&one, &other}) {
    if (absl::Status status = side->Prepare(); !status.ok()) return status;
  }
  const auto reads = Compare(*one.reads, *other.reads, scale);
  if (!reads.ok()) return reads.status();
  const auto commands = Compare(*one.commands, *other.commands, scale);
  if (!commands.ok()) return commands.status();
  print(*reads, *commands);
  return absl::OkStatus();
}

absl::Status CompareWithBefore(const std::string& program, const Scale& scale) {
  Side now(Carts());
  Side before(Carts(), program);
  return CompareSides(now, before, scale, [](double reads, double commands) {
    PrintGoal(absl::StrFormat("one node: reads are %.3f of before", reads), reads >= kLossGoal, "0.95");
    PrintGoal(absl::StrFormat("one node: commands are %.3f of before", commands), commands >= kLossGoal, "0.95");
  });
}

absl::Status CompareNodes(const Scale& scale) {
  Side three(Carts({"--nodes", "3"}));
  Side one(Carts());
  return CompareSides(three, one, scale, [](double reads, double commands) {
    std::cout << absl::StrFormat(
        "      three nodes, two of three commands through the network: reads %.2f, commands "
        "%.2f of one node's\n",
        reads, commands);
  });
}

absl::Status MeasureManyNodes(const Scale& scale) {
  support::EmulatorProcess emulator({.arguments = Carts({"--nodes", scale.nodes}), .environment = {}});
  if (!emulator.WaitUntilReady()) return absl::UnavailableError(emulator.process().errors());
  absl::SleepFor(scale.rounds == 1 ? absl::ZeroDuration() : absl::Seconds(5));
  const double memory = ResidentBytes(emulator.process().pid()) / kMiB;
  PrintGoal(absl::StrFormat("%s nodes: %.0f MiB", scale.nodes, memory), memory < kMemoryGoal, "under 200 MiB");
  return absl::OkStatus();
}

absl::StatusOr<google::protobuf::Struct> Simulate(std::vector<std::string> arguments) {
  std::vector<std::string> all = {"--json", "simulate"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const support::ToolResult result = support::RunTool(all);
  google::protobuf::Struct parsed;
  if (result.exit_code != 0 || !google::protobuf::util::JsonStringToMessage(result.output, &parsed).ok()) {
    return absl::UnavailableError(absl::StrCat("simulate failed: ", result.output, result.errors));
  }
  return parsed;
}

double Number(const google::protobuf::Struct& parsed, const std::string& field) {
  return parsed.fields().at(field).number_value();
}

absl::Status MeasureSimulation(const Scale& scale) {
  const testing::TemporaryDirectory directory;
  const std::string file = (directory.path() / "idle.yaml").string();
  std::ofstream(file) << "name: idle\nnodes: 5\nduration: " << scale.idle << "\nload: {calls_per_second: 0}\n";
  const auto idle = Simulate({"--scenario", file, "--seed", "1"});
  if (!idle.ok()) return idle.status();
  const double times = Number(*idle, "simulatedSeconds") / Number(*idle, "seconds");
  PrintGoal(absl::StrFormat("five idle nodes are simulated %.0f times as fast", times), times >= kIdleGoal,
            "1,000 times");
  const auto seeds = Simulate({"--scenario", CI_SCENARIO, "--seeds", absl::StrCat("1..", scale.seeds)});
  if (!seeds.ok()) return seeds.status();
  const double rate = Number(*seeds, "played") / Number(*seeds, "seconds");
  PrintGoal(
      absl::StrFormat("seeds of CI's scenario: %.0f a second on %d cores", rate, std::thread::hardware_concurrency()),
      rate >= kSeedsGoal, "10,000 in 5 minutes");
  return absl::OkStatus();
}

absl::Status Run(const Scale& scale, const std::string& before) {
  if (!before.empty()) {
    if (absl::Status status = CompareWithBefore(before, scale); !status.ok()) return status;
  }
  for (const auto& part : {CompareNodes, MeasureManyNodes, MeasureSimulation}) {
    if (absl::Status status = part(scale); !status.ok()) return status;
  }
  return absl::OkStatus();
}

int Main(int count, char** arguments) {
  const std::string mode = count > 1 ? arguments[1] : "";
  const bool against = mode == "--against" && count == 3;
  if (!(count == 1 || against || (count == 2 && mode == "--quick"))) {
    std::cerr << "usage: " << arguments[0] << " [--quick | --against PROGRAM]\n";
    return 2;
  }
  const absl::Status status = Run(mode == "--quick" ? QuickScale() : Scale(), against ? arguments[2] : "");
  if (status.ok()) return 0;
  std::cerr << "not measured: " << status << "\n";
  return 1;
}

}  // namespace
}  // namespace cloudstate::bench

int main(int count, char** arguments) { return cloudstate::bench::Main(count, arguments); }
