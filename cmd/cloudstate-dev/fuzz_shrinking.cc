#include "cmd/cloudstate-dev/fuzz_shrinking.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/fuzzing/shrink.h"

namespace cloudstate::cli {
namespace {

// Of what costs a process or a time limit each time, fewer are played.
constexpr int kMostCheapRuns = 400;
constexpr int kMostDearRuns = 60;

// What a process may carry on from one sequence to the next, or does not come back from by itself.
bool NeedsProcess(fuzzing::FindingKind kind) {
  return kind == fuzzing::FindingKind::kIsolation || kind == fuzzing::FindingKind::kCrash ||
         kind == fuzzing::FindingKind::kHang;
}

class FindingShrinker {
 public:
  FindingShrinker(FuzzEmulator& emulator, FuzzPlayer& player, fuzzing::Played played,
                  const std::function<bool()>& goes_on, const std::function<void(const std::string&)>& progress)
      : emulator_(emulator), player_(player), best_(std::move(played)), goes_on_(goes_on), progress_(progress) {}

  ShrunkFinding Run() {
    ShrunkFinding shrunk;
    shrunk.steps_before = best_.sequence.size();
    shrunk.happens_again = Reproduce();
    if (shrunk.happens_again && fuzzing::TestShows(best_.finding)) {  // else nobody reads it
      const int runs = renewal_ == FuzzEmulator::Renewal::kProcess ? kMostDearRuns : kMostCheapRuns;
      fuzzing::Shrink(
          best_.sequence, [this](const fuzzing::Sequence& candidate) { return Fails(candidate); }, runs);
    }
    if (!trouble_.ok() && !absl::IsCancelled(trouble_)) {  // what was found is told all the same
      const absl::string_view why = trouble_.message();
      absl::StrAppend(&best_.finding.text, "; playing it again failed: ", why.substr(0, why.find('\n')));
    }
    shrunk.played = std::move(best_);
    return shrunk;
  }

 private:
  // Finds out how much has to be new for it to happen again.
  bool Reproduce() {
    if (!NeedsProcess(best_.finding.kind) || !emulator_.owns_user_function()) {
      renewal_ = FuzzEmulator::Renewal::kReset;
      if (Fails(best_.sequence)) return true;
    }
    renewal_ = FuzzEmulator::Renewal::kProcess;
    return emulator_.owns_user_function() && Fails(best_.sequence);
  }

  // Plays it, and keeps what is found if it is the same.
  bool Fails(const fuzzing::Sequence& candidate) {
    if (candidate.empty() || !trouble_.ok() || !goes_on_()) return false;
    progress_(absl::StrCat("making it smaller: ", Counted(++runs_, "run"), ", ",
                           Counted(static_cast<std::int64_t>(best_.sequence.size()), "step"), " left"));
    trouble_ = emulator_.Renew(renewal_);
    if (!trouble_.ok()) return false;
    absl::StatusOr<FuzzPlayer::Result> result = player_.Play(candidate);
    if (!result.ok()) {
      trouble_ = result.status();
      return false;
    }
    if (!result->finding.has_value() || !result->finding->IsLike(best_.finding)) return false;
    best_ = {candidate, std::move(result->codes), *std::move(result->finding)};
    best_.sequence.resize(best_.finding.step + 1);  // it may have come sooner
    return true;
  }

  FuzzEmulator& emulator_;
  FuzzPlayer& player_;
  fuzzing::Played best_;
  const std::function<bool()>& goes_on_;
  const std::function<void(const std::string&)>& progress_;
  FuzzEmulator::Renewal renewal_ = FuzzEmulator::Renewal::kReset;
  absl::Status trouble_;
  int runs_ = 0;
};

}  // namespace

ShrunkFinding ShrinkFinding(FuzzEmulator& emulator, FuzzPlayer& player, fuzzing::Played played,
                            const std::function<bool()>& goes_on,
                            const std::function<void(const std::string&)>& progress) {
  return FindingShrinker(emulator, player, std::move(played), goes_on, progress).Run();
}

}  // namespace cloudstate::cli
