#pragma once

#include <cstdint>
#include <string>

#include "cloudstate/dev/v1/crdt.pb.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {

// CRDT entities for people.

// A line for each.
std::string FormatCrdts(const dev::v1::ListCrdtsResponse& listed, const Terminal& terminal);
// The replicas side by side, what is on its way, and what differs and why.
std::string FormatCrdt(const dev::v1::CrdtDetail& detail, const Terminal& terminal);
// All that one node has of it; the node is among the replicas.
std::string FormatReplica(const dev::v1::CrdtDetail& detail, std::int32_t node, const Terminal& terminal);

// One line, with its end; on a terminal not wider than that. The entity's name may be left out.
enum class EntityName { kShown, kLeftOut };
std::string FormatCrdtEvent(const dev::v1::CrdtEvent& event, EntityName name, const Terminal& terminal);

}  // namespace cloudstate::cli
