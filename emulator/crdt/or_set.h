#pragma once

#include <string>

#include "emulator/base/planted_bug.h"
#include "emulator/crdt/element_set.h"

namespace cloudstate::crdt {

// A set where an addition wins over a concurrent removal, and a removal removes what it has seen only: the optimized
// ORSet, without tombstones (Bieniusa et al., "An optimized conflict-free replicated set", 2012).
class ORSet : public ElementSet {
 public:
  void Add(const std::string& key, Writer& writer, ORSet& delta) {
    if (base::IsPlanted(base::PlantedBug::kAddLoses) && Contains(key)) return;
    Renew(key, writer, delta);
  }
  void Remove(const std::string& key, Writer& writer, ORSet& delta) {
    const auto found = elements().find(key);
    if (found == elements().end()) return;
    if (!base::IsPlanted(base::PlantedBug::kRemovalNotNamed)) delta.elements()[key].Reset();
    found->second.Clear(writer);
    elements().erase(found);
  }
  void RemoveAll(Writer& writer, ORSet& delta) {
    for (const auto& [key, dots] : elements()) delta.elements()[key].Reset();
    Clear(writer);
  }
};

}  // namespace cloudstate::crdt
