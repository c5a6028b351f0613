#pragma once

#include "cloudstate/dev/v1/crdt.pb.h"
#include "emulator/testing/json_value.h"

namespace cloudstate::cli {

// A CRDT's value as test files write it: counters as numbers, flags as true or false, registers as what they hold, sets
// as lists in the order of their JSON, maps as mappings by the texts of their keys, votes as {for: 2, total: 3}. Null
// where there is none.
testing::Json CrdtJson(const dev::v1::CrdtValue& value);

}  // namespace cloudstate::cli
