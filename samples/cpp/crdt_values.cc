#include "samples/cpp/crdt_values.h"

#include "absl/strings/str_cat.h"
#include "cloudstate/crdt.pb.h"
#include "google/protobuf/wrappers.pb.h"

namespace cloudstate::samples {
namespace {

using crdt::CrdtDelta;
using google::protobuf::Any;
using Elements = google::protobuf::RepeatedPtrField<Any>;

constexpr char kStringType[] = "p.cloudstate.io/string";

absl::Status Incompatible(const CrdtDelta& delta, const char* type) {
  return absl::InvalidArgumentError(
      absl::StrCat("A ", type, " got a delta that is none of its type: ", delta.ShortDebugString()));
}

absl::Status TooLarge() { return absl::OutOfRangeError("The counter cannot count that far: it has 64 bits."); }

void AddAll(const Elements& elements, AnySet& set) { set.insert(elements.begin(), elements.end()); }

void RemoveAll(const Elements& elements, AnySet& set) {
  for (const Any& element : elements) set.erase(element);
}

void Take(AnySet& set, Elements& elements) {
  for (const Any& element : set) *elements.Add() = element;
  set.clear();
}

}  // namespace

// A wrapper's bytes are those of the libraries' strings: text in field 1.
Any ToAny(std::string_view text) {
  google::protobuf::StringValue value;
  value.set_value(std::string(text));
  Any any;
  any.set_type_url(kStringType);
  any.set_value(value.SerializeAsString());
  return any;
}

std::optional<std::string> ToString(const Any& any) {
  google::protobuf::StringValue value;
  if (any.type_url() != kStringType || !value.ParseFromString(any.value())) return std::nullopt;
  return value.value();
}

absl::Status GCounter::Increment(std::uint64_t by) {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(value_, by, &sum)) return TooLarge();
  value_ = sum;
  increment_ += by;  // a part of the value, so it fits
  return absl::OkStatus();
}

void GCounter::TakeDelta(CrdtDelta& delta) {
  delta.mutable_gcounter()->set_increment(std::exchange(increment_, std::uint64_t{0}));
}

absl::Status GCounter::Apply(const CrdtDelta& delta) {
  if (!delta.has_gcounter()) return Incompatible(delta, "GCounter");
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(value_, delta.gcounter().increment(), &sum)) return TooLarge();
  value_ = sum;
  return absl::OkStatus();
}

absl::Status PNCounter::Change(std::int64_t by) {
  std::int64_t value = 0;
  std::int64_t change = 0;
  if (__builtin_add_overflow(value_, by, &value) || __builtin_add_overflow(change_, by, &change)) return TooLarge();
  value_ = value;
  change_ = change;
  return absl::OkStatus();
}

void PNCounter::TakeDelta(CrdtDelta& delta) {
  delta.mutable_pncounter()->set_change(std::exchange(change_, std::int64_t{0}));
}

absl::Status PNCounter::Apply(const CrdtDelta& delta) {
  if (!delta.has_pncounter()) return Incompatible(delta, "PNCounter");
  std::int64_t sum = 0;
  if (__builtin_add_overflow(value_, delta.pncounter().change(), &sum)) return TooLarge();
  value_ = sum;
  return absl::OkStatus();
}

void GSet::Add(const Any& element) {
  if (elements_.insert(element).second) added_.insert(element);
}

void GSet::TakeDelta(CrdtDelta& delta) { Take(added_, *delta.mutable_gset()->mutable_added()); }

absl::Status GSet::Apply(const CrdtDelta& delta) {
  if (!delta.has_gset()) return Incompatible(delta, "GSet");
  AddAll(delta.gset().added(), elements_);
  return absl::OkStatus();
}

// An element that was removed and is added again is as it was before, and the other way round.
void ORSet::Add(const Any& element) {
  if (elements_.insert(element).second && removed_.erase(element) == 0) added_.insert(element);
}

void ORSet::Remove(const Any& element) {
  if (elements_.erase(element) == 1 && added_.erase(element) == 0) removed_.insert(element);
}

