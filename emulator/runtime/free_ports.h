#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "emulator/userfunction/reserved_port.h"

namespace cloudstate::runtime {

// Ports for processes that are started again on the one that they have: no two have the same at one time.
class FreePorts {
 public:
  // Taken for as long as somebody keeps it, on whatever thread, even when it is no longer reserved.
  using Port = std::shared_ptr<userfunction::ReservedPort>;
  using Draw = std::function<absl::StatusOr<userfunction::ReservedPort>()>;

  explicit FreePorts(Draw draw) : draw_(std::move(draw)) {}

  // Errors are those of `draw`; UNAVAILABLE where all that it finds are taken.
  absl::StatusOr<Port> Take();

 private:
  const Draw draw_;
  std::vector<std::weak_ptr<const userfunction::ReservedPort>> taken_;
};

}  // namespace cloudstate::runtime
