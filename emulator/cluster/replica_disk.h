#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "emulator/base/entity_key.h"
#include "emulator/base/lifetime.h"
#include "emulator/base/strand.h"
#include "emulator/crdt/state.h"
#include "emulator/journal/replica_store.h"

namespace cloudstate::cluster {

// What one life of a node keeps of its replicas, for the lives after it. Changes are joined into one piece for an
// entity, which is kept after a time; when an entity's pieces have grown longer than its state was, the state replaces
// them. So what is written is in proportion to what has changed, and a crash of the emulator loses what is younger than
// the interval. What cannot be kept or read is tried again. On the node's strand.
class ReplicaDisk {
 public:
  using StateOf = std::function<const crdt::State&(const base::EntityKey&)>;

  // Without a store nothing is kept, and it is open at once. All references outlive this.
  ReplicaDisk(base::Strand& strand, journal::ReplicaStore* store, crdt::ReplicaId self, absl::Duration interval,
              StateOf state_of, std::function<void(const std::string&)> report_error);
  ~ReplicaDisk();

  // The life's replicas begin: `found` gets what was kept, one entity after the other, and then it is open. Only the
  // first time.
  using Found = absl::AnyInvocable<void(const base::EntityKey& key, const crdt::State& state)>;
  void Open(Found found, absl::AnyInvocable<void()> opened);
  bool is_open() const { return open_; }
  // All that is known of the entity is kept.
  bool HasAll(const base::EntityKey& key) const { return open_ && on_way_ == 0 && !due_.contains(key); }

  // Nothing is due, nor on its way. True without a store.
  bool is_saved() const { return store_ == nullptr || (open_ && on_way_ == 0 && due_.empty()); }

  // `change`, a delta or the whole state, has become part of the entity's.
  void Add(const base::EntityKey& key, const crdt::State& change);
  // Its state is to replace what is kept.
  void AddWhole(const base::EntityKey& key);
  // What is due, now.
  void Save();
  // Other nodes are to begin with nothing. `done` is told whether they will.
  void KeepOnly(const std::vector<crdt::ReplicaId>& nodes, absl::AnyInvocable<void(bool)> done);

 private:
  struct Due {
    crdt::State change{crdt::State::Kind::kDelta};
    bool whole = false;  // in place of it
  };
  struct Kept {  // bytes
    std::size_t whole = 0;
    std::size_t since = 0;
  };

  void Begin();
  void OnBegun(const std::vector<journal::ReplicaPiece>& pieces);
  void SaveSoon(absl::Duration time);
  journal::ReplicaPiece Take(const base::EntityKey& key, const Due& due);
  void Keep(std::vector<journal::ReplicaPiece> pieces);
  void OnKept(const std::vector<base::EntityKey>& keys, const absl::Status& status);

  base::Strand& strand_;
  journal::ReplicaStore* const store_;
  const crdt::ReplicaId self_;
  const absl::Duration interval_;
  const StateOf state_of_;
  const std::function<void(const std::string&)> report_error_;
  Found found_;
  absl::AnyInvocable<void()> opened_;
  bool open_;
  bool failing_ = false;  // which has been reported
  bool failed_ = false;   // something of what is on its way
  std::map<base::EntityKey, Due> due_;
  std::map<base::EntityKey, Kept> kept_;
  std::size_t on_way_ = 0;  // answers that the store owes
  base::TimerId timer_ = base::TimerId::kNone;
  base::Lifetime lifetime_;
};

}  // namespace cloudstate::cluster
