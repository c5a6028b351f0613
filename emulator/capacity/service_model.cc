#include "emulator/capacity/service_model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "emulator/base/chance.h"

namespace cloudstate::capacity {

Nanoseconds Spread::Draw(base::Random& random) const {
  const auto part = static_cast<double>(high);
  double more = 0;
  switch (kind) {
    case Kind::kConstant:
      return low;
    case Kind::kUniform:
      more = static_cast<double>(high - low) * base::Uniform(random);
      break;
    case Kind::kNormal: {
      const double radius = std::sqrt(-2 * std::log(1 - base::Uniform(random)));
      more = part * radius * std::cos(2 * std::numbers::pi * base::Uniform(random));
      break;
    }
    case Kind::kExponential:
      more = -part * std::log(1 - base::Uniform(random));
      break;
  }
  return std::max<Nanoseconds>(0, low + static_cast<Nanoseconds>(more));
}

CallCost ServiceModel::Draw(base::Random& random) const {
  if (!costs.empty()) return costs[base::Below(random, costs.size())];
  CallCost cost;
  cost.service = service.Draw(random);
  cost.after = rest.Draw(random);
  return cost;
}

}  // namespace cloudstate::capacity
