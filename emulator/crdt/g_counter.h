#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "emulator/crdt/dot_store.h"

namespace cloudstate::crdt {

// A counter that only grows: what each replica has counted, under the dot of its last increment (Shapiro et al., "A
// comprehensive study of convergent and commutative replicated data types", 2011, section 3.1.1, as a dot store, so
// that it can live in a map).
class GCounter {
 public:
  // OUT_OF_RANGE where the total as it is known here would not fit.
  absl::Status CheckIncrement(std::uint64_t by) const;
  void Increment(std::uint64_t by, Writer& writer, GCounter& delta);
  // The largest number where concurrent increments lead beyond it.
  std::uint64_t value() const;

  bool empty() const { return counts_.empty(); }
  void Join(const GCounter& theirs, const Joining& joining) { counts_.Join(theirs.counts_, joining); }
  void Clear(Writer& writer) { counts_.Clear(writer); }
  // What a replica that is gone for good has counted becomes the writer's.
  void Prune(ReplicaId gone, Writer& writer, GCounter& delta);
  template <typename Visit>
  void VisitDots(const Visit& visit) const {
    counts_.VisitDots(visit);
  }
  using Counts = DotFun<std::uint64_t>;
  const Counts& dots() const { return counts_; }
  Counts& dots() { return counts_; }

  bool operator==(const GCounter&) const = default;

 private:
  Counts counts_;
};

}  // namespace cloudstate::crdt
