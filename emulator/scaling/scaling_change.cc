#include "emulator/scaling/scaling_change.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace cloudstate::scaling {
namespace {

absl::Status SetMode(Settings& settings, const std::string& name) {
  Mode mode = settings.mode;
  if (absl::Status status = ParseMode(name, mode); !status.ok()) return status;
  if (mode == Mode::kOff) {
    return absl::FailedPreconditionError(
        "Scaling cannot be turned off while the emulator runs: mode manual leaves the replicas as they are, and "
        "`cloudstate-dev run` without --scaling has none.");
  }
  settings.mode = mode;
  return absl::OkStatus();
}

absl::Status SetReplicas(const Settings& settings, int replicas, int& wanted) {
  if (settings.mode != Mode::kManual) {
    return absl::FailedPreconditionError(
        absl::StrCat("In mode ", std::string(ModeName(settings.mode)),
                     " the algorithm says how many replicas there are. `scale set ", replicas,
                     " --mode manual` says it yourself; with min-scale and max-scale it stays within limits."));
  }
  if (replicas < 0 || replicas > settings.MaxScale()) {
    return absl::InvalidArgumentError(absl::StrCat("There can be 0 to ", settings.MaxScale(), " replicas, not ",
                                                   replicas, "; max-scale says how many at most."));
  }
  wanted = replicas;
  return absl::OkStatus();
}

// What the emulator is built with when it starts.
absl::Status CheckChangeable(const Settings& before, const Settings& after) {
  if (before.activator_queue == after.activator_queue && before.cold_start == after.cold_start &&
      before.knative.initial_scale == after.knative.initial_scale) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      "How many calls the activator holds, how long a simulated cold start takes, and the initial scale hold from the "
      "start on: give them to `cloudstate-dev run`.");
}

}  // namespace

absl::StatusOr<ScalingChange> ChangeOf(const Settings& settings, int wanted,
                                       const dev::v1::SetScalingRequest& request) {
  ScalingChange change{.settings = settings, .wanted = wanted, .text = ""};
  std::vector<std::string> texts;
  if (!request.mode().empty()) {
    if (absl::Status status = SetMode(change.settings, request.mode()); !status.ok()) return status;
    texts.push_back(absl::StrCat("mode ", request.mode()));
  }
  const std::map<std::string, std::string> in_order(request.settings().begin(), request.settings().end());
  if (absl::Status status = SetAll(change.settings, in_order); !status.ok()) return status;
  for (const auto& [name, value] : in_order) texts.push_back(absl::StrCat(name, " = ", value));
  if (absl::Status status = CheckChangeable(settings, change.settings); !status.ok()) return status;
  if (absl::Status status = Check(change.settings); !status.ok()) return status;
  if (request.has_replicas()) {
    if (absl::Status status = SetReplicas(change.settings, request.replicas(), change.wanted); !status.ok()) {
      return status;
    }
    texts.push_back(request.replicas() == 1 ? "1 replica" : absl::StrCat(request.replicas(), " replicas"));
  }
  if (texts.empty()) {
    return absl::InvalidArgumentError("Nothing was asked for; name a mode, a number of replicas, or settings.");
  }
  change.wanted = std::min(change.wanted, change.settings.MaxScale());
  change.text = absl::StrCat("set by hand: ", absl::StrJoin(texts, ", "));
  return change;
}

}  // namespace cloudstate::scaling
