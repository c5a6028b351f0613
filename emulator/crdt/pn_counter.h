#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "emulator/crdt/dot_store.h"

namespace cloudstate::crdt {

// A counter that goes up and down: each replica's ups and downs, counted apart, under the dot of its last change
// (Shapiro et al., "A comprehensive study of convergent and commutative replicated data types", 2011, section 3.1.3).
class PNCounter {
 public:
  struct Count {
    std::uint64_t up = 0;
    std::uint64_t down = 0;
    bool operator==(const Count&) const = default;
  };

  // OUT_OF_RANGE where the total as it is known here would not fit, or the counting itself comes to its end.
  absl::Status CheckChange(std::int64_t by, ReplicaId self) const;
  void Change(std::int64_t by, Writer& writer, PNCounter& delta);
  // The nearest number that fits where concurrent changes lead beyond.
  std::int64_t value() const;

  bool empty() const { return counts_.empty(); }
  void Join(const PNCounter& theirs, const Joining& joining) { counts_.Join(theirs.counts_, joining); }
  void Clear(Writer& writer) { counts_.Clear(writer); }
  // What a replica that is gone for good has counted becomes the writer's.
  void Prune(ReplicaId gone, Writer& writer, PNCounter& delta);
  template <typename Visit>
  void VisitDots(const Visit& visit) const {
    counts_.VisitDots(visit);
  }
  using Counts = DotFun<Count>;
  const Counts& dots() const { return counts_; }
  Counts& dots() { return counts_; }

  bool operator==(const PNCounter&) const = default;

 private:
  Counts counts_;
};

}  // namespace cloudstate::crdt
