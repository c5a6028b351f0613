#pragma once

#include <memory>

#include "emulator/simulation/simulated_entity.h"
#include "emulator/simulation/simulated_stream.h"

namespace cloudstate::simulation {

// One instance of a CRDT entity of simulation.Shared: its stream, with a strict reader of the protocol. It says several
// things at once where it is asked to: answers to commands that came one after the other, and news for those who stay.
std::unique_ptr<Conversation> NewSharedConversation(std::shared_ptr<UserFunctionCore> core);

}  // namespace cloudstate::simulation
