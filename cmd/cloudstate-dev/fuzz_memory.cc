#include "cmd/cloudstate-dev/fuzz_memory.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/numbers.h"
#include "cmd/cloudstate-dev/await_idle.h"
#include "cmd/cloudstate-dev/fuzz_calls.h"
#include "emulator/userfunction/process.h"

namespace cloudstate::cli {
namespace {

// Enough to see a trend; and those after which a trend that goes on is not waited for any longer.
constexpr std::size_t kLeastMemoryRounds = 12;
constexpr std::size_t kMostMemoryRounds = 120;

std::int64_t OwnKibibytes(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  std::int64_t size = 0;
  std::int64_t resident = 0;
  if (!(file >> size >> resident)) return 0;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

std::multimap<int, int> ChildrenOfAll() {
  std::multimap<int, int> children;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    int pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    const std::optional<userfunction::ProcessStat> stat = userfunction::ReadProcessStat(pid);
    if (stat.has_value()) children.emplace(stat->parent, pid);
  }
  return children;
}

std::int64_t WithChildren(int pid, const std::multimap<int, int>& children) {
  std::int64_t sum = OwnKibibytes(pid);
  for (auto [child, end] = children.equal_range(pid); child != end; ++child) {
    sum += WithChildren(child->second, children);
  }
  return sum;
}

absl::Status PlayRound(FuzzEmulator& emulator, const std::vector<fuzzing::Sequence>& sequences, absl::Duration deadline,
                       std::int64_t& commands) {
  for (const fuzzing::Sequence& sequence : sequences) {
    for (const dev::v1::TestStep& step : sequence) {
      const fuzzing::Method* method = fuzzing::FindMethod(emulator.types().methods(), step.call());
      if (method == nullptr || !method->IsUnary()) continue;
      auto response = CallOnce(emulator.client(), *method, InputJson(step.input()), deadline);
      if (!response.ok()) return response.status();
      ++commands;
    }
  }
  if (absl::Status idle = AwaitIdle(emulator.client(), deadline); !idle.ok()) return idle;
  if (absl::Status evicted = EvictEntity(emulator.client(), "", ""); !evicted.ok()) return evicted;
  return emulator.Renew(FuzzEmulator::Renewal::kReset);
}

}  // namespace

std::int64_t ResidentKibibytes(int pid) { return pid == 0 ? 0 : WithChildren(pid, ChildrenOfAll()); }

absl::StatusOr<fuzzing::MemoryRounds> MeasureMemory(FuzzEmulator& emulator,
                                                    const std::vector<fuzzing::Sequence>& sequences,
                                                    absl::Duration deadline, const std::function<bool()>& interrupted) {
  fuzzing::MemoryRounds rounds;
  rounds.kibibytes.push_back(ResidentKibibytes(emulator.pid()));
  for (std::size_t round = 1; round <= kMostMemoryRounds; ++round) {
    if (interrupted()) return absl::CancelledError("interrupted");
    std::int64_t commands = 0;
    const absl::Status played = PlayRound(emulator, sequences, deadline, commands);
    // A command that hangs is not this measurement's to tell.
    if (absl::IsDeadlineExceeded(played)) return fuzzing::MemoryRounds();
    if (!played.ok()) return played;
    rounds.commands = commands;
    rounds.kibibytes.push_back(ResidentKibibytes(emulator.pid()));
    const bool goes_on = round < kLeastMemoryRounds || fuzzing::TrendOf(rounds) == fuzzing::Trend::kGrows;
    if (!goes_on) break;
  }
  return rounds;
}

}  // namespace cloudstate::cli
