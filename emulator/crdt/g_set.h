#pragma once

#include <string>

#include "emulator/base/planted_bug.h"
#include "emulator/crdt/element_set.h"

namespace cloudstate::crdt {

// A set that only grows (Shapiro et al., "A comprehensive study of convergent and commutative replicated data types",
// 2011, section 3.3.1). Its elements have dots all the same, so that it can live in a map, where it may be removed.
class GSet : public ElementSet {
 public:
  void Add(const std::string& key, Writer& writer, GSet& delta) {
    if (base::IsPlanted(base::PlantedBug::kOneAdded)) delta = GSet();
    if (!Contains(key)) Renew(key, writer, delta);
  }
  // What a replica that is gone for good has added is added again by the writer.
  void Prune(ReplicaId gone, Writer& writer, GSet& delta) {
    for (const auto* each : Sorted()) {
      if (each->second.HasWriteOf(gone)) Renew(each->first, writer, delta);
    }
  }
};

}  // namespace cloudstate::crdt
