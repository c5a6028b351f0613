#pragma once

#include <string>
#include <vector>

#include "cloudstate/dev/v1/dev.pb.h"
#include "emulator/testing/case_result.h"

namespace cloudstate::testing {

// What of a user function the cases have reached.
struct Coverage {
  struct Method {
    std::string service;
    std::string method;
    bool called = false;
  };
  struct EventType {
    std::string name;  // full
    bool stored = false;
    bool given = false;
  };

  std::vector<Method> methods;    // all there are, in the order of their declaration
  std::vector<EventType> events;  // those that any case has to do with, by name

  // 0 to 100; 100 where there are no methods.
  double PercentOfMethods() const;
};

Coverage CoverageOf(const dev::v1::ListServicesResponse& services, const Covered& covered);

}  // namespace cloudstate::testing
