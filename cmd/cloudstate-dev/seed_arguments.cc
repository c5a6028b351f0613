#include "cmd/cloudstate-dev/seed_arguments.h"

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"

namespace cloudstate::cli {

std::uint64_t ParseSeed(const std::string& text) {
  std::uint64_t seed = 0;
  if (absl::SimpleAtoi(text, &seed)) return seed;
  throw CLI::ValidationError("--seed takes a number from 0 to 18446744073709551615, not '" + text + "'.");
}

simulation::SeedRange ParseSeeds(const std::string& text) {
  const auto dots = text.find("..");
  simulation::SeedRange range;
  if (dots != std::string::npos && absl::SimpleAtoi(text.substr(0, dots), &range.first) &&
      absl::SimpleAtoi(text.substr(dots + 2), &range.last) && range.first <= range.last) {
    return range;
  }
  throw CLI::ValidationError("--seeds takes two numbers, as in 1..1000, not '" + text + "'.");
}

}  // namespace cloudstate::cli
