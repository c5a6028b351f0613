#pragma once

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "emulator/capacity/fit.h"
#include "emulator/capacity/load.h"
#include "emulator/capacity/player.h"
#include "emulator/scaling/settings.h"

namespace CLI {
class App;
}  // namespace CLI

namespace cloudstate::cli {

// What `scale simulate` and `scale tune` are told: the load, the user function, and scaling.
struct ScaleArguments {
  std::string load;
  std::string from;
  std::string service, rest, cold_starts;
  std::optional<int> workers;
  std::string kind = "entities";
  std::string scaling = "knative";
  scaling::Settings settings;
  std::optional<int> replicas;
  absl::Duration relay_timeout = absl::Minutes(1);
  double times = 1;
  bool even = false;
  std::uint64_t seed = 1;
};

// The same, ready to be played.
struct ScalePlay {
  std::string name;  // of the load; for people, without control characters
  capacity::Load load;
  capacity::PlayOptions options;
  std::optional<capacity::Fit> fit;  // where the model was measured
};

// `arguments` outlive the command.
void AddScaleArguments(CLI::App& command, ScaleArguments& arguments);

// INVALID_ARGUMENT or NOT_FOUND says what does not fit; FAILED_PRECONDITION that the recording says too little.
absl::StatusOr<ScalePlay> PrepareScalePlay(const ScaleArguments& arguments);

// A file that a flag names, opened before the work that it is to hold: what cannot be written is found out at once.
// UNAVAILABLE or INVALID_ARGUMENT says what is in the way. "-" is standard output, which then has nothing else.
class TextOutput {
 public:
  // An empty path is none.
  absl::Status Open(const std::string& path);
  bool IsWanted() const { return !path_.empty(); }
  bool IsStandard() const { return path_ == "-"; }
  absl::Status Write(const std::string& text);

 private:
  absl::Status Check() const;

  std::string path_;
  std::ofstream file_;
};

// Throws CLI::ValidationError where more than one thing would go to standard output.
void RefuseTwoOutputs(const std::vector<std::string>& paths, bool json);

}  // namespace cloudstate::cli
