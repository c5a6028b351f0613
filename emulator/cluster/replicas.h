#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cloudstate/cluster/wire.pb.h"
#include "emulator/base/entity_key.h"
#include "emulator/base/lifetime.h"
#include "emulator/base/strand.h"
#include "emulator/cluster/replica_disk.h"
#include "emulator/cluster/replica_events.h"
#include "emulator/cluster/replica_link.h"
#include "emulator/crdt/state.h"
#include "emulator/entities/crdt_replica.h"

namespace cloudstate::cluster {

// All replicas of CRDT entities on one node, in one life, and their exchange with the other nodes. On the node's
// strand.
//
// A change is joined into the delta that is due to each peer, and sent after a time, or at once where somebody waits
// for acknowledgements. What a peer has not acknowledged yet is never more than one delta for an entity on its way and
// one that is due: a slow peer costs no more memory than the state itself. Since deltas may get lost with a life of a
// node, digests of all replicas go to one random peer at a time, which asks for, and offers, what differs; a peer that
// is new gets them from everybody at once. There is no timer while there is no replica.
//
// What a majority has is what more than half of the members have that are up, or were when the write began if those
// were more, each in the life in which it has acknowledged: so whatever minority of them goes, one is left that has it.
// All are those that are up when the last of them has acknowledged.
//
// Writes of a life that is over are pruned: when the members have been the same for a time, and all of them have the
// same of an entity, the coordinator makes those writes its own. After the same time once more, when nobody has
// anything of them, all forget that they have been; what can be removed one by one stays theirs until it is. Nodes that
// are not members yet are asked too, since they could bring back more of such writes.
//
// With a store, a life begins, once it is up, with what those before it have kept. Until that is there, nobody reads
// here, and nothing is answered about what is known.
class Replicas {
 public:
  struct Options {
    // A change waits at most this long for others to go with it, to the peers and to the disk.
    absl::Duration delta_interval = absl::Milliseconds(200);
    absl::Duration gossip_interval = absl::Seconds(2);  // between digests to a random peer
    absl::Duration read_timeout = absl::Seconds(3);
    absl::Duration write_timeout = absl::Seconds(5);
    absl::Duration prune_after = absl::Minutes(5);  // that a node has been gone
    std::size_t most_digests = 1000;                // in one message
  };

  // What the engine needs of its node's life.
  class Peers {
   public:
    virtual ~Peers() = default;
    // The others that are members, or heard from, as this node sees it, each in its life.
    virtual std::vector<crdt::ReplicaId> Others() const = 0;
    // Members that are up, this node among them if it is. The others of them are among Others.
    virtual const crdt::Voters& Up() const = 0;
    // This node is the one that prunes, and no life but those of Others may go on.
    virtual bool MayPrune() const = 0;
    // By the ordered, complete conversation with that life of the peer; dropped if that is over.
    virtual void Send(crdt::ReplicaId to, wire::Replication message) = 0;
    // For choices that need not be good: uniform below `bound`.
    virtual std::size_t Random(std::size_t bound) = 0;
    // The replica of that entity has changed, but not by an update from here, or the members have.
    virtual void OnChanged(const base::EntityKey& key) = 0;
    virtual void ReportError(const std::string& text) = 0;
  };

  // The references, and the store where there is one, outlive this. Destroying it drops all callbacks.
  Replicas(const Options& options, base::Strand& strand, crdt::ReplicaId self, Peers& peers,
           journal::ReplicaStore* store = nullptr);
  ~Replicas();
  Replicas(const Replicas&) = delete;
  Replicas& operator=(const Replicas&) = delete;

  // The replica, made empty if there is none. It stays where it is, until it is released.
  entities::CrdtReplica& Of(const base::EntityKey& key);
  // Nobody uses it any more: one that nothing is known of goes.
  void Release(const base::EntityKey& key);
  // It is known of the entity that this life begins with. Before anything else.
  void Know(const base::EntityKey& key, const crdt::State& state);
  // Null where this node knows nothing of it.
  const crdt::State* Find(const base::EntityKey& key) const;
  // Of what this node knows something; sorted.
  std::vector<base::EntityKey> Keys() const;
  // Nodes with the same digest know the same of all entities, but for accidents of 64 bits.
  std::uint64_t Digest() const;

