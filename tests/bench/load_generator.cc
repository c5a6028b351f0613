// Calls the shopping cart for a while, for measurements that are made by another program:
//
//   load_generator ADDRESS LANES ENTITIES SECONDS [PER_SECOND]
//
// adds to carts at the emulator's client port ADDRESS, with LANES calls under way at a time: as many as are answered,
// or so many in a second. Prints one line of JSON: calls, per_second, p50_ms, p99_ms, longest_ms.

#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "tests/bench/cart_calls.h"
#include "tests/bench/load.h"

namespace cloudstate::bench {
namespace {

int Generate(int count, char** arguments) {
  std::size_t lanes = 0;
  std::size_t entities = 0;
  double seconds = 0;
  double per_second = 0;
  const bool understood = (count == 5 || count == 6) && absl::SimpleAtoi(arguments[2], &lanes) && lanes > 0 &&
                          absl::SimpleAtoi(arguments[3], &entities) && entities > 0 &&
                          absl::SimpleAtod(arguments[4], &seconds) &&
                          (count == 5 || absl::SimpleAtod(arguments[5], &per_second));
  if (!understood) {
    std::cerr << "usage: load_generator ADDRESS LANES ENTITIES SECONDS [PER_SECOND]\n";
    return 2;
  }
  const std::unique_ptr<Calls> calls = CartCalls(arguments[1], CartMethod::kAddItem);
  const absl::Duration time = absl::Seconds(seconds);
  const Figures figures = per_second > 0 ? MeasureAtRate(*calls, lanes, entities, time, per_second)
                                         : Measure(*calls, lanes, entities, time);
  if (!figures.failure.ok()) {
    std::cerr << "a call failed: " << figures.failure.ToString() << "\n";
    return 1;
  }
  const auto milliseconds = [&](double share) {
    return absl::ToDoubleMilliseconds(Percentile(figures.latencies, share));
  };
  std::cout << absl::StrFormat(R"({"calls":%d,"per_second":%.1f,"p50_ms":%.3f,"p99_ms":%.3f,"longest_ms":%.3f})",
                               figures.calls, figures.PerSecond(), milliseconds(0.5), milliseconds(0.99),
                               milliseconds(1))
            << "\n";
  return 0;
}

}  // namespace
}  // namespace cloudstate::bench

int main(int count, char** arguments) { return cloudstate::bench::Generate(count, arguments); }
