#pragma once

#include "emulator/simulation/virtual_strand.h"

namespace cloudstate::testing {

using simulation::VirtualStrand;

}  // namespace cloudstate::testing
