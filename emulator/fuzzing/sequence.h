#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cloudstate/dev/v1/testfile.pb.h"
#include "emulator/fuzzing/method.h"

namespace cloudstate::fuzzing {

// What is done to a user function, one after the other: steps of a test that expect nothing yet. Calls have the full
// names of their methods, evictions those of their services.
using Sequence = std::vector<dev::v1::TestStep>;

// A read of an entity that nothing has been done to, and that is asked nothing else. What a user function that does not
// mix up its entities answers depends on nothing but `method`.
struct Probe {
  const Method* method = nullptr;
};

// The sequence of a seed: commands to few entities, one of them most often; now and then the same command many times;
// evictions, a time in which entities are passivated, and probes. `methods` is not empty; neither has to outlive this.
Sequence MakeSequence(const std::vector<Method>& methods, const std::vector<Probe>& probes, std::uint64_t seed,
                      int steps);

// A step that asks the entity nothing but what its key says. The method's input has a key.
dev::v1::TestStep ProbeStep(const Method& method, int number);
// Whether the step is such a one. Its entity id depends on `number` only, and has always the same length.
bool IsProbe(const dev::v1::TestStep& step, const Method& method);

}  // namespace cloudstate::fuzzing
