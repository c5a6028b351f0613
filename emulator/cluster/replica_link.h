#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "cloudstate/cluster/wire.pb.h"
#include "emulator/base/entity_key.h"
#include "emulator/crdt/state.h"

namespace cloudstate::cluster {

// What one life of a peer is still to be told of replicas, and what it has not acknowledged. For each entity at most
// one change is on its way; what comes meanwhile is joined into one that is due. Pure.
class ReplicaLink {
 public:
  // Whether somebody waits for the peer to have it.
  enum class Urgency { kUsual, kUrgent };

  // `state`, which has the delta already, is the entity's.
  void Add(const base::EntityKey& key, const crdt::State& delta, const crdt::State& state, Urgency urgency);
  // All of the entity's state, as it will be when it is sent.
  void AddWhole(const base::EntityKey& key, Urgency urgency);

  // All that is due and may go, each change with a number of its own, in messages that are not too long.
  std::vector<wire::Replication> Take(const std::function<const crdt::State&(const base::EntityKey&)>& state_of,
                                      const std::function<std::uint64_t()>& next_number, absl::Time now);
  // The entity of the change with that number; nothing where there is no such change on its way.
  std::optional<base::EntityKey> OnJoined(std::uint64_t number);

  // Something is due and may go.
  bool is_due() const { return !ready_.empty(); }
  bool is_urgent() const { return urgent_; }
  // Changes that are due or on their way.
  std::size_t pending() const;

  // What the peer is still to be told of one entity.
  struct Sight {
    const crdt::State* due = nullptr;  // the deltas that wait, joined
    std::size_t joined = 0;            // how many
    bool whole_due = false;            // all of the entity's state, in place of them
    std::uint64_t on_way = 0;          // the number of the change that is on its way; 0 for none
    std::size_t on_way_bytes = 0;
    absl::Time sent;
  };
  std::optional<Sight> SightOf(const base::EntityKey& key) const;  // nothing where there is nothing

 private:
  struct Outgoing {
    std::optional<crdt::State> due;  // deltas, joined
    std::size_t joined = 0;          // how many
    bool whole = false;              // in place of them
    bool urgent = false;
    std::uint64_t on_way = 0;  // the number of the change that is; 0 for none
    std::size_t on_way_bytes = 0;
    absl::Time sent = absl::InfinitePast();

    bool is_due() const { return whole || due.has_value(); }
  };
  using ByKey = std::map<base::EntityKey, Outgoing>;

  void OnDue(ByKey::iterator place, Urgency urgency);

  ByKey outgoing_;                                    // none that has nothing due and nothing on its way
  std::map<base::EntityKey, ByKey::iterator> ready_;  // those with something due and nothing on its way
  std::map<std::uint64_t, ByKey::iterator> on_way_;   // by number
  bool urgent_ = false;                               // any of the ready ones is
};

}  // namespace cloudstate::cluster
