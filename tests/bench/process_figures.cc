#include "tests/bench/process_figures.h"

#include <unistd.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/bench/cart_calls.h"
#include "tests/support/emulator_process.h"

namespace cloudstate::bench {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

// Calls until one is served: the user function may not be there yet.
absl::Status CallUntilServed(Calls& calls) {
  const absl::Time deadline = absl::Now() + kPatience;
  absl::Status outcome = CallEachOnce(calls, 1, 1);
  while (absl::IsUnavailable(outcome) && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(1));
    outcome = CallEachOnce(calls, 1, 1);
  }
  return outcome;
}

absl::Status Silent(support::EmulatorProcess& emulator) {
  return absl::UnavailableError(absl::StrCat("the emulator did not start: ", emulator.process().errors()));
}

}  // namespace

double ResidentBytes(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/statm"));
  double all = 0;
  double resident = 0;
  file >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

pid_t UserFunctionPid(const support::EmulatorProcess& emulator) {
  pid_t pid = 0;
  for (const support::EmulatorEvent& event : emulator.events("userFunctionStarted")) {
    if (!absl::SimpleAtoi(event.at("pid"), &pid)) std::cerr << "no pid: " << event.at("pid") << "\n";
  }
  return pid;
}

absl::StatusOr<std::vector<absl::Duration>> TimesToFirstCall(int times) {
  std::vector<absl::Duration> taken;
  for (int i = 0; i < times; ++i) {
    const absl::Time began = absl::Now();
    support::EmulatorProcess emulator({.arguments = {"--sample", "shopping-cart"}, .environment = {}});
    if (!emulator.WaitUntilStarted()) return Silent(emulator);
    auto calls = CartCalls(emulator.client_address(), CartMethod::kGetCart);
    if (absl::Status served = CallUntilServed(*calls); !served.ok()) return served;
    taken.push_back(absl::Now() - began);
    emulator.Stop();
  }
  return taken;
}

absl::StatusOr<Memory> MeasureMemory(const std::vector<std::string>& arguments,
                                     const std::function<std::unique_ptr<Calls>(const std::string& address)>& connect,
                                     std::size_t entities) {
  constexpr std::size_t kLanes = 16;
  constexpr int kCallsThatFillTraces = 2'000;
  support::EmulatorProcess emulator({.arguments = arguments, .environment = {}});
  if (!emulator.WaitUntilStarted()) return Silent(emulator);
  auto calls = connect(emulator.client_address());
  if (absl::Status served = CallUntilServed(*calls); !served.ok()) return served;
  Memory memory;
  memory.idle = ResidentBytes(emulator.process().pid());
  // Traces are kept of so many calls only: they should not count as the entities'.
  for (int i = 0; i < kCallsThatFillTraces; ++i) {
    if (absl::Status served = CallEachOnce(*calls, 1, 1); !served.ok()) return served;
  }
  const double before = ResidentBytes(emulator.process().pid());
  if (absl::Status served = CallEachOnce(*calls, kLanes, entities); !served.ok()) return served;
  memory.per_entity = (ResidentBytes(emulator.process().pid()) - before) / static_cast<double>(entities);
  emulator.Stop();
  return memory;
}

}  // namespace cloudstate::bench
