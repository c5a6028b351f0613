// The part of Replicas that frees it of lives that are over.
#include <algorithm>
#include <utility>

#include "emulator/base/planted_bug.h"
#include "emulator/cluster/replica_messages.h"
#include "emulator/cluster/replicas.h"

namespace cloudstate::cluster {

bool Replicas::IsOver(crdt::ReplicaId writer) const { return writer != self_ && !links_.contains(writer); }

std::vector<crdt::ReplicaId> Replicas::WritersOver(const Replica& replica) const {
  std::set<crdt::ReplicaId> over;
  for (const auto& [writer, number] : replica.known.context().vector()) {
    if (IsOver(writer)) over.insert(writer);
  }
  for (const crdt::Dot& dot : replica.known.context().cloud()) {
    if (IsOver(dot.replica)) over.insert(dot.replica);
  }
  return {over.begin(), over.end()};
}

// Nobody has come or gone for so long that two nodes do not both believe that it is theirs to prune.
void Replicas::SeekAgreement(const std::vector<Replica*>& replicas) {
  if (IsPlanted(base::PlantedBug::kPrunedAlone)) {
    for (Replica* replica : replicas) {
      if (HasToPrune(*replica)) Prune(*replica, WritersOver(*replica));
    }
    return;
  }
  if (!disk_.is_open() || !peers_.MayPrune() || strand_.Now() - members_since_ < options_.prune_after) return;
  wire::Replication message;
  message.set_confirm(true);
  for (Replica* replica : replicas) {
    NoteBare(*replica);
    if (!HasToPrune(*replica)) continue;
    AddDigest(*replica, message);
    if (links_.empty()) PruneIfAgreed(*replica);
  }
  if (message.digests().empty()) return;
  for (const auto& [peer, link] : links_) Send(peer, message);
}

void Replicas::NoteBare(Replica& replica) const {
  std::map<crdt::ReplicaId, absl::Time> bare;
  for (const crdt::ReplicaId writer : WritersOver(replica)) {
    if (replica.known.HoldsWritesOf(writer)) continue;
    const auto noted = replica.bare.find(writer);
    bare.emplace(writer, noted == replica.bare.end() ? strand_.Now() : noted->second);
  }
  replica.bare = std::move(bare);
}

std::vector<crdt::ReplicaId> Replicas::Prunable(const Replica& replica) const {
  std::vector<crdt::ReplicaId> writers = WritersOver(replica);
  std::erase_if(writers, [&](crdt::ReplicaId writer) { return !replica.known.CanPrune(writer); });
  return writers;
}

// By then no message is on its way, and no disk behind, that has anything of them.
std::vector<crdt::ReplicaId> Replicas::Forgettable(const Replica& replica) const {
  std::vector<crdt::ReplicaId> writers;
  for (const auto& [writer, since] : replica.bare) {
    const bool over = IsOver(writer) && replica.known.context().Knows(writer);
    if (over && !replica.known.HoldsWritesOf(writer) && strand_.Now() - since >= options_.prune_after) {
      writers.push_back(writer);
    }
  }
  return writers;
}

bool Replicas::HasToPrune(const Replica& replica) const {
  return !Prunable(replica).empty() || !Forgettable(replica).empty();
}

// What a replica is never comes back, so who has been the same once has at least this.
void Replicas::OnSame(crdt::ReplicaId from, const wire::ReplicaDigest& same) {
  Replica* replica = FindReplica(FromWire(same.name()));
  if (replica == nullptr || replica->Digest() != same.digest()) return;
  if (replica->agreed_on != same.digest()) replica->agreed.clear();
  replica->agreed_on = same.digest();
  replica->agreed.insert(from);
  PruneIfAgreed(*replica);
}

void Replicas::PruneIfAgreed(Replica& replica) {
  if (!peers_.MayPrune() || strand_.Now() - members_since_ < options_.prune_after || !HasToPrune(replica)) return;
  if (!std::ranges::all_of(links_, [&](const auto& each) { return replica.agreed.contains(each.first); })) return;
  if (!disk_.HasAll(replica.key)) return;
  replica.agreed.clear();
  if (const std::vector<crdt::ReplicaId> writers = Prunable(replica); !writers.empty()) {
    Prune(replica, writers);
    return;
  }
  if (!OthersAreEmpty()) return;
  wire::Replication message;
  for (const crdt::ReplicaId writer : Forgettable(replica)) {
    Forget(replica, writer);
    wire::ForgottenWriter& forgotten = *message.add_forgotten();
    ToWire(replica.key, *forgotten.mutable_name());
    ToWire(writer, *forgotten.mutable_writer());
  }
  for (const auto& [peer, link] : links_) Send(peer, message);
}

void Replicas::Prune(Replica& replica, const std::vector<crdt::ReplicaId>& writers) {
  crdt::State delta(crdt::State::Kind::kDelta);
  for (const crdt::ReplicaId writer : writers) {
    delta.Join(replica.known.Prune(writer, self_));
    Tell({.kind = ReplicaEvent::Kind::kPruned, .key = replica.key, .peer = writer});
  }
  replica.Touch();
  Spread(replica, delta, Urgency::kUsual);
  peers_.OnChanged(replica.key);
}

bool Replicas::OthersAreEmpty() {
  if (emptied_for_ == members_since_) return true;
  if (std::exchange(emptying_, true)) return false;
  std::vector<crdt::ReplicaId> all{self_};
  for (const auto& [peer, link] : links_) all.push_back(peer);
  disk_.KeepOnly(all, [this, members = members_since_](bool emptied) {
    emptying_ = false;
    if (emptied) emptied_for_ = members;
  });
  return emptied_for_ == members_since_;
}

void Replicas::Forget(Replica& replica, crdt::ReplicaId writer) {
  if (!IsOver(writer) || replica.known.HoldsWritesOf(writer)) return;
  replica.known.Forget(writer);
  Tell({.kind = ReplicaEvent::Kind::kForgotten, .key = replica.key, .peer = writer});
  replica.Touch();
  disk_.AddWhole(replica.key);
}

}  // namespace cloudstate::cluster
