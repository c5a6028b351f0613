#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
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
  int replicas = 1;
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

// INVALID_ARGUMENT as it names what cannot be written. "-" is standard output.
absl::Status WriteTextFile(const std::string& path, const std::string& text);

}  // namespace cloudstate::cli
