#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "emulator/scaling/measurement.h"
#include "emulator/scaling/settings.h"

namespace cloudstate::scaling {

// A decision that a case expects: see tests/data/scaling/README.md.
struct ScalingStep {
  int line = 0;
  Settings settings;
  Measurement measurement;
  bool wanted_told = false;  // else it is what was decided before
  int wanted = 0;
  std::string phase;
  std::vector<Figure> figures;
  std::string path;  // "activator", "direct", or empty
};

struct ScalingCase {
  std::string name;
  std::vector<ScalingStep> steps;
};

// Ends the program with the line that cannot be read.
std::vector<ScalingCase> ReadScalingCases(const std::string& file, Mode mode);

// GoogleTest's way to print it.
inline void PrintTo(const ScalingCase& each, std::ostream* out) { *out << each.name; }

}  // namespace cloudstate::scaling
