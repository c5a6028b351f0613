#pragma once

#include "cloudstate/dev/v1/crdt.pb.h"
#include "emulator/testing/json_value.h"
#include "emulator/testing/known_types.h"

namespace cloudstate::testing {

// A CRDT's value as test files write it: counters as numbers, flags as true or false, registers as what they hold, sets
// as lists in the order of their JSON, maps as mappings by the texts of their keys, votes as {for: 2, total: 3}.
// Nothing where there is none.
Actual CrdtActual(const dev::v1::CrdtValue& value, const KnownTypes& types);

}  // namespace cloudstate::testing
