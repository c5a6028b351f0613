#include "emulator/cluster/replicas.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/planted_bug.h"
#include "emulator/cluster/digest.h"
#include "emulator/cluster/replica_messages.h"
#include "emulator/crdt/update.h"

namespace cloudstate::cluster {
namespace {

crdt::ReplicaId FirstLife(crdt::ReplicaId replica) { return {replica.node, 1}; }

}  // namespace

Replicas::Replicas(const Options& options, base::Strand& strand, crdt::ReplicaId self, Peers& peers,
                   journal::ReplicaStore* store)
    : options_(options),
      strand_(strand),
      self_(self),
      peers_(peers),
      members_since_(strand.Now()),
      disk_(
          strand, store, self, options.delta_interval,
          [this](const base::EntityKey& key) -> const crdt::State& { return replicas_.at(key)->known; },
          [this](const std::string& text) { peers_.ReportError(text); }) {}

Replicas::~Replicas() {
  strand_.Cancel(flush_);
  strand_.Cancel(gossip_);
  for (const auto& [key, replica] : replicas_) {
    for (const Waiting& each : replica->waiting) strand_.Cancel(each.timer);
  }
}

// ---- replicas

entities::CrdtReplica& Replicas::Of(const base::EntityKey& key) { return Make(key); }

void Replicas::Release(const base::EntityKey& key) {
  const auto found = replicas_.find(key);
  if (found != replicas_.end() && found->second->known.empty() && found->second->waiting.empty())
    replicas_.erase(found);
}

Replicas::Replica& Replicas::Make(const base::EntityKey& key) {
  const auto [place, is_new] = replicas_.try_emplace(key);
  if (is_new) {
    place->second = std::make_unique<Replica>(*this, place->first);
    KeepGossiping();
  }
  return *place->second;
}

void Replicas::Know(const base::EntityKey& key, const crdt::State& state) {
  OnKnown(key, state);
  disk_.AddWhole(key);
}

Replicas::Replica* Replicas::FindReplica(const base::EntityKey& key) const {
  const auto found = replicas_.find(key);
  return found == replicas_.end() || found->second->known.empty() ? nullptr : found->second.get();
}

const crdt::State* Replicas::Find(const base::EntityKey& key) const {
  const Replica* found = FindReplica(key);
  return found == nullptr ? nullptr : &found->known;
}

std::vector<base::EntityKey> Replicas::Keys() const {
  std::vector<base::EntityKey> keys;
  for (const auto& [key, replica] : replicas_) {
    if (!replica->known.empty()) keys.push_back(key);
  }
  return keys;
}

std::uint64_t Replicas::Digest() const {
  for (const Replica* replica : std::exchange(touched_, {})) digest_ += replica->RenewShare();
  return digest_;
}

void Replicas::Replica::Touch() {
  digest_.reset();
  if (!std::exchange(touched_, true)) owner_.touched_.push_back(this);
}

std::uint64_t Replicas::Replica::Digest() const {
  if (!digest_.has_value()) digest_ = known.Digest();
  return *digest_;
}

std::uint64_t Replicas::Replica::RenewShare() const {
  touched_ = false;
  const std::uint64_t before = std::exchange(
      share_, known.empty() ? 0 : DigestOf({DigestOf(key.persistence_id), DigestOf(key.entity_id), Digest()}));
  return share_ - before;
}

// ---- the disk

void Replicas::OnKnown(const base::EntityKey& key, const crdt::State& state) {
  Replica& replica = Make(key);
  if (!replica.known.Join(state)) return;
  replica.Touch();
  peers_.OnChanged(key);
}

void Replicas::OnOpen() {
  if (handing_over_) HandOver();
  for (const auto& [peer, link] : links_) SendAllDigests(peer);
  for (absl::AnyInvocable<void()>& each : std::exchange(waiting_for_disk_, {})) each();
}

// ---- reads and writes

void Replicas::Replica::Read(absl::AnyInvocable<void()> read) {
  if (!owner_.disk_.is_open()) {
    owner_.waiting_for_disk_.emplace_back([&owner = owner_, name = key, read = std::move(read)]() mutable {
      owner.Make(name).Read(std::move(read));  // it may have been released meanwhile
    });
    return;
  }
  owner_.Wait(*this,
              {.what = Waiting::For::kRead,
               .done = [read = std::move(read)](const absl::Status&) mutable { read(); }},  // late is as good as never
              owner_.options_.read_timeout);
}

absl::Status Replicas::Replica::Update(const crdt::CrdtDelta& update, crdt::CrdtWriteConsistency consistency,
                                       absl::AnyInvocable<void(absl::Status)> written) {
  absl::StatusOr<crdt::State> delta =
      crdt::Update(known, update, IsPlanted(base::PlantedBug::kIdentityKept) ? FirstLife(owner_.self_) : owner_.self_,
                   absl::ToUnixMillis(owner_.strand_.WallTime()));
  if (!delta.ok()) return delta.status();
  owner_.Tell({.kind = ReplicaEvent::Kind::kWritten,
               .key = key,
               .consistency = consistency,
               .update = &update,
               .change = &*delta});
  owner_.Write(*this, *delta, consistency, std::move(written));
  return absl::OkStatus();
}

void Replicas::Replica::Delete(crdt::CrdtWriteConsistency consistency, absl::AnyInvocable<void(absl::Status)> written) {
  owner_.Tell({.kind = ReplicaEvent::Kind::kWritten, .key = key, .consistency = consistency});
  owner_.Write(*this, known.Delete(), consistency, std::move(written));
}

void Replicas::Write(Replica& replica, const crdt::State& delta, crdt::CrdtWriteConsistency consistency,
                     absl::AnyInvocable<void(absl::Status)> written) {
  replica.Touch();
  const bool waits =
      (consistency == crdt::MAJORITY || consistency == crdt::ALL) && !IsPlanted(base::PlantedBug::kWriteNotAwaited);
  const std::uint64_t number = ++last_number_;  // before those of the changes that carry it
  Spread(replica, delta, waits ? Urgency::kUrgent : Urgency::kUsual);
  if (!waits) {
    written(absl::OkStatus());
    return;
  }
  Wait(replica,
       {.what = consistency == crdt::ALL ? Waiting::For::kAll : Waiting::For::kMajority,
        .number = number,
        .done = std::move(written)},
       options_.write_timeout);
}

void Replicas::Wait(Replica& replica, Waiting waiting, absl::Duration timeout) {
  if (waiting.number == 0) waiting.number = ++last_number_;
  waiting.up_at_first = peers_.Up().size();
  if (IsMet(waiting)) {
    waiting.done(absl::OkStatus());
    return;
  }
  waiting.timer = strand_.After(
      timeout, lifetime_.Guard([this, &replica, number = waiting.number] { OnTimeout(replica, number); }));
  if (waiting.what == Waiting::For::kRead) Ask(replica, waiting);
  replica.waiting.push_back(std::move(waiting));
}

void Replicas::Ask(Replica& replica, Waiting& read) {
  for (const crdt::ReplicaId peer : peers_.Up()) {
    if (peer == self_ || !read.asked.insert(peer).second) continue;
    wire::Replication message;
    wire::ReplicaRead& asking = *message.add_reads();
    ToWire(replica.key, *asking.mutable_name());
    asking.set_number(read.number);
    Send(peer, std::move(message));
  }
}

// Who has it, but has gone since, or has begun a new life, has it no more.
bool Replicas::IsMet(const Waiting& waiting) const {
  const crdt::Voters& up = peers_.Up();
  const auto have = static_cast<std::size_t>(std::ranges::count_if(
      up, [&](const crdt::ReplicaId& each) { return each == self_ || waiting.have.contains(each); }));
  if (waiting.what == Waiting::For::kAll) return !up.empty() && have == up.size();
  const std::size_t all = std::max(waiting.up_at_first, up.size());
  return IsPlanted(base::PlantedBug::kHalfIsMajority) ? 2 * have >= all : have > all / 2;
}

void Replicas::Settle(Replica& replica) {
  std::vector<Waiting>& waiting = replica.waiting;
  const auto first = std::stable_partition(waiting.begin(), waiting.end(), [&](auto& each) { return !IsMet(each); });
  // Taken out first: what has waited may go on to read and write.
  std::vector<Waiting> met;
  std::move(first, waiting.end(), std::back_inserter(met));
  waiting.erase(first, waiting.end());
  for (Waiting& each : met) {
    strand_.Cancel(each.timer);
    if (each.what != Waiting::For::kRead) TellOutcome(replica, each, ReplicaEvent::Kind::kConfirmed);
    each.done(absl::OkStatus());
  }
}

void Replicas::OnTimeout(Replica& replica, std::uint64_t number) {
  const auto found = std::ranges::find(replica.waiting, number, &Waiting::number);
  Waiting waiting = std::move(*found);
  replica.waiting.erase(found);
  ++figures_.timeouts;
  TellOutcome(replica, waiting, ReplicaEvent::Kind::kTimedOut);
  waiting.done(absl::DeadlineExceededError(
      absl::StrCat("not enough nodes have acknowledged within ", absl::FormatDuration(options_.write_timeout))));
}

// ---- members

void Replicas::OnMembers() {
  std::vector<crdt::ReplicaId> others = peers_.Others();
  std::ranges::sort(others);
  const bool others_changed = !std::ranges::equal(others, links_, {}, {}, [](const auto& each) { return each.first; });
  const bool up_changed = peers_.Up() != up_;
  if (!others_changed && !up_changed) return;
  up_ = peers_.Up();
  if (up_.contains(self_)) {
    disk_.Open([this](const base::EntityKey& key, const crdt::State& state) { OnKnown(key, state); },
               [this] { OnOpen(); });
  }
  if (others_changed) {
    members_since_ = strand_.Now();
    std::erase_if(links_, [&](const auto& each) { return !std::ranges::binary_search(others, each.first); });
    for (const crdt::ReplicaId peer : others) {
      const auto [link, is_new] = links_.try_emplace(peer);
      if (is_new) Welcome(peer, link->second);
    }
  }
  if (!up_changed) return;
  std::vector<base::EntityKey> keys;
  for (const auto& [key, replica] : replicas_) {
    keys.push_back(key);
    for (Waiting& each : replica->waiting) {
      if (each.what == Waiting::For::kRead) Ask(*replica, each);
    }
  }
  for (const base::EntityKey& key : keys) {
    Settle(*replicas_.at(key));
    peers_.OnChanged(key);
  }
}

// What is waited for is waited for here too. The digests tell of all the rest.
void Replicas::Welcome(crdt::ReplicaId peer, ReplicaLink& link) {
  for (const auto& [key, replica] : replicas_) {
    if (replica->known.empty()) continue;
    if (handing_over_ || !replica->waiting.empty()) link.AddWhole(key, Urgency::kUrgent);
  }
  FlushSoon(peer, link);
  SendAllDigests(peer);
}

void Replicas::HandOver() {
  handing_over_ = true;
  for (auto& [peer, link] : links_) {
    for (const auto& [key, replica] : replicas_) {
      if (!replica->known.empty()) link.AddWhole(key, Urgency::kUrgent);
    }
    FlushSoon(peer, link);
  }
}

std::size_t Replicas::pending(crdt::ReplicaId peer) const {
  const auto found = links_.find(peer);
  return found == links_.end() ? 0 : found->second.pending();
}

std::size_t Replicas::pending() const {
  std::size_t pending = 0;
  for (const auto& [peer, link] : links_) pending += link.pending();
  return pending;
}

}  // namespace cloudstate::cluster
