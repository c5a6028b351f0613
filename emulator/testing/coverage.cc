#include "emulator/testing/coverage.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"

namespace cloudstate::testing {

double Coverage::PercentOfMethods() const {
  if (methods.empty()) return 100;
  const auto called = std::count_if(methods.begin(), methods.end(), [](const Method& each) { return each.called; });
  return 100.0 * static_cast<double>(called) / static_cast<double>(methods.size());
}

Coverage CoverageOf(const dev::v1::ListServicesResponse& services, const Covered& covered) {
  Coverage coverage;
  for (const dev::v1::Service& service : services.services()) {
    for (const dev::v1::Method& method : service.methods()) {
      const bool called = covered.methods.count(absl::StrCat(service.name(), ".", method.name())) > 0;
      coverage.methods.push_back({service.name(), method.name(), called});
    }
  }
  std::map<std::string, Coverage::EventType> events;
  for (const std::string& name : covered.stored_events) events[name] = {name, true, false};
  for (const std::string& name : covered.given_events) {
    events[name].name = name;
    events[name].given = true;
  }
  for (auto& [name, event] : events) coverage.events.push_back(std::move(event));
  return coverage;
}

}  // namespace cloudstate::testing