  void OnMessage(crdt::ReplicaId from, wire::Replication message);
  // The members may have changed: who is gone, who is up. To be called once before anything else.
  void OnMembers();
  // The node is about to leave: all that it has goes to all others. It is done when the disk is open and nothing is
  // pending.
  void HandOver();
  bool is_open() const { return disk_.is_open(); }
  // What is due to the disk goes there at once: the emulator ends.
  void Save() { disk_.Save(); }
  // The disk has all that is due to it.
  bool is_saved() const { return disk_.is_saved(); }

  // Changes that this node is to tell the peer, or has and they are not acknowledged.
  std::size_t pending(crdt::ReplicaId peer) const;
  std::size_t pending() const;

  // ---- for people

  // From now on those who watch are told of what happens to its replicas. Outlives this.
  void Observe(const ReplicaEvents& events) { events_ = &events; }
  const ReplicationFigures& figures() const { return figures_; }
  // How many this node knows something of.
  std::size_t entities() const;
  // The first one after that; null after the last.
  const base::EntityKey* NextKey(const base::EntityKey& after) const;
  // 0 where this node knows nothing of it.
  std::uint64_t Digest(const base::EntityKey& key) const;
  // Commands that wait until other nodes have acknowledged or answered.
  struct WaitingFor {
    std::size_t writes = 0;
    std::size_t reads = 0;
  };
  WaitingFor waiting(const base::EntityKey& key) const;
  const crdt::Voters& up() const { return peers_.Up(); }
  const Options& options() const { return options_; }
  // To all others.
  const std::map<crdt::ReplicaId, ReplicaLink>& links() const { return links_; }

 private:
  using Urgency = ReplicaLink::Urgency;

  // Who waits until enough nodes have a write, or have said what they know.
  struct Waiting {
    enum class For { kMajority, kAll, kRead };

    For what = For::kMajority;
    std::uint64_t number = 0;
    std::size_t up_at_first = 0;
    std::set<crdt::ReplicaId> have = {};   // others that do
    std::set<crdt::ReplicaId> asked = {};  // by a read
    base::TimerId timer = base::TimerId::kNone;
    absl::AnyInvocable<void(absl::Status)> done = nullptr;
  };

  class Replica final : public entities::CrdtReplica {
   public:
    Replica(Replicas& owner, const base::EntityKey& name) : key(name), owner_(owner) {}

    const crdt::State& state() const override { return known; }
    crdt::ReplicaId self() const override { return owner_.self_; }
    const crdt::Voters& voters() const override { return owner_.peers_.Up(); }
    void Read(absl::AnyInvocable<void()> read) override;
    absl::Status Update(const crdt::CrdtDelta& update, crdt::CrdtWriteConsistency consistency,
                        absl::AnyInvocable<void(absl::Status)> written) override;
    void Delete(crdt::CrdtWriteConsistency consistency, absl::AnyInvocable<void(absl::Status)> written) override;

    // `known` has changed: its digests are worked out anew when they are asked for.
    void Touch();
    std::uint64_t Digest() const;
    // How much more this adds to the digest of all than it did.
    std::uint64_t RenewShare() const;

    const base::EntityKey& key;  // the map's
    crdt::State known;
    std::vector<Waiting> waiting;
    // For pruning: those that have said that they have the same, and what.
    std::uint64_t agreed_on = 0;
    std::set<crdt::ReplicaId> agreed;
    std::map<crdt::ReplicaId, absl::Time> bare;  // lives that are over and have left nothing, since when it is known

   private:
    Replicas& owner_;
    mutable std::optional<std::uint64_t> digest_;
    mutable std::uint64_t share_ = 0;
    mutable bool touched_ = false;  // it is among the owner's
  };
  // Stay where they are. One of which anything is known is never removed.
  using ByKey = std::map<base::EntityKey, std::unique_ptr<Replica>>;

  Replica& Make(const base::EntityKey& key);
  Replica* FindReplica(const base::EntityKey& key) const;  // null where this node knows nothing of it

  // ---- for people
  bool watched() const { return events_ != nullptr && !events_->empty(); }
  // To those who watch; the node is this one.
  void Tell(ReplicaEvent event) const;
  void TellOutcome(const Replica& replica, const Waiting& waiting, ReplicaEvent::Kind kind) const;
  // Before the peer's change becomes part of the replica.
  void OnArrived(crdt::ReplicaId from, const Replica& replica, const wire::ReplicaChange& change,
                 const crdt::State& theirs);
  // To the peer; counted and told.
  void Send(crdt::ReplicaId to, wire::Replication message);

