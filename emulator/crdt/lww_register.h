#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cloudstate/crdt.pb.h"
#include "emulator/crdt/dot_store.h"

namespace cloudstate::crdt {

// A value of which the last write wins (Johnson and Thomas, "The maintenance of duplicate databases", RFC 677, 1975;
// Shapiro et al., "A comprehensive study of convergent and commutative replicated data types", 2011, section 3.2.1).
// The greatest stamp is the last; of equal ones, that of the lowest replica. The smallest-wins clock counts downwards.
class LwwRegister {
 public:
  struct Stamped {
    std::string value;  // KeyOf
    std::int64_t timestamp = 0;
    ReplicaId writer;
    bool operator==(const Stamped&) const = default;
  };

  // `now` is the writer's time of day, in milliseconds. A write whose stamp is not later than that of the value that is
  // known here loses at once: nothing changes.
  void Write(std::string value, crdt::CrdtClock clock, std::int64_t custom, std::int64_t now, Writer& writer,
             LwwRegister& delta);
  // Null before the first write.
  const Stamped* value() const;

  bool empty() const { return writes_.empty(); }
  void Join(const LwwRegister& theirs, const Joining& joining) { writes_.Join(theirs.writes_, joining); }
  void Clear(Writer& writer) { writes_.Clear(writer); }
  // A value that a replica wrote that is gone for good stays, stamp and all.
  void Prune(ReplicaId gone, Writer& writer, LwwRegister& delta);
  template <typename Visit>
  void VisitDots(const Visit& visit) const {
    writes_.VisitDots(visit);
  }
  using Writes = DotFun<Stamped>;  // several, after concurrent writes, until the next one
  const Writes& dots() const { return writes_; }
  Writes& dots() { return writes_; }

  bool operator==(const LwwRegister&) const = default;

 private:
  Writes writes_;
};

}  // namespace cloudstate::crdt
