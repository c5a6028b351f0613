#include "emulator/simulation/scenario_names.h"

#include "emulator/base/status_codes.h"
#include "emulator/simulation/scenario.h"

namespace cloudstate::simulation {

const std::vector<std::string>& States() {
  static const auto* const names =
      new std::vector<std::string>{"joining", "up", "leaving", "down", "removed", "stopped"};
  return *names;
}

const std::vector<std::string>& Sights() {
  static const auto* const names = [] {
    auto* all = new std::vector<std::string>{"reachable", "unreachable"};
    all->insert(all->end(), States().begin(), States().end());
    return all;
  }();
  return *names;
}

const std::vector<std::string>& Codes() {
  static const auto* const names = new std::vector<std::string>(base::CodeNames().begin() + 1, base::CodeNames().end());
  return *names;
}

const std::vector<std::string>& ChaosFaults() {
  static const auto* const names = new std::vector<std::string>{
      "kill", "pause", "partition", "cut", "slow", "lossy", "skew", "drain", "add", "move", "crash", "journal"};
  return *names;
}

}  // namespace cloudstate::simulation
