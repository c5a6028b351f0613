#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

namespace cloudstate::base {

// Names one entity's durable state: services may come and go, what they stored is found again under this.
struct EntityKey {
  std::string persistence_id;
  std::string entity_id;

  auto operator<=>(const EntityKey&) const = default;
  bool operator==(const EntityKey&) const = default;

  // The published journal's way of writing it.
  std::string ToString() const { return persistence_id + "|" + entity_id; }

  template <typename H>
  friend H AbslHashValue(H state, const EntityKey& key) {
    return H::combine(std::move(state), key.persistence_id, key.entity_id);
  }
};

// Counts an entity's events from 1 over its whole life; 0 is "before the first".
using SequenceNumber = std::int64_t;

}  // namespace cloudstate::base
