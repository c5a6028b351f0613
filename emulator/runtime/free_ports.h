#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace cloudstate::runtime {

// Ports for processes of which several are started before the first one listens: no two have the same at one time.
class FreePorts {
 public:
  // Taken for as long as somebody keeps it, on whatever thread.
  using Port = std::shared_ptr<const std::uint16_t>;
  using Draw = std::function<absl::StatusOr<std::uint16_t>()>;

  // `draw` finds a port that nobody listens on now.
  explicit FreePorts(Draw draw) : draw_(std::move(draw)) {}

  // Errors are those of `draw`; UNAVAILABLE where all that it finds are taken.
  absl::StatusOr<Port> Take();

 private:
  const Draw draw_;
  std::vector<std::weak_ptr<const std::uint16_t>> taken_;
};

}  // namespace cloudstate::runtime