void ORSet::Clear() {
  if (elements_.empty()) return;
  elements_.clear();
  removed_.clear();
  added_.clear();
  cleared_ = true;
}

void ORSet::TakeDelta(CrdtDelta& delta) {
  crdt::ORSetDelta& taken = *delta.mutable_orset();
  taken.set_cleared(std::exchange(cleared_, false));
  Take(removed_, *taken.mutable_removed());
  Take(added_, *taken.mutable_added());
}

absl::Status ORSet::Apply(const CrdtDelta& delta) {
  if (!delta.has_orset()) return Incompatible(delta, "ORSet");
  if (delta.orset().cleared()) elements_.clear();
  RemoveAll(delta.orset().removed(), elements_);
  AddAll(delta.orset().added(), elements_);
  return absl::OkStatus();
}

void LWWRegister::Set(const Any& value, Clock clock, std::int64_t custom_clock) {
  const bool custom = clock == Clock::kCustom || clock == Clock::kCustomAutoIncrement;
  value_ = value;
  clock_ = clock;
  custom_clock_ = custom ? custom_clock : 0;
  changed_ = true;
}

void LWWRegister::TakeDelta(CrdtDelta& delta) {
  crdt::LWWRegisterDelta& taken = *delta.mutable_lwwregister();
  *taken.mutable_value() = value_;
  switch (std::exchange(clock_, Clock::kDefault)) {
    case Clock::kDefault:
      taken.set_clock(crdt::DEFAULT);
      break;
    case Clock::kReverse:
      taken.set_clock(crdt::REVERSE);
      break;
    case Clock::kCustom:
      taken.set_clock(crdt::CUSTOM);
      break;
    case Clock::kCustomAutoIncrement:
      taken.set_clock(crdt::CUSTOM_AUTO_INCREMENT);
      break;
  }
  taken.set_custom_clock_value(std::exchange(custom_clock_, std::int64_t{0}));
  changed_ = false;
}

absl::Status LWWRegister::Apply(const CrdtDelta& delta) {
  if (!delta.has_lwwregister()) return Incompatible(delta, "LWWRegister");
  value_ = delta.lwwregister().value();
  changed_ = false;  // a first value that nobody was told counts for nothing where there is one already
  return absl::OkStatus();
}

void Flag::Enable() {
  if (!std::exchange(value_, true)) enabled_here_ = true;
}

void Flag::TakeDelta(CrdtDelta& delta) {
  delta.mutable_flag()->set_value(value_);
  enabled_here_ = false;
}

absl::Status Flag::Apply(const CrdtDelta& delta) {
  if (!delta.has_flag()) return Incompatible(delta, "Flag");
  value_ = value_ || delta.flag().value();
  return absl::OkStatus();
}

void Vote::Set(bool vote) {
  if (std::exchange(self_vote_, vote) != vote) votes_for_ += vote ? 1 : -1;
}

void Vote::TakeDelta(CrdtDelta& delta) {
  delta.mutable_vote()->set_self_vote(self_vote_);
  told_vote_ = self_vote_;
}

absl::Status Vote::Apply(const CrdtDelta& delta) {
  if (!delta.has_vote()) return Incompatible(delta, "Vote");
  self_vote_ = told_vote_ = delta.vote().self_vote();
  votes_for_ = delta.vote().votes_for();
  total_voters_ = delta.vote().total_voters();
  return absl::OkStatus();
}

ORMap::ORMap() = default;
ORMap::~ORMap() = default;
ORMap::ORMap(ORMap&&) noexcept = default;
ORMap& ORMap::operator=(ORMap&&) noexcept = default;

ORMap::ORMap(const ORMap& other) : cleared_(other.cleared_), removed_(other.removed_), added_(other.added_) {
  for (const auto& [key, entry] : other.entries_) entries_.emplace(key, std::make_unique<Crdt>(*entry));
}

ORMap& ORMap::operator=(const ORMap& other) {
  if (this != &other) *this = ORMap(other);
  return *this;
}

const Crdt* ORMap::Find(const Any& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : found->second.get();
}

