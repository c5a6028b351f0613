// The part of Replicas that people look at: what is told to those who watch, counted, and asked for.
#include <algorithm>
#include <utility>

#include "emulator/cluster/replica_messages.h"
#include "emulator/cluster/replicas.h"

namespace cloudstate::cluster {

ReplicationFigures& ReplicationFigures::operator+=(const ReplicationFigures& other) {
  sent_changes += other.sent_changes;
  sent_change_bytes += other.sent_change_bytes;
  received_changes += other.received_changes;
  received_change_bytes += other.received_change_bytes;
  acknowledged_changes += other.acknowledged_changes;
  sent_digests += other.sent_digests;
  received_digests += other.received_digests;
  differing_digests += other.differing_digests;
  timeouts += other.timeouts;
  return *this;
}

void Replicas::Send(crdt::ReplicaId to, wire::Replication message) {
  figures_.sent_digests += static_cast<std::uint64_t>(message.digests_size());
  for (const wire::ReplicaChange& change : message.changes()) {
    ++figures_.sent_changes;
    figures_.sent_change_bytes += change.state().size();
    if (!watched()) continue;
    const absl::StatusOr<crdt::State> sent = crdt::State::Decode(change.state());
    if (sent.ok()) {
      Tell({.kind = ReplicaEvent::Kind::kSent,
            .key = FromWire(change.name()),
            .peer = to,
            .change = &*sent,
            .bytes = change.state().size(),
            .number = change.number()});
    }
  }
  peers_.Send(to, std::move(message));
}

void Replicas::OnArrived(crdt::ReplicaId from, const Replica& replica, const wire::ReplicaChange& change,
                         const crdt::State& theirs) {
  ++figures_.received_changes;
  figures_.received_change_bytes += change.state().size();
  Tell({.kind = ReplicaEvent::Kind::kJoined,
        .key = replica.key,
        .peer = from,
        .change = &theirs,
        .before = &replica.known,
        .bytes = change.state().size(),
        .number = change.number()});
}

void Replicas::Tell(ReplicaEvent event) const {
  if (!watched()) return;
  event.node = self_;
  events_->Tell(event);
}

void Replicas::TellOutcome(const Replica& replica, const Waiting& waiting, ReplicaEvent::Kind kind) const {
  const bool read = waiting.what == Waiting::For::kRead;
  Tell({.kind = kind,
        .key = replica.key,
        .consistency = read                                 ? crdt::LOCAL
                       : waiting.what == Waiting::For::kAll ? crdt::ALL
                                                            : crdt::MAJORITY});
}

std::uint64_t Replicas::Digest(const base::EntityKey& key) const {
  const Replica* replica = FindReplica(key);
  return replica == nullptr ? 0 : replica->Digest();
}

const base::EntityKey* Replicas::NextKey(const base::EntityKey& after) const {
  const auto next = std::find_if(replicas_.upper_bound(after), replicas_.end(),
                                 [](const auto& each) { return !each.second->known.empty(); });
  return next == replicas_.end() ? nullptr : &next->first;
}

Replicas::WaitingFor Replicas::waiting(const base::EntityKey& key) const {
  WaitingFor result;
  const Replica* replica = FindReplica(key);
  if (replica == nullptr) return result;
  for (const Waiting& each : replica->waiting) ++(each.what == Waiting::For::kRead ? result.reads : result.writes);
  return result;
}

std::size_t Replicas::entities() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(replicas_, [](const auto& each) { return !each.second->known.empty(); }));
}

}  // namespace cloudstate::cluster
