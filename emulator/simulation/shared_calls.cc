#include "emulator/simulation/shared_calls.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "emulator/base/chance.h"
#include "emulator/crdt/cell.h"
#include "emulator/simulation/shared_value.h"
#include "emulator/simulation/simulated_user_function.h"
#include "simulation/ledger.pb.h"

namespace cloudstate::simulation {
namespace {

namespace ledger = ::simulation;

using crdt::CrdtDelta;
using Kind = SharedOperation::Kind;

// Shares of the calls; the rest changes something.
constexpr double kReads = 0.15;
constexpr double kStays = 0.12;
constexpr double kDeletes = 0.03;
// Shares of the changes, where they are possible.
constexpr double kRemovals = 0.35;
constexpr double kKeyRemovals = 0.25;
constexpr double kMajorities = 0.4;
constexpr double kAlls = 0.1;
constexpr absl::Duration kMeanStay = absl::Seconds(1);
// The sum of so many powers of two has room in 64 bits.
constexpr int kMostChanges = 60;
// Once it is up, a flag has nothing to tell.
constexpr int kMostFlagChanges = 4;

constexpr int kTypes[] = {CrdtDelta::kGcounter,    CrdtDelta::kPncounter, CrdtDelta::kGset,  CrdtDelta::kOrset,
                          CrdtDelta::kLwwregister, CrdtDelta::kFlag,      CrdtDelta::kOrmap, CrdtDelta::kVote};
// Below the keys of maps.
constexpr int kNestedTypes[] = {CrdtDelta::kPncounter, CrdtDelta::kOrset, CrdtDelta::kFlag};

// The published texts.
constexpr absl::string_view kDeleted = "Entity deleted";
constexpr absl::string_view kNotWritten = "Failed to update CRDT at requested write consistency";

bool Says(const absl::Status& status, absl::string_view text) {
  return absl::IsUnknown(status) && status.message() == text;
}

}  // namespace

// ---- what to do

SharedCalls::Slot& SharedCalls::Draw(const dev::v1::Load& load) {
  const std::size_t wanted = std::max(std::size(kTypes), static_cast<std::size_t>(load.entities()));
  while (slots_.size() < wanted) {
    slots_.push_back({.type = kTypes[slots_.size() % std::size(kTypes)], .number = slots_.size() + 1});
    last_number_ = std::max(last_number_, slots_.back().number);
  }
  return slots_[base::Below(random_, wanted)];
}

void SharedCalls::Renew(Slot& slot) { slot = {.type = slot.type, .number = ++last_number_}; }

base::EntityKey SharedCalls::KeyOf(const Slot& slot) const {
  return {kShared, absl::StrCat(absl::AsciiStrToLower(crdt::TypeName(slot.type)), "-", slot.number)};
}

// One that runs, if any does.
std::uint32_t SharedCalls::DrawNode(const dev::v1::Load& load) {
  if (load.node() != 0) return static_cast<std::uint32_t>(load.node());
  std::vector<std::uint32_t> running;
  for (std::uint32_t node = 1;; ++node) {
    const std::optional<Sight> sight = look_(node);
    if (!sight.has_value()) break;
    if (sight->life != 0) running.push_back(node);
  }
  return running.empty() ? 1 : running[base::Below(random_, running.size())];
}

SharedCalls::Choice SharedCalls::Choose(const dev::v1::Load& load, std::uint64_t id) {
  Slot& slot = Draw(load);
  if (slot.changes >= (slot.type == CrdtDelta::kFlag ? kMostFlagChanges : kMostChanges)) Renew(slot);
  const std::uint32_t node = DrawNode(load);
  double drawn = base::Uniform(random_);
  if (drawn < kReads) return Read(node, KeyOf(slot));
  drawn -= kReads;
  Choice choice;
  choice.entity = KeyOf(slot);
  choice.node = node;
  choice.call.service = kShared;
  choice.call.method = "Change";
  SharedOperation& shared = choice.shared;
  shared.type = slot.type;
  ledger::SharedChange change;
  change.set_entity(choice.entity.entity_id);
  if (drawn < kStays) {
    shared.kind = Kind::kStay;
    choice.call.method = "Stay";
    choice.stay = -std::log1p(-base::Uniform(random_)) * kMeanStay;
    if (slot.type == CrdtDelta::kVote) change.mutable_update()->mutable_vote()->set_self_vote(true);
  } else {
    const double consistency = base::Uniform(random_);
    shared.consistency = consistency < kAlls                 ? crdt::ALL
                         : consistency < kAlls + kMajorities ? crdt::MAJORITY
                                                             : crdt::LOCAL;
    change.set_consistency(shared.consistency);
    ++slot.changes;
    if (drawn < kStays + kDeletes) {
      shared.kind = Kind::kDelete;
      change.set_end(true);
    } else {
      shared.kind = Kind::kAdd;
      *change.mutable_update() = DrawChange(slot, id, shared);
    }
  }
  choice.call.payload = change.SerializeAsString();
  return choice;
}

crdt::CrdtDelta SharedCalls::DrawChange(Slot& slot, std::uint64_t id, SharedOperation& shared) {
  if (slot.type != CrdtDelta::kOrmap) return DrawChangeOf(slot, slot.type, id, shared);
  shared.type = kNestedTypes[base::Below(random_, std::size(kNestedTypes))];
  shared.key = shared.type;
  const google::protobuf::Any key = ElementOf(static_cast<std::uint64_t>(shared.key));
  CrdtDelta delta;
  if (base::Happens(random_, kKeyRemovals)) {
    shared.kind = Kind::kRemoveKey;
    *delta.mutable_ormap()->add_removed() = key;
  } else {
    crdt::ORMapEntryDelta& entry = *delta.mutable_ormap()->add_updated();
    *entry.mutable_key() = key;
    *entry.mutable_delta() = DrawChangeOf(slot, shared.type, id, shared);
  }
  return delta;
}

crdt::CrdtDelta SharedCalls::DrawChangeOf(Slot& slot, int type, std::uint64_t id, SharedOperation& shared) {
  CrdtDelta delta;
  switch (static_cast<CrdtDelta::DeltaCase>(type)) {
    case CrdtDelta::kGcounter:
      shared.amount = std::int64_t{1} << slot.amounts[shared.key]++;
      delta.mutable_gcounter()->set_increment(static_cast<std::uint64_t>(shared.amount));
      break;
    case CrdtDelta::kPncounter:
      shared.amount = std::int64_t{1} << slot.amounts[shared.key]++;
      if (base::Below(random_, 2) == 0) shared.amount = -shared.amount;
      delta.mutable_pncounter()->set_change(shared.amount);
      break;
    case CrdtDelta::kGset:
      *delta.mutable_gset()->add_added() = ElementOf(id);
      break;
    case CrdtDelta::kOrset:
      if (!slot.elements.empty() && base::Happens(random_, kRemovals)) {
        const auto& [key, element] = slot.elements[base::Below(random_, slot.elements.size())];
        shared.kind = Kind::kRemove;
        shared.target = element;
        *delta.mutable_orset()->add_removed() = ElementOf(element);
      } else {
        slot.elements.emplace_back(shared.key, id);
        *delta.mutable_orset()->add_added() = ElementOf(id);
      }
      break;
    case CrdtDelta::kLwwregister:
      *delta.mutable_lwwregister()->mutable_value() = ElementOf(id);
      break;
    case CrdtDelta::kFlag:
      delta.mutable_flag()->set_value(true);
      break;
    case CrdtDelta::kVote:
      shared.amount = base::Below(random_, 2) == 0 ? 0 : 1;
      delta.mutable_vote()->set_self_vote(shared.amount != 0);
      break;
    default:
      break;
  }
  return delta;
}

SharedCalls::Choice SharedCalls::Read(std::uint32_t node, const base::EntityKey& entity) const {
  Choice choice;
  choice.entity = entity;
  choice.node = node;
  ledger::Which which;
  which.set_entity(entity.entity_id);
  choice.call.service = kShared;
  choice.call.method = "Read";
  choice.call.payload = which.SerializeAsString();
  return choice;
}

// ---- what comes of it

std::size_t SharedCalls::Begin(const Choice& choice) {
  shared_.push_back(choice.shared);
  shared_.back().operation = operations_.size() - 1;
  const std::optional<Sight> sight = look_(choice.node);
  lives_.push_back(sight.has_value() ? sight->life : 0);
  if (sight.has_value()) shared_.back().least_up = sight->up.size();
  return shared_.size() - 1;
}

crdt::ReplicaId SharedCalls::LifeUntilNow(std::size_t shared, crdt::Voters* up) const {
  const std::uint32_t node = Of(shared).node;
  std::optional<Sight> sight = look_(node);
  if (!sight.has_value() || sight->life == 0 || sight->life != lives_[shared]) return {};
  if (up != nullptr) *up = std::move(sight->up);
  return {node, sight->life};
}

void SharedCalls::OnMessage(std::size_t shared, const std::string& message) {
  SharedOperation& operation = shared_[shared];
  Sighting& sighting = sightings_.emplace_back();
  sighting.shared = shared;
  sighting.asked = Of(shared).invoked;
  sighting.seen = strand_.Now();
  crdt::Voters up;
  sighting.life = LifeUntilNow(shared, &up);
  sighting.votes = up.contains(sighting.life);
  sighting.last = Of(shared).client == 0;
  ledger::Seen seen;
  if (!seen.ParseFromString(message)) seen.mutable_value();  // of no type
  if (seen.has_value()) Hear(seen.value(), sighting.value);
  operation.changed = operation.changed || seen.changed();
}

bool SharedCalls::OnEnd(std::size_t shared, const absl::Status& status) {
  SharedOperation& operation = shared_[shared];
  operation.life = LifeUntilNow(shared, &operation.up);
  const bool has_life = operation.life.node != 0;
  if (Says(status, kDeleted)) {
    // The user function may have carried it out before it heard of that, and have told others what came of it.
    if (operation.kind == Kind::kRead) Of(shared).outcome = Operation::Outcome::kFailed;
    sightings_.push_back({.shared = shared,
                          .asked = Of(shared).invoked,
                          .seen = strand_.Now(),
                          .life = operation.life,
                          .deleted = true,
                          .last = Of(shared).client == 0});
    for (Slot& slot : slots_) {
      if (KeyOf(slot) == Of(shared).entity) Renew(slot);
    }
    return true;
  }
  if (operation.kind == Kind::kRead || operation.kind == Kind::kStay) return status.ok();
  operation.acknowledged = status.ok() && has_life;
  operation.applied = has_life && (status.ok() || Says(status, kNotWritten));
  operation.changed = operation.changed || Says(status, kNotWritten);
  operation.least_up = std::min(operation.least_up, operation.up.size());
  return status.ok();
}

std::string SharedCalls::LastTold(std::size_t shared) const {
  const auto last =
      std::find_if(sightings_.rbegin(), sightings_.rend(), [&](const Sighting& each) { return each.shared == shared; });
  return last == sightings_.rend() ? "before it was told anything" : ValueText(last->value);
}

std::string SharedCalls::Describe(std::size_t shared) const {
  const SharedOperation& operation = shared_[shared];
  const auto what = [&]() -> std::string {
    switch (operation.kind) {
      case Kind::kRead:
        return "reads";
      case Kind::kAdd:
        return operation.amount == 0 ? "adds" : absl::StrCat("adds ", operation.amount);
      case Kind::kRemove:
        return absl::StrCat("removes ", operation.target);
      case Kind::kRemoveKey:
        return "removes all";
      case Kind::kDelete:
        return "deletes";
      case Kind::kStay:
        return "stays";
    }
    return "";
  };
  return absl::StrCat(what(), operation.key == 0 ? "" : absl::StrCat(" below ", crdt::TypeName(operation.key)),
                      operation.consistency == crdt::LOCAL ? "" : ", ",
                      operation.consistency == crdt::LOCAL ? "" : CrdtWriteConsistency_Name(operation.consistency));
}

}  // namespace cloudstate::simulation
