#include "emulator/simulation/scenario.h"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/simulation/scenario_check.h"
#include "emulator/simulation/yaml_message.h"
#include "google/protobuf/descriptor.h"

namespace cloudstate::simulation {
namespace {

using dev::v1::Scenario;
using dev::v1::ScenarioStep;
using dev::v1::Within;

constexpr std::size_t kMostBytes = 1 << 20;

YamlShape Shape() {
  return {.inlined = {ScenarioStep::descriptor()->FindFieldByNumber(ScenarioStep::kSteerFieldNumber),
                      Within::descriptor()->FindFieldByNumber(Within::kThatFieldNumber)}};
}

}  // namespace

absl::StatusOr<Scenario> ParseScenario(absl::string_view yaml, absl::string_view file) {
  Scenario scenario;
  YamlPlaces places(std::string(file.data(), file.size()));
  if (absl::Status status = ReadYaml(yaml, Shape(), scenario, places); !status.ok()) return status;
  if (absl::Status status = CheckScenario(scenario, places); !status.ok()) return status;
  return scenario;
}

absl::StatusOr<Scenario> LoadScenario(const std::string& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    return absl::NotFoundError(absl::StrCat("There is no file ", file, "."));
  }
  std::ifstream input(file, std::ios::binary);
  std::string text(kMostBytes + 1, '\0');
  input.read(text.data(), static_cast<std::streamsize>(text.size()));
  const bool read = input.good() || input.eof();
  if (!read || std::filesystem::is_directory(file, ignored)) {
    return absl::UnavailableError(absl::StrCat("The file ", file, " can't be read."));
  }
  text.resize(static_cast<std::size_t>(input.gcount()));
  if (text.size() > kMostBytes) return absl::InvalidArgumentError(absl::StrCat(file, ": more than 1 MiB"));
  return ParseScenario(text, file);
}

absl::Status CheckScenario(const Scenario& scenario, absl::string_view name) {
  return CheckScenario(scenario, YamlPlaces(std::string(name.data(), name.size())));
}

std::string ScenarioText(const Scenario& scenario) { return WriteYaml(scenario, Shape()); }

std::string ConditionText(const dev::v1::Condition& condition) { return WriteYamlInOneLine(condition, Shape()); }

}  // namespace cloudstate::simulation
