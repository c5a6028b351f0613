#include "emulator/runtime/free_ports.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace cloudstate::runtime {
namespace {

constexpr int kMostDraws = 1'000;

}  // namespace

absl::StatusOr<FreePorts::Port> FreePorts::Take() {
  std::erase_if(taken_, [](const auto& each) { return each.expired(); });
  for (int i = 0; i < kMostDraws; ++i) {
    absl::StatusOr<userfunction::ReservedPort> drawn = draw_();
    if (!drawn.ok()) return drawn.status();
    const bool is_taken = std::ranges::any_of(taken_, [&drawn](const auto& each) {
      const auto port = each.lock();
      return port != nullptr && port->number() == drawn->number();
    });
    if (is_taken) continue;
    Port port = std::make_shared<userfunction::ReservedPort>(*std::move(drawn));
    taken_.push_back(port);
    return port;
  }
  return absl::UnavailableError(
      absl::StrCat("no port is free besides those that ", taken_.size(), " replicas have; scale down"));
}

}  // namespace cloudstate::runtime
