#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "cmd/cloudstate-dev/simulate_output.h"

namespace cloudstate::cli {

// Shrinks the scenario that `failed` has played until no more can go without what was violated, an invariant if one
// was, and writes it to `file`, with a comment that says what it is. `asked` is the scenario as it was written, `name`
// what people call it; `progress` is told how far it is.
//
// Where nothing but a condition of the scenario's own was violated, its own steps stay: without them the condition
// would not hold for reasons that tell nothing. Nothing comes back where only such steps were played.
absl::StatusOr<std::optional<ShrunkScenario>> ShrinkFailure(const dev::v1::Scenario& asked,
                                                            const simulation::Outcome& failed, const std::string& name,
                                                            const std::string& file,
                                                            const std::function<void(const std::string&)>& progress);

}  // namespace cloudstate::cli
