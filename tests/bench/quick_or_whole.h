#pragma once

#include <functional>
#include <iostream>
#include <string>

#include "absl/status/status.h"

namespace cloudstate::bench {

enum class Extent { kWhole, kQuick };

// The `main` of a benchmark that knows one argument, --quick; returns its exit code.
inline int RunBenchmark(int count, char** arguments, const std::function<absl::Status(Extent)>& run) {
  const std::string mode = count > 1 ? arguments[1] : "";
  if (!mode.empty() && mode != "--quick") {
    std::cerr << "usage: " << arguments[0] << " [--quick]\n";
    return 2;
  }
  const absl::Status status = run(mode.empty() ? Extent::kWhole : Extent::kQuick);
  if (status.ok()) return 0;
  std::cerr << "not measured: " << status << "\n";
  return 1;
}

}  // namespace cloudstate::bench
