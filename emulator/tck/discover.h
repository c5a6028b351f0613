#pragma once

#include "cloudstate/entity.pb.h"
#include "emulator/tck/peer.h"

namespace cloudstate::tck {

// Asks the user function what it declares, as a proxy of protocol 0.2. Throws CaseFailure without an answer.
EntitySpec Discover(Peer& user_function);

}  // namespace cloudstate::tck
