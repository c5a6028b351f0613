#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cloudstate/dev/v1/scenario.pb.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

// What the command line says of the scenario to play.
struct ScenarioChoice {
  std::string scenario;  // a file or a built-in one's name; empty for the first of those
  int nodes = 0;         // instead of the scenario's own number; 0 for those
};

struct ChosenScenario {
  std::string name;  // for people: the file's, or the built-in one's
  dev::v1::Scenario scenario;
  std::string text;  // YAML
};

// A built-in scenario comes before a file of its name; ./NAME is always a file. INVALID_ARGUMENT where there is
// neither, or the scenario makes no sense.
absl::StatusOr<ChosenScenario> Choose(const ScenarioChoice& choice);

// The built-in ones with their descriptions: for people, or one JSON document.
std::string ScenarioList(const Terminal& terminal);
std::string ScenarioListJson();

}  // namespace cloudstate::cli
