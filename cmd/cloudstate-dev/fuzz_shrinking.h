#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "cmd/cloudstate-dev/fuzz_emulator.h"
#include "cmd/cloudstate-dev/fuzz_player.h"
#include "emulator/fuzzing/finding_test_file.h"

namespace cloudstate::cli {

struct ShrunkFinding {
  fuzzing::Played played;
  std::size_t steps_before = 0;
  // Seen once more when the same was played again. If not, it is told as it was seen first.
  bool happens_again = false;
};

// Plays shorter and plainer sequences as long as the same is found; `progress` is told how far it has come. At a time
// limit, an interruption (`goes_on` says no), or where nothing can be played any more, the best so far is kept.
// `played` ends with the step of the finding.
ShrunkFinding ShrinkFinding(FuzzEmulator& emulator, FuzzPlayer& player, fuzzing::Played played,
                            const std::function<bool()>& goes_on,
                            const std::function<void(const std::string&)>& progress);

}  // namespace cloudstate::cli
