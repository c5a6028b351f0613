#include "emulator/cluster/replica_link.h"

#include <bit>
#include <utility>

#include "emulator/cluster/replica_messages.h"

namespace cloudstate::cluster {
namespace {

// A message with more changes than fit into this is followed by another one.
constexpr std::size_t kLongMessage = 256 << 10;
// From so many deltas on, it is looked whether the state would not be shorter.
constexpr std::size_t kManyDeltas = 128;

}  // namespace

// A delta names all places that anything was removed from; over time those would be more than the state has.
void ReplicaLink::Add(const base::EntityKey& key, const crdt::State& delta, const crdt::State& state, Urgency urgency) {
  const auto place = outgoing_.try_emplace(key).first;
  Outgoing& outgoing = place->second;
  if (!outgoing.whole) {
    if (!outgoing.due.has_value()) outgoing.due.emplace(crdt::State::Kind::kDelta);
    outgoing.due->Join(delta);
    ++outgoing.joined;
    if (outgoing.joined >= kManyDeltas && std::has_single_bit(outgoing.joined) &&
        outgoing.due->Encode().size() >= state.Encode().size()) {
      outgoing.whole = true;
      outgoing.due.reset();
    }
  }
  OnDue(place, urgency);
}

void ReplicaLink::AddWhole(const base::EntityKey& key, Urgency urgency) {
  const auto place = outgoing_.try_emplace(key).first;
  place->second.whole = true;
  place->second.due.reset();
  OnDue(place, urgency);
}

void ReplicaLink::OnDue(ByKey::iterator place, Urgency urgency) {
  Outgoing& outgoing = place->second;
  outgoing.urgent |= urgency == Urgency::kUrgent;
  if (outgoing.on_way != 0) return;
  ready_.emplace(place->first, place);
  urgent_ |= outgoing.urgent;
}

std::vector<wire::Replication> ReplicaLink::Take(
    const std::function<const crdt::State&(const base::EntityKey&)>& state_of,
    const std::function<std::uint64_t()>& next_number, absl::Time now) {
  std::vector<wire::Replication> messages;
  std::size_t bytes = kLongMessage;
  for (const auto& [key, place] : std::exchange(ready_, {})) {
    if (bytes >= kLongMessage) {
      messages.emplace_back();
      bytes = 0;
    }
    Outgoing& outgoing = place->second;
    wire::ReplicaChange& change = *messages.back().add_changes();
    ToWire(key, *change.mutable_name());
    change.set_number(next_number());
    change.set_state(outgoing.whole ? state_of(key).Encode() : outgoing.due->Encode());
    bytes += change.state().size();
    on_way_.emplace(change.number(), place);
    outgoing = {.due = std::nullopt, .on_way = change.number(), .on_way_bytes = change.state().size(), .sent = now};
  }
  urgent_ = false;
  return messages;
}

std::optional<base::EntityKey> ReplicaLink::OnJoined(std::uint64_t number) {
  const auto found = on_way_.extract(number);
  if (found.empty()) return std::nullopt;
  const ByKey::iterator place = found.mapped();
  base::EntityKey key = place->first;
  place->second.on_way = 0;
  if (place->second.is_due()) {
    OnDue(place, Urgency::kUsual);
  } else {
    outgoing_.erase(place);
  }
  return key;
}

std::optional<ReplicaLink::Sight> ReplicaLink::SightOf(const base::EntityKey& key) const {
  const auto found = outgoing_.find(key);
  if (found == outgoing_.end()) return std::nullopt;
  const Outgoing& outgoing = found->second;
  return Sight{.due = outgoing.due.has_value() ? &*outgoing.due : nullptr,
               .joined = outgoing.joined,
               .whole_due = outgoing.whole,
               .on_way = outgoing.on_way,
               .on_way_bytes = outgoing.on_way_bytes,
               .sent = outgoing.sent};
}

std::size_t ReplicaLink::pending() const {
  std::size_t pending = on_way_.size();
  for (const auto& [key, outgoing] : outgoing_) pending += outgoing.is_due() ? 1 : 0;
  return pending;
}

}  // namespace cloudstate::cluster
