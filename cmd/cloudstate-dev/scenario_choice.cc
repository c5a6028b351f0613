#include "cmd/cloudstate-dev/scenario_choice.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/sample_scenarios.h"
#include "emulator/simulation/scenario.h"

namespace cloudstate::cli {
namespace {

using dev::v1::Scenario;

absl::StatusOr<ChosenScenario> FromSample(const SampleScenario& sample) {
  absl::StatusOr<Scenario> scenario =
      simulation::ParseScenario({sample.yaml.data(), sample.yaml.size()}, {sample.name.data(), sample.name.size()});
  if (!scenario.ok()) return scenario.status();
  return ChosenScenario{std::string(sample.name), *std::move(scenario), std::string(sample.yaml)};
}

absl::StatusOr<ChosenScenario> Find(const std::string& name) {
  if (name.empty()) return FromSample(SampleScenarios().front());
  std::vector<std::string> names;
  for (const SampleScenario& sample : SampleScenarios()) {
    if (sample.name == name) return FromSample(sample);
    names.emplace_back(sample.name);
  }
  absl::StatusOr<Scenario> scenario = simulation::LoadScenario(name);
  if (absl::IsNotFound(scenario.status())) {
    return absl::InvalidArgumentError(
        absl::StrCat("There is no scenario '", name, "': neither a file nor one of ", absl::StrJoin(names, ", "), "."));
  }
  if (!scenario.ok()) return scenario.status();
  std::string text = simulation::ScenarioText(*scenario);
  return ChosenScenario{name, *std::move(scenario), std::move(text)};
}

}  // namespace

absl::StatusOr<ChosenScenario> Choose(const ScenarioChoice& choice) {
  absl::StatusOr<ChosenScenario> chosen = Find(choice.scenario);
  if (!chosen.ok() || choice.nodes == 0) return chosen;
  chosen->scenario.set_nodes(choice.nodes);
  chosen->text = simulation::ScenarioText(chosen->scenario);
  const std::string name = absl::StrCat(chosen->name, " with ", Counted(choice.nodes, "node"));
  if (absl::Status status = simulation::CheckScenario(chosen->scenario, name); !status.ok()) return status;
  return chosen;
}

std::string ScenarioList(const Terminal& terminal) {
  std::string text;
  for (const SampleScenario& sample : SampleScenarios()) {
    const absl::StatusOr<ChosenScenario> chosen = FromSample(sample);
    absl::StrAppend(&text, Styled(std::string(sample.name), Style::kBold, terminal), "\n");
    if (!chosen.ok()) continue;
    for (const auto line : absl::StrSplit(chosen->scenario.description(), '\n', absl::SkipEmpty())) {
      absl::StrAppend(&text, "    ", line, "\n");
    }
  }
  return text;
}

std::string ScenarioListJson() {
  std::vector<std::string> all;
  for (const SampleScenario& sample : SampleScenarios()) {
    const absl::StatusOr<ChosenScenario> chosen = FromSample(sample);
    const std::string description = chosen.ok() ? chosen->scenario.description() : "";
    all.push_back(absl::StrCat("{\"name\":", JsonString(std::string(sample.name)),
                               ",\"description\":", JsonString(description), "}"));
  }
  return absl::StrCat("{\"scenarios\":[", absl::StrJoin(all, ","), "]}\n");
}

}  // namespace cloudstate::cli
