// The half of Replicas that speaks with the others.
#include <algorithm>
#include <iterator>
#include <utility>

#include "emulator/base/planted_bug.h"
#include "emulator/cluster/replica_messages.h"
#include "emulator/cluster/replicas.h"

namespace cloudstate::cluster {

// ---- what goes out

void Replicas::Spread(Replica& replica, const crdt::State& delta, Urgency urgency) {
  disk_.Add(replica.key, delta);
  for (auto& [peer, link] : links_) {
    link.Add(replica.key, delta, replica.known, urgency);
    FlushSoon(peer, link);
  }
}

void Replicas::FlushSoon(crdt::ReplicaId peer, ReplicaLink& link) {
  if (link.is_urgent()) {
    Flush(peer, link);
  } else if (link.is_due() && flush_ == base::TimerId::kNone) {
    flush_ = strand_.After(options_.delta_interval, lifetime_.Guard([this] { FlushAll(); }));
  }
}

void Replicas::FlushAll() {
  flush_ = base::TimerId::kNone;
  for (auto& [peer, link] : links_) Flush(peer, link);
}

void Replicas::Flush(crdt::ReplicaId peer, ReplicaLink& link) {
  const auto state_of = [this](const base::EntityKey& key) -> const crdt::State& { return replicas_.at(key)->known; };
  for (wire::Replication& message : link.Take(
           state_of, [this] { return ++last_number_; }, strand_.Now())) {
    Send(peer, std::move(message));
  }
}

void Replicas::SendAllDigests(crdt::ReplicaId peer) {
  wire::Replication message;
  for (const auto& [key, replica] : replicas_) {
    if (!replica->known.empty()) AddDigest(*replica, message);
    if (static_cast<std::size_t>(message.digests_size()) < options_.most_digests) continue;
    Send(peer, std::move(message));
    message = {};
  }
  if (!IsEmpty(message)) Send(peer, std::move(message));
}

void Replicas::AddDigest(const Replica& replica, wire::Replication& message) {
  wire::ReplicaDigest& digest = *message.add_digests();
  ToWire(replica.key, *digest.mutable_name());
  digest.set_digest(replica.Digest());
}

void Replicas::KeepGossiping() {
  if (gossip_ != base::TimerId::kNone) return;
  gossip_ = strand_.After(options_.gossip_interval, lifetime_.Guard([this] { Gossip(); }));
}

void Replicas::Gossip() {
  gossip_ = base::TimerId::kNone;
  KeepGossiping();
  const std::vector<Replica*> in_turn = NextInTurn();
  if (!links_.empty() && !in_turn.empty()) {
    wire::Replication message;
    for (const Replica* replica : in_turn) AddDigest(*replica, message);
    const auto chosen = static_cast<std::ptrdiff_t>(peers_.Random(links_.size()));
    Send(std::next(links_.begin(), chosen)->first, std::move(message));
  }
  SeekAgreement(in_turn);
}

std::vector<Replicas::Replica*> Replicas::NextInTurn() {
  std::vector<Replica*> chosen;
  auto next = replicas_.upper_bound(last_in_turn_);
  for (std::size_t i = 0; i < replicas_.size() && chosen.size() < options_.most_digests; ++i, ++next) {
    if (next == replicas_.end()) next = replicas_.begin();
    if (!next->second->known.empty()) chosen.push_back(next->second.get());
  }
  if (!chosen.empty()) last_in_turn_ = chosen.back()->key;
  return chosen;
}

// ---- what comes in

void Replicas::OnMessage(crdt::ReplicaId from, wire::Replication message) {
  const auto found = links_.find(from);
  if (found == links_.end()) return;  // it is gone, as far as this node knows
  ReplicaLink& link = found->second;
  if (!disk_.is_open() && (message.digests_size() > 0 || message.reads_size() > 0)) {
    wire::Replication later;
    later.mutable_digests()->Swap(message.mutable_digests());
    later.mutable_reads()->Swap(message.mutable_reads());
    later.set_confirm(message.confirm());
    waiting_for_disk_.emplace_back([this, from, later = std::move(later)]() mutable { OnMessage(from, later); });
  }
  wire::Replication answer;
  Effects effects;
  OnJoined(from, link, message, effects);
  OnChanges(from, message, answer, effects);
  OnDigests(from, link, message, answer);
  OnReads(message, answer);
  for (const wire::ReplicaName& name : message.wanted()) {
    Tell({.kind = ReplicaEvent::Kind::kWanted, .key = FromWire(name), .peer = from});
    if (FindReplica(FromWire(name)) != nullptr) link.AddWhole(FromWire(name), Urgency::kUrgent);
  }
  for (const wire::ForgottenWriter& each : message.forgotten()) {
    if (Replica* replica = FindReplica(FromWire(each.name()))) Forget(*replica, FromWire(each.writer()));
  }
  if (!IsEmpty(answer)) Send(from, std::move(answer));
  FlushSoon(from, link);
  for (const wire::ReplicaDigest& each : message.same()) OnSame(from, each);
  for (const base::EntityKey& key : effects.changed) peers_.OnChanged(key);
  for (const base::EntityKey& key : effects.settled) Settle(*replicas_.at(key));
}

void Replicas::OnJoined(crdt::ReplicaId from, ReplicaLink& link, const wire::Replication& message, Effects& effects) {
  for (const std::uint64_t number : message.joined()) {
    const std::optional<base::EntityKey> key = link.OnJoined(number);
    if (!key.has_value()) continue;
    ++figures_.acknowledged_changes;
    Tell({.kind = ReplicaEvent::Kind::kAcknowledged, .key = *key, .peer = from, .number = number});
    // The change held all that had been written before it.
    for (Waiting& each : replicas_.at(*key)->waiting) {
      if (each.what != Waiting::For::kRead && each.number < number) each.have.insert(from);
    }
    effects.settled.insert(*key);
  }
}

// What cannot be read is not acknowledged.
void Replicas::OnChanges(crdt::ReplicaId from, const wire::Replication& message, wire::Replication& answer,
                         Effects& effects) {
  for (const wire::ReplicaChange& change : message.changes()) {
    const base::EntityKey key = FromWire(change.name());
    if (!change.state().empty()) {
      const absl::StatusOr<crdt::State> theirs = crdt::State::Decode(change.state());
      if (!theirs.ok()) continue;
      Replica& replica = Make(key);
      OnArrived(from, replica, change, *theirs);
      if (replica.known.Join(*theirs)) {
        replica.Touch();
        disk_.Add(key, *theirs);
        effects.changed.insert(key);
      }
    }
    if (change.number() != 0) answer.add_joined(change.number());
    if (change.answers() == 0) continue;
    const auto asker = replicas_.find(key);
    if (asker == replicas_.end()) continue;  // nobody uses it any more
    std::vector<Waiting>& waiting = asker->second->waiting;
    const auto read = std::ranges::find(waiting, change.answers(), &Waiting::number);
    if (read == waiting.end()) continue;  // its time was over
    read->have.insert(from);
    effects.settled.insert(key);
  }
}

void Replicas::OnDigests(crdt::ReplicaId from, ReplicaLink& link, const wire::Replication& message,
                         wire::Replication& answer) {
  figures_.received_digests += static_cast<std::uint64_t>(message.digests_size());
  for (const wire::ReplicaDigest& theirs : message.digests()) {
    if (IsPlanted(base::PlantedBug::kDigestsIgnored)) return;
    const base::EntityKey key = FromWire(theirs.name());
    const Replica* ours = FindReplica(key);
    if (ours != nullptr && ours->Digest() == theirs.digest()) {
      if (message.confirm() && disk_.HasAll(key)) *answer.add_same() = theirs;
      continue;
    }
    ++figures_.differing_digests;
    Tell({.kind = ReplicaEvent::Kind::kDiffers, .key = key, .peer = from});
    *answer.add_wanted() = theirs.name();
    if (ours != nullptr) link.AddWhole(key, Urgency::kUrgent);
  }
}

void Replicas::OnReads(const wire::Replication& message, wire::Replication& answer) const {
  for (const wire::ReplicaRead& read : message.reads()) {
    wire::ReplicaChange& change = *answer.add_changes();
    *change.mutable_name() = read.name();
    change.set_answers(read.number());
    if (const crdt::State* known = Find(FromWire(read.name()))) change.set_state(known->Encode());
  }
}

}  // namespace cloudstate::cluster
