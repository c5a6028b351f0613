#include "emulator/crdt/value.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "emulator/crdt/element.h"

namespace cloudstate::crdt {
namespace {

using google::protobuf::Any;

// A message with nothing in it is as before the first write.
std::string Registered(std::string key) { return key.size() == 1 ? std::string() : std::move(key); }

Value ValueOf(const Cell& cell, ReplicaId self, const Voters& voters) {
  Value value;
  value.type = cell.type();
  struct Reader {
    Value& value;
    ReplicaId self;
    const Voters& voters;

    void operator()(const std::monostate&) const {}
    void operator()(const GCounter& counter) const { value.count = counter.value(); }
    void operator()(const PNCounter& counter) const { value.number = counter.value(); }
    void operator()(const ElementSet& set) const {
      value.elements.reserve(set.elements().size());
      for (const auto& [key, dots] : set.elements()) value.elements.insert(key);
    }
    void operator()(const LwwRegister& written) const {
      if (const auto* stamped = written.value()) value.registered = Registered(stamped->value);
    }
    void operator()(const Flag& flag) const { value.enabled = flag.value(); }
    void operator()(const ORMap& map) const {
      for (const auto& [key, cells] : map.entries()) {
        if (const Cell* inner = cells.Current()) value.entries.emplace(key, ValueOf(*inner, self, voters));
      }
    }
    void operator()(const Vote& vote) const { value.votes = vote.value(self, voters); }
  };
  std::visit(Reader{value, self, voters}, cell.data());
  return value;
}

using Elements = absl::flat_hash_set<std::string>;

// Those of `wanted` that `there` has not got, by key.
std::vector<const std::string*> Missing(const Elements& there, const Elements& wanted) {
  std::vector<const std::string*> missing;
  for (const std::string& key : wanted) {
    if (!there.contains(key)) missing.push_back(&key);
  }
  std::ranges::sort(missing, {}, [](const std::string* key) -> const std::string& { return *key; });
  return missing;
}

void PutElements(const std::vector<const std::string*>& keys, google::protobuf::RepeatedPtrField<Any>& out) {
  for (const std::string* key : keys) *out.Add() = AnyOf(*key);
}

// Whether a change leads there. Below a key that was removed and added again, what only grows may have shrunk.
bool CanBecome(const Value& from, const Value& to) {
  return from.type == to.type && from.count <= to.count && (to.enabled || !from.enabled) &&
         (from.registered.empty() || !to.registered.empty()) &&
         (to.type != CrdtDelta::kGset || Missing(to.elements, from.elements).empty());
}

void PutVotes(const Vote::Tally& votes, VoteDelta& delta) {
  delta.set_self_vote(votes.self);
  delta.set_votes_for(votes.votes_for);
  delta.set_total_voters(votes.total);
}

bool DifferenceOfSets(const Value& from, const Value& to, ORSetDelta& delta) {
  const std::vector<const std::string*> added = Missing(from.elements, to.elements);
  const std::vector<const std::string*> removed = Missing(to.elements, from.elements);
  if (added.empty() && removed.empty()) return false;
  if (added.size() + removed.size() > to.elements.size()) {
    if (!from.elements.empty()) delta.set_cleared(true);
    PutElements(Missing({}, to.elements), *delta.mutable_added());
    return true;
  }
  PutElements(removed, *delta.mutable_removed());
  PutElements(added, *delta.mutable_added());
  return true;
}

void AddEntry(const std::string& key, CrdtDelta change, ORMapEntryDelta& entry) {
  *entry.mutable_key() = AnyOf(key);
  *entry.mutable_delta() = std::move(change);
}

bool DifferenceOfMaps(const Value& from, const Value& to, ORMapDelta& delta) {
  if (to.entries.empty()) {
    if (!from.entries.empty()) delta.set_cleared(true);
    return !from.entries.empty();
  }
  for (const auto& [key, before] : from.entries) {
    const auto now = to.entries.find(key);
    if (now == to.entries.end() || !CanBecome(before, now->second)) *delta.add_removed() = AnyOf(key);
  }
  for (const auto& [key, now] : to.entries) {
    const auto before = from.entries.find(key);
    if (before == from.entries.end() || !CanBecome(before->second, now)) {
      AddEntry(key, WholeDelta(now), *delta.add_added());
    } else if (std::optional<CrdtDelta> change = Difference(before->second, now)) {
      AddEntry(key, *std::move(change), *delta.add_updated());
    }
  }
  return delta.removed_size() + delta.added_size() + delta.updated_size() > 0;
}

void ApplyOwnToMap(const ORMapDelta& change, Value& value) {
  if (change.cleared()) value.entries.clear();
  for (const Any& key : change.removed()) value.entries.erase(KeyOf(key));
  for (const ORMapEntryDelta& each : change.updated()) {
    const auto entry = value.entries.find(KeyOf(each.key()));
    if (entry != value.entries.end() && entry->second.type == static_cast<int>(each.delta().delta_case())) {
      ApplyOwn(each.delta(), entry->second);
    }
  }
  for (const ORMapEntryDelta& each : change.added()) {
    const int type = static_cast<int>(each.delta().delta_case());
    if (type == CrdtDelta::DELTA_NOT_SET) continue;
    Value& entry = value.entries[KeyOf(each.key())];
    if (entry.type != type) {
      entry = Value();
      entry.type = type;
    }
    ApplyOwn(each.delta(), entry);
  }
}

bool AgreeAfter(const CrdtDelta& change, const Value* value, const Cell* cell, ReplicaId self, const Voters& voters) {
  if (value == nullptr || cell == nullptr) return value == nullptr && cell == nullptr;
  if (value->type != cell->type()) return false;
  if (std::holds_alternative<GSet>(cell->data()) || std::holds_alternative<ORSet>(cell->data())) return true;
  const auto* map = std::get_if<ORMap>(&cell->data());
  if (map == nullptr) return *value == ValueOf(*cell, self, voters);
  const auto agrees = [&](const ORMapEntryDelta& each) {
    const std::string key = KeyOf(each.key());
    const auto entry = value->entries.find(key);
    const auto cells = map->entries().find(key);
    return AgreeAfter(each.delta(), entry == value->entries.end() ? nullptr : &entry->second,
                      cells == map->entries().end() ? nullptr : cells->second.Current(), self, voters);
  };
  return std::ranges::all_of(change.ormap().updated(), agrees) && std::ranges::all_of(change.ormap().added(), agrees);
}

}  // namespace

std::optional<Value> ValueOf(const State& state, ReplicaId self, const Voters& voters) {
  const Cell* cell = state.deleted() ? nullptr : state.cells().Current();
  return cell == nullptr ? std::nullopt : std::optional(ValueOf(*cell, self, voters));
}

CrdtDelta WholeDelta(const Value& value) {
  CrdtDelta delta;
  switch (static_cast<CrdtDelta::DeltaCase>(value.type)) {
    case CrdtDelta::kGcounter:
      delta.mutable_gcounter()->set_increment(value.count);
      break;
    case CrdtDelta::kPncounter:
      delta.mutable_pncounter()->set_change(value.number);
      break;
    case CrdtDelta::kGset:
      PutElements(Missing({}, value.elements), *delta.mutable_gset()->mutable_added());
      break;
    case CrdtDelta::kOrset:
      PutElements(Missing({}, value.elements), *delta.mutable_orset()->mutable_added());
      break;
    case CrdtDelta::kLwwregister:
      delta.mutable_lwwregister();
      if (!value.registered.empty()) *delta.mutable_lwwregister()->mutable_value() = AnyOf(value.registered);
      break;
    case CrdtDelta::kFlag:
      delta.mutable_flag()->set_value(value.enabled);
      break;
    case CrdtDelta::kOrmap:
      delta.mutable_ormap();
      for (const auto& [key, entry] : value.entries) {
        AddEntry(key, WholeDelta(entry), *delta.mutable_ormap()->add_added());
      }
      break;
    case CrdtDelta::kVote:
      PutVotes(value.votes, *delta.mutable_vote());
      break;
    case CrdtDelta::DELTA_NOT_SET:
      break;
  }
  return delta;
}

std::optional<CrdtDelta> Difference(const Value& from, const Value& to) {
  CrdtDelta delta;
  bool changed = false;
  switch (static_cast<CrdtDelta::DeltaCase>(to.type)) {
    case CrdtDelta::kGcounter:
      changed = to.count != from.count;
      delta.mutable_gcounter()->set_increment(to.count - from.count);
      break;
    case CrdtDelta::kPncounter:
      changed = to.number != from.number;
      // Wraps where the two are more than half the range apart, and so leads there all the same.
      delta.mutable_pncounter()->set_change(
          static_cast<std::int64_t>(static_cast<std::uint64_t>(to.number) - static_cast<std::uint64_t>(from.number)));
      break;
    case CrdtDelta::kGset:
      PutElements(Missing(from.elements, to.elements), *delta.mutable_gset()->mutable_added());
      changed = delta.gset().added_size() > 0;
      break;
    case CrdtDelta::kOrset:
      changed = DifferenceOfSets(from, to, *delta.mutable_orset());
      break;
    case CrdtDelta::kLwwregister:
    case CrdtDelta::kFlag:
    case CrdtDelta::kVote:
      changed = to != from;
      delta = WholeDelta(to);
      break;
    case CrdtDelta::kOrmap:
      changed = DifferenceOfMaps(from, to, *delta.mutable_ormap());
      break;
    case CrdtDelta::DELTA_NOT_SET:
      break;
  }
  return changed ? std::optional(std::move(delta)) : std::nullopt;
}

void ApplyOwn(const CrdtDelta& change, Value& value) {
  value.type = static_cast<int>(change.delta_case());
  switch (change.delta_case()) {
    case CrdtDelta::kGcounter:
      value.count += change.gcounter().increment();
      break;
    case CrdtDelta::kPncounter:
      value.number += change.pncounter().change();
      break;
    case CrdtDelta::kGset:
      for (const Any& each : change.gset().added()) value.elements.insert(KeyOf(each));
      break;
    case CrdtDelta::kOrset:
      if (change.orset().cleared()) value.elements.clear();
      for (const Any& each : change.orset().removed()) value.elements.erase(KeyOf(each));
      for (const Any& each : change.orset().added()) value.elements.insert(KeyOf(each));
      break;
    case CrdtDelta::kLwwregister:
      value.registered = Registered(KeyOf(change.lwwregister().value()));
      break;
    case CrdtDelta::kFlag:
      value.enabled = value.enabled || change.flag().value();
      break;
    case CrdtDelta::kOrmap:
      ApplyOwnToMap(change.ormap(), value);
      break;
    case CrdtDelta::kVote:
      if (value.votes.self != change.vote().self_vote()) {
        value.votes.self = change.vote().self_vote();
        value.votes.votes_for += value.votes.self ? 1 : -1;
      }
      value.votes.total = std::max(value.votes.total, 1);
      break;
    case CrdtDelta::DELTA_NOT_SET:
      break;
  }
}

bool AgreeAfter(const CrdtDelta& change, const Value& value, const State& state, ReplicaId self, const Voters& voters) {
  return AgreeAfter(change, &value, state.cells().Current(), self, voters);
}

}  // namespace cloudstate::crdt
