#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cmd/cloudstate-dev/fuzz_calls.h"
#include "cmd/cloudstate-dev/fuzz_emulator.h"
#include "cmd/cloudstate-dev/fuzz_replay.h"
#include "emulator/fuzzing/finding.h"
#include "emulator/fuzzing/sequence.h"

namespace cloudstate::cli {

// Plays sequences to a user function and says what is wrong with it. One thread.
class FuzzPlayer {
 public:
  struct Options {
    absl::Duration deadline;
    std::set<fuzzing::FindingKind> ignored;
    std::function<bool()> interrupted = [] { return false; };
  };
  struct Result {
    std::vector<int> codes;  // what the steps ended with
    std::optional<fuzzing::Finding> finding;
    std::uint64_t commands = 0;
  };

  // The emulator outlives this.
  FuzzPlayer(FuzzEmulator& emulator, Options options);

  // Asks entities that are new what they answer as long as there are no others: to be done first of all, in a process
  // of the user function that has done nothing yet.
  absl::Status CollectProbes();
  const std::vector<fuzzing::Probe>& probes() const { return probes_; }
  // Methods whose commands lead to other events each time, as they may.
  const std::set<std::string>& drawing_lots() const { return drawing_lots_; }

  // In an emulator that has just been renewed. Ends with the first finding. CANCELLED when interrupted.
  absl::StatusOr<Result> Play(const fuzzing::Sequence& sequence);

 private:
  using Maybe = absl::StatusOr<std::optional<fuzzing::Finding>>;

  // What is known about the call that is made.
  struct Made {
    const fuzzing::Method& method;
    std::string json;
    std::string entity_id;      // of entities
    std::int64_t sequence = 0;  // of the last event before
    dev::v1::CallResponse response;
  };
  // An outcome, or a finding in its place; neither where there is nothing to compare.
  struct Replayed {
    std::optional<fuzzing::Finding> finding = std::nullopt;
    std::optional<fuzzing::Outcome> outcome = std::nullopt;
    bool has_snapshot = false;
  };

  Maybe PlayStep(const dev::v1::TestStep& step, Result& result);
  Maybe PlayCall(const dev::v1::TestStep& step, Result& result);
  // How the call ended, and what the emulator said meanwhile.
  Maybe CheckEnd(const Made& made);
  // The command on a fresh stream.
  absl::StatusOr<Replayed> Replay(const Made& made, ReplayedFrom from);
  Maybe CheckReplay(const Made& made);
  Maybe CheckSnapshot(const Made& made, const fuzzing::Outcome& with_snapshot, fuzzing::Compared compared);
  Maybe CheckState(const Made& made, const fuzzing::Outcome& by_events, fuzzing::Compared compared);
  Maybe CheckProbe(const Made& made, const dev::v1::TestStep& step);
  Maybe CheckComplaints(const std::string& method, const std::string& entity_id);
  // When all is done: streams end when they are to.
  Maybe CheckStreams();
  // Whether that is why the call ended so.
  bool HasCrashed(const dev::v1::CallResponse& response, int pid, std::size_t losses) const;

  // None where its kind is ignored.
  std::optional<fuzzing::Finding> Found(fuzzing::FindingKind kind, const std::string& method,
                                        const std::string& entity_id, std::string text,
                                        std::optional<fuzzing::Outcome> expected = std::nullopt) const;
  std::optional<fuzzing::Finding> Found(fuzzing::FindingKind kind, const Made& made, std::string text,
                                        std::optional<fuzzing::Outcome> expected = std::nullopt) const {
    return Found(kind, made.method.FullName(), made.entity_id, std::move(text), std::move(expected));
  }

  FuzzEmulator& emulator_;
  const Options options_;
  std::vector<fuzzing::Probe> probes_;
  std::map<std::string, fuzzing::Outcome> fresh_;  // by method: what new entities answer, masked
  std::set<std::string> drawing_lots_;
  std::optional<base::EntityKey> stored_;  // one that has events, in the sequence that is played
};

}  // namespace cloudstate::cli
