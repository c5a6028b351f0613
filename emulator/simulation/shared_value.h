#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cloudstate/crdt.pb.h"
#include "emulator/crdt/value.h"

namespace cloudstate::simulation {

// What simulated clients and the simulated user function say to each other about CRDT entities (ledger.proto).

// ledger::Element, as what is in sets and registers, and as a key of maps.
google::protobuf::Any ElementOf(std::uint64_t id);
// The same as in crdt::Value.
std::string ElementKey(std::uint64_t id);

// What is there after a change, or a whole value, that somebody else tells of.
void Hear(const crdt::CrdtDelta& told, std::optional<crdt::Value>& value);
// One line for people.
std::string ValueText(const std::optional<crdt::Value>& value);

}  // namespace cloudstate::simulation
