#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "cmd/cloudstate-dev/fuzz_shrinking.h"
#include "cmd/cloudstate-dev/own_emulator.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

// How fuzz-user-function went.
struct FuzzReport {
  std::uint64_t first_seed = 0;
  std::uint64_t last_seed = 0;
  std::uint64_t sequences = 0;  // that were played
  std::uint64_t commands = 0;
  absl::Duration took;
  bool ended_early = false;            // by the time limit or an interruption
  std::set<std::string> drawing_lots;  // methods whose events are others each time
  std::string memory;                  // what was measured; empty where nothing was

  // Where something was found.
  std::optional<ShrunkFinding> found;
  std::uint64_t seed = 0;  // with which it was
  std::string file;        // a test that shows it; empty where none can
  std::string test;        // the command that runs it
  std::string again;       // the command that finds it again
};

std::string FuzzText(const FuzzReport& report, const Terminal& terminal);
// One document, with its end of line.
std::string FuzzJson(const FuzzReport& report);

// The user function as arguments behind a command: " --serve './cart'".
std::string UserFunctionArguments(const UserFunctionChoice& choice);

}  // namespace cloudstate::cli
