#pragma once

#include <cstdint>
#include <set>

#include "emulator/base/planted_bug.h"
#include "emulator/crdt/dot_store.h"

namespace cloudstate::crdt {

// The replicas that are there now, each with a vote.
using Voters = std::set<ReplicaId>;

// A yes or no of each replica: a number that is odd for yes and grows by one with each change, so that the greatest is
// the last, kept under the dot of that change. Votes of replicas that are not there now do not count. The published
// proxy's type (cloudstateio/cloudstate, `Vote`).
class Vote {
 public:
  struct Tally {
    bool self = false;
    std::int32_t votes_for = 0;
    std::int32_t total = 0;
    bool operator==(const Tally&) const = default;
  };

  void Set(bool vote, Writer& writer, Vote& delta) {
    const auto* own = changes_.Of(writer.self());
    const std::uint64_t changes = own == nullptr ? 0 : own->second;
    if ((changes % 2 == 1) == vote) return;
    changes_.Write(changes + 1, writer, delta.changes_, [&](const Dot& dot) {
      return dot.replica == writer.self() && !base::IsPlanted(base::PlantedBug::kFirstVoteKept);
    });
  }
  Tally value(ReplicaId self, const Voters& voters) const {
    Tally tally;
    tally.total = static_cast<std::int32_t>(voters.size());
    for (const ReplicaId& voter : voters) {
      const auto* changes = changes_.Of(voter);
      const bool yes = changes != nullptr && changes->second % 2 == 1;
      tally.votes_for += yes ? 1 : 0;
      if (voter == self) tally.self = yes;
    }
    return tally;
  }

  bool empty() const { return changes_.empty(); }
  void Join(const Vote& theirs, const Joining& joining) { changes_.Join(theirs.changes_, joining); }
  void Clear(Writer& writer) { changes_.Clear(writer); }
  // The vote of a replica that is gone for good is gone with it.
  void Prune(ReplicaId gone, Writer& writer, Vote&) {
    changes_.Drop(writer, [&](const Dot& dot) { return dot.replica == gone; });
  }
  template <typename Visit>
  void VisitDots(const Visit& visit) const {
    changes_.VisitDots(visit);
  }
  using Changes = DotFun<std::uint64_t>;
  const Changes& dots() const { return changes_; }
  Changes& dots() { return changes_; }

  bool operator==(const Vote&) const = default;

 private:
  Changes changes_;
};

}  // namespace cloudstate::crdt
