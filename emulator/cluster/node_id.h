#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace cloudstate::cluster {

// Nodes are numbered from 1, in the order in which they were made.
enum class NodeId : std::uint32_t { kNone = 0 };

// As people and flags call it: its number.
inline std::string ToString(NodeId node) { return std::to_string(static_cast<std::uint32_t>(node)); }

enum class NodeState : std::uint32_t { kJoining = 1, kUp, kLeaving, kDown, kRemoved };

// "joining", "up", …
absl::string_view StateName(NodeState state);

// What is known of a node. Of two records of a node the one with the higher incarnation is right, then the one with the
// later state: so records can be merged in any order, and all nodes come to know the same.
struct NodeRecord {
  std::uint64_t incarnation = 1;  // its life: 1 at first, one more after each end
  NodeState state = NodeState::kJoining;
  std::uint64_t age = 0;  // position in the order in which nodes came up, the oldest is 1; 0 before

  bool operator==(const NodeRecord&) const = default;

  // Not down, and not removed.
  bool MayBeAlive() const { return state < NodeState::kDown; }
  // Up or leaving: it counts for majorities.
  bool IsMember() const { return state == NodeState::kUp || state == NodeState::kLeaving; }
};

using View = std::map<NodeId, NodeRecord>;

}  // namespace cloudstate::cluster
