#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cloudstate/dev/v1/scenario.pb.h"
#include "emulator/base/random.h"
#include "emulator/base/strand.h"
#include "emulator/serving/backend.h"
#include "emulator/simulation/shared_history.h"

namespace cloudstate::simulation {

// What clients do with CRDT entities, and what they see of them: chooses their calls and notes down what comes of them,
// for CheckShared. Each call goes to a certain node, since each has a copy of its own. On the strand.
//
// The entities are of all eight types in turn. One that is deleted, or has been changed so often that its counters are
// full, is followed by a new one of its type.
class SharedCalls {
 public:
  // A node as it is now.
  struct Sight {
    std::uint64_t life = 0;  // 0 where it has none
    crdt::Voters up = {};    // the members that are up, as it sees them
  };
  // Of the nodes 1, 2, 3 …; nothing for a number that there is no node of.
  using Look = std::function<std::optional<Sight>(std::uint32_t node)>;

  struct Choice {
    SharedOperation shared;
    base::EntityKey entity;
    std::uint32_t node = 0;
    serving::Call call;
    absl::Duration stay = absl::InfiniteDuration();  // how long the client does, where it comes to that
  };

  SharedCalls(base::Strand& strand, base::Random& random, std::vector<Operation>& operations, Look look)
      : strand_(strand), random_(random), operations_(operations), look_(std::move(look)) {}

  // Something to do; `id` names what it writes.
  Choice Choose(const dev::v1::Load& load, std::uint64_t id);
  Choice Read(std::uint32_t node, const base::EntityKey& entity) const;

  // The call is about to be made, as the operation that was noted last. Returns its place among the shared ones.
  std::size_t Begin(const Choice& choice);
  // An answer has come.
  void OnMessage(std::size_t shared, const std::string& message);
  // The operation has ended with `status` and has the outcome that follows from it; what is told of CRDT entities in
  // particular is put right. Whether it was answered in one way or another.
  bool OnEnd(std::size_t shared, const absl::Status& status);

  std::string Describe(std::size_t shared) const;
  // What was told to its client, in words.
  std::string LastTold(std::size_t shared) const;
  const std::vector<SharedOperation>& shared() const { return shared_; }
  const std::vector<Sighting>& sightings() const { return sightings_; }

 private:
  // One of the entities that are in use.
  struct Slot {
    int type = 0;
    std::uint64_t number = 0;
    int changes = 0;
    std::map<int, int> amounts = {};                           // by key, how many
    std::vector<std::pair<int, std::uint64_t>> elements = {};  // that were added, under which key
  };

  Slot& Draw(const dev::v1::Load& load);
  void Renew(Slot& slot);
  std::uint32_t DrawNode(const dev::v1::Load& load);
  crdt::CrdtDelta DrawChange(Slot& slot, std::uint64_t id, SharedOperation& shared);
  crdt::CrdtDelta DrawChangeOf(Slot& slot, int type, std::uint64_t id, SharedOperation& shared);
  base::EntityKey KeyOf(const Slot& slot) const;
  // The life in which the operation has been carried out all the time until now; node 0 where there is none.
  crdt::ReplicaId LifeUntilNow(std::size_t shared, crdt::Voters* up = nullptr) const;
  Operation& Of(std::size_t shared) { return operations_[shared_[shared].operation]; }
  const Operation& Of(std::size_t shared) const { return operations_[shared_[shared].operation]; }

  base::Strand& strand_;
  base::Random& random_;
  std::vector<Operation>& operations_;
  const Look look_;
  std::vector<Slot> slots_;
  std::uint64_t last_number_ = 0;
  std::vector<SharedOperation> shared_;
  std::vector<std::uint64_t> lives_;  // of the node when each of those began
  std::vector<Sighting> sightings_;
};

}  // namespace cloudstate::simulation
