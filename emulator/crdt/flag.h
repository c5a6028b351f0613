#pragma once

#include "emulator/base/planted_bug.h"
#include "emulator/crdt/dot_store.h"

namespace cloudstate::crdt {

// Off, until it is switched on, for good: the or of all replicas (Shapiro et al., "A comprehensive study of convergent
// and commutative replicated data types", 2011: a G-Set of one element).
class Flag {
 public:
  bool value() const { return !enabled_.empty(); }
  void Enable(Writer& writer, Flag& delta) {
    if (!value()) enabled_.Renew(writer, delta.enabled_);
  }

  bool empty() const { return enabled_.empty(); }
  void Join(const Flag& theirs, const Joining& joining) {
    enabled_.Join(theirs.enabled_, joining);
    if (base::IsPlanted(base::PlantedBug::kFlagNeedsAll) && theirs.empty()) enabled_.Reset();
  }
  void Clear(Writer& writer) { enabled_.Clear(writer); }
  void Prune(ReplicaId gone, Writer& writer, Flag& delta) { enabled_.Prune(gone, writer, delta.enabled_); }
  template <typename Visit>
  void VisitDots(const Visit& visit) const {
    enabled_.VisitDots(visit);
  }
  const DotSet& dots() const { return enabled_; }
  DotSet& dots() { return enabled_; }

  bool operator==(const Flag&) const = default;

 private:
  DotSet enabled_;
};

}  // namespace cloudstate::crdt