Crdt* ORMap::Find(const Any& key) {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : found->second.get();
}

Crdt& ORMap::GetOrAdd(const Any& key, const Crdt& first) {
  std::unique_ptr<Crdt>& entry = entries_[key];
  if (!entry) {
    entry = std::make_unique<Crdt>(first);
    added_.insert(key);
  }
  return *entry;
}

void ORMap::Remove(const Any& key) {
  if (entries_.erase(key) == 1 && added_.erase(key) == 0) removed_.insert(key);
}

void ORMap::Clear() {
  if (entries_.empty()) return;
  entries_.clear();
  removed_.clear();
  added_.clear();
  cleared_ = true;
}

bool ORMap::changed() const {
  if (cleared_ || !removed_.empty() || !added_.empty()) return true;
  for (const auto& [key, entry] : entries_) {
    if (entry->changed()) return true;
  }
  return false;
}

void ORMap::TakeDelta(CrdtDelta& delta) {
  crdt::ORMapDelta& taken = *delta.mutable_ormap();
  taken.set_cleared(std::exchange(cleared_, false));
  Take(removed_, *taken.mutable_removed());
  for (const auto& [key, entry] : entries_) {
    const bool added = added_.contains(key);
    if (!added && !entry->changed()) continue;
    crdt::ORMapEntryDelta& of_entry = added ? *taken.add_added() : *taken.add_updated();
    *of_entry.mutable_key() = key;
    entry->TakeDelta(*of_entry.mutable_delta());
  }
  added_.clear();
}

absl::Status ORMap::Apply(const CrdtDelta& delta) {
  if (!delta.has_ormap()) return Incompatible(delta, "ORMap");
  const crdt::ORMapDelta& told = delta.ormap();
  if (told.cleared()) entries_.clear();
  for (const Any& key : told.removed()) entries_.erase(key);
  absl::Status status;
  for (const crdt::ORMapEntryDelta& updated : told.updated()) {
    if (Crdt* entry = Find(updated.key())) status.Update(entry->Apply(updated.delta()));
  }
  for (const crdt::ORMapEntryDelta& added : told.added()) status.Update(ApplyAdded(added.key(), added.delta()));
  return status;
}

// What is added is whole, so it takes the place of an entry that is there.
absl::Status ORMap::ApplyAdded(const Any& key, const CrdtDelta& delta) {
  absl::StatusOr<Crdt> entry = Crdt::FromDelta(delta);
  if (entry.ok()) entries_[key] = std::make_unique<Crdt>(*std::move(entry));
  return entry.status();
}

absl::StatusOr<Crdt> Crdt::FromDelta(const CrdtDelta& delta) {
  const auto empty = [&]() -> std::optional<Crdt> {
    switch (delta.delta_case()) {
      case CrdtDelta::kGcounter:
        return GCounter();
      case CrdtDelta::kPncounter:
        return PNCounter();
      case CrdtDelta::kGset:
        return GSet();
      case CrdtDelta::kOrset:
        return ORSet();
      case CrdtDelta::kLwwregister:
        return LWWRegister(Any());
      case CrdtDelta::kFlag:
        return Flag();
      case CrdtDelta::kOrmap:
        return ORMap();
      case CrdtDelta::kVote:
        return Vote();
      case CrdtDelta::DELTA_NOT_SET:
        break;
    }
    return std::nullopt;
  };
  std::optional<Crdt> crdt = empty();
  if (!crdt) return absl::InvalidArgumentError("A delta came that has nothing in it.");
  if (absl::Status status = crdt->Apply(delta); !status.ok()) return status;
  return *std::move(crdt);
}

bool Crdt::changed() const {
  return std::visit([](const auto& type) { return type.changed(); }, type_);
}

void Crdt::TakeDelta(CrdtDelta& delta) {
  std::visit([&](auto& type) { type.TakeDelta(delta); }, type_);
}

absl::Status Crdt::Apply(const CrdtDelta& delta) {
  return std::visit([&](auto& type) { return type.Apply(delta); }, type_);
}

}  // namespace cloudstate::samples