  // ---- the disk
  void OnKnown(const base::EntityKey& key, const crdt::State& state);
  void OnOpen();

  // ---- reads and writes
  void Write(Replica& replica, const crdt::State& delta, crdt::CrdtWriteConsistency consistency,
             absl::AnyInvocable<void(absl::Status)> written);
  void Wait(Replica& replica, Waiting waiting, absl::Duration timeout);
  void Ask(Replica& replica, Waiting& read);
  bool IsMet(const Waiting& waiting) const;
  // Ends what has been waited for.
  void Settle(Replica& replica);
  void OnTimeout(Replica& replica, std::uint64_t number);

  // ---- what goes out
  void Spread(Replica& replica, const crdt::State& delta, Urgency urgency);
  void Flush(crdt::ReplicaId peer, ReplicaLink& link);
  // Now where it is urgent, else when it is time.
  void FlushSoon(crdt::ReplicaId peer, ReplicaLink& link);
  void FlushAll();
  void Welcome(crdt::ReplicaId peer, ReplicaLink& link);
  void SendAllDigests(crdt::ReplicaId peer);
  static void AddDigest(const Replica& replica, wire::Replication& message);
  void KeepGossiping();
  void Gossip();
  // Those that come next, in turn.
  std::vector<Replica*> NextInTurn();

  // ---- what comes in
  // What is to be told when the message has been taken in.
  struct Effects {
    std::set<base::EntityKey> changed;
    std::set<base::EntityKey> settled;  // perhaps
  };
  void OnJoined(crdt::ReplicaId from, ReplicaLink& link, const wire::Replication& message, Effects& effects);
  void OnChanges(crdt::ReplicaId from, const wire::Replication& message, wire::Replication& answer, Effects& effects);
  void OnDigests(crdt::ReplicaId from, ReplicaLink& link, const wire::Replication& message, wire::Replication& answer);
  void OnReads(const wire::Replication& message, wire::Replication& answer) const;

  // ---- pruning
  // Not this life, nor one that may go on.
  bool IsOver(crdt::ReplicaId writer) const;
  std::vector<crdt::ReplicaId> WritersOver(const Replica& replica) const;
  void NoteBare(Replica& replica) const;
  std::vector<crdt::ReplicaId> Prunable(const Replica& replica) const;
  std::vector<crdt::ReplicaId> Forgettable(const Replica& replica) const;
  bool HasToPrune(const Replica& replica) const;
  void SeekAgreement(const std::vector<Replica*>& replicas);
  void OnSame(crdt::ReplicaId from, const wire::ReplicaDigest& same);
  void PruneIfAgreed(Replica& replica);
  void Prune(Replica& replica, const std::vector<crdt::ReplicaId>& writers);
  // The disks of nodes that are gone are empty; if not, they will be.
  bool OthersAreEmpty();
  void Forget(Replica& replica, crdt::ReplicaId writer);

  const Options options_;
  base::Strand& strand_;
  const crdt::ReplicaId self_;
  Peers& peers_;
  ByKey replicas_;
  mutable std::vector<const Replica*> touched_;   // since the digest was asked for
  mutable std::uint64_t digest_ = 0;              // of all
  std::map<crdt::ReplicaId, ReplicaLink> links_;  // to all others
  crdt::Voters up_;                               // that was acted upon
  absl::Time members_since_;                      // without a change
  std::uint64_t last_number_ = 0;                 // of changes, writes and reads
  bool handing_over_ = false;
  bool emptying_ = false;                          // disks of nodes that are gone
  absl::Time emptied_for_ = absl::InfinitePast();  // the members since then
  ReplicaDisk disk_;
  std::vector<absl::AnyInvocable<void()>> waiting_for_disk_;
  const ReplicaEvents* events_ = nullptr;
  ReplicationFigures figures_;
  base::EntityKey last_in_turn_;
  base::TimerId flush_ = base::TimerId::kNone;
  base::TimerId gossip_ = base::TimerId::kNone;
  base::Lifetime lifetime_;
};

}  // namespace cloudstate::cluster
