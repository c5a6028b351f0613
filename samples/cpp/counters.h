#pragma once

#include "samples/cpp/user_function.h"

namespace cloudstate::samples {

// Counters that grow and that go up and down, samples/protos/counters.
UserFunction Counters();

}  // namespace cloudstate::samples
