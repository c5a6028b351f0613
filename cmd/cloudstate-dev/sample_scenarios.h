#pragma once

#include <span>
#include <string_view>

namespace cloudstate::cli {

// A file of samples/scenarios, as it was when this program was built.
struct SampleScenario {
  std::string_view name;  // without .yaml
  std::string_view yaml;
};

// All of them; the first is played where none is named.
std::span<const SampleScenario> SampleScenarios();

}  // namespace cloudstate::cli
