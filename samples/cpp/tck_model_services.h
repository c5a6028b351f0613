#pragma once

#include <vector>

#include "samples/cpp/user_function.h"

namespace cloudstate::samples {

// The parts of the conformance model, one for each kind.
std::vector<EventSourcedService> EventSourcedModel();
std::vector<ValueEntityService> ValueEntityModel();
std::vector<CrdtService> CrdtModel();
std::vector<ActionService> ActionModel();

}  // namespace cloudstate::samples
