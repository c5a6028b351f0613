#include "emulator/crdt/update.h"

#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/base/planted_bug.h"
#include "emulator/crdt/element.h"

namespace cloudstate::crdt {
namespace {

int TypeOf(const CrdtDelta& update) { return static_cast<int>(update.delta_case()); }

absl::Status Check(const Cell* cell, const CrdtDelta& update, ReplicaId self);

absl::Status CheckData(const GCounter& counter, const CrdtDelta& update, ReplicaId) {
  return counter.CheckIncrement(update.gcounter().increment());
}

absl::Status CheckData(const PNCounter& counter, const CrdtDelta& update, ReplicaId self) {
  return counter.CheckChange(update.pncounter().change(), self);
}

absl::Status CheckData(const Flag& flag, const CrdtDelta& update, ReplicaId) {
  if (update.flag().value() || !flag.value()) return absl::OkStatus();
  return absl::FailedPreconditionError("Cannot switch off already enabled flag");
}

absl::Status CheckData(const ORMap& map, const CrdtDelta& update, ReplicaId self) {
  const ORMapDelta& changes = update.ormap();
  if (changes.cleared()) return absl::OkStatus();
  std::set<std::string> removed;
  for (const google::protobuf::Any& key : changes.removed()) removed.insert(KeyOf(key));
  const auto check = [&](const ORMapEntryDelta& each) {
    const std::string key = KeyOf(each.key());
    const auto found = map.entries().find(key);
    const Cell* cell = found == map.entries().end() || removed.contains(key) ? nullptr : found->second.Current();
    if (cell == nullptr || cell->type() != TypeOf(each.delta())) return absl::OkStatus();
    return Check(cell, each.delta(), self);
  };
  for (const ORMapEntryDelta& each : changes.updated()) {
    if (absl::Status status = check(each); !status.ok()) return status;
  }
  for (const ORMapEntryDelta& each : changes.added()) {
    // A new flag is off; that another node has made the same one and switched it on is no mistake of the user function.
    if (each.delta().has_flag()) continue;
    if (absl::Status status = check(each); !status.ok()) return status;
  }
  return absl::OkStatus();
}

template <typename Other>
absl::Status CheckData(const Other&, const CrdtDelta&, ReplicaId) {
  return absl::OkStatus();
}

absl::Status Check(const Cell* cell, const CrdtDelta& update, ReplicaId self) {
  if (cell == nullptr) return absl::OkStatus();
  return std::visit([&](const auto& data) { return CheckData(data, update, self); }, cell->data());
}

// One change, with what is needed to write it down.
struct Change {
  Writer& writer;
  std::int64_t now;
};

void Apply(Cell& cell, const CrdtDelta& update, Change change, Cell& delta);

void ApplyData(std::monostate&, const CrdtDelta&, Change, std::monostate&) {}

void ApplyData(GCounter& counter, const CrdtDelta& update, Change change, GCounter& delta) {
  if (update.gcounter().increment() > 0) counter.Increment(update.gcounter().increment(), change.writer, delta);
}

void ApplyData(PNCounter& counter, const CrdtDelta& update, Change change, PNCounter& delta) {
  if (update.pncounter().change() != 0) counter.Change(update.pncounter().change(), change.writer, delta);
}

void ApplyData(GSet& set, const CrdtDelta& update, Change change, GSet& delta) {
  for (const google::protobuf::Any& each : update.gset().added()) set.Add(KeyOf(each), change.writer, delta);
}

void ApplyData(ORSet& set, const CrdtDelta& update, Change change, ORSet& delta) {
  if (update.orset().cleared()) set.RemoveAll(change.writer, delta);
  for (const google::protobuf::Any& each : update.orset().removed()) set.Remove(KeyOf(each), change.writer, delta);
  for (const google::protobuf::Any& each : update.orset().added()) set.Add(KeyOf(each), change.writer, delta);
}

void ApplyData(LwwRegister& written, const CrdtDelta& update, Change change, LwwRegister& delta) {
  const LWWRegisterDelta& write = update.lwwregister();
  written.Write(KeyOf(write.value()), write.clock(), write.custom_clock_value(), change.now, change.writer, delta);
}

void ApplyData(Flag& flag, const CrdtDelta& update, Change change, Flag& delta) {
  if (update.flag().value()) flag.Enable(change.writer, delta);
}

void ApplyData(ORMap& map, const CrdtDelta& update, Change change, ORMap& delta) {
  const ORMapDelta& changes = update.ormap();
  if (changes.cleared()) map.RemoveAll(change.writer, delta);
  for (const google::protobuf::Any& key : changes.removed()) map.Remove(KeyOf(key), change.writer, delta);
  for (const ORMapEntryDelta& each : changes.updated()) {
    const std::string key = KeyOf(each.key());
    const auto found = map.entries().find(key);
    Cell* cell = found == map.entries().end() ? nullptr : found->second.Current();
    if (cell == nullptr || cell->type() != TypeOf(each.delta())) continue;
    Cell& changed = delta.entries()[key].Of(cell->type());
    if (!base::IsPlanted(base::PlantedBug::kUpdateLoses)) {
      cell->presence().Renew(change.writer, changed.presence());  // or a concurrent removal would win
    }
    Apply(*cell, each.delta(), change, changed);
  }
  for (const ORMapEntryDelta& each : changes.added()) {
    const int type = TypeOf(each.delta());
    if (type == CrdtDelta::DELTA_NOT_SET) continue;
    const std::string key = KeyOf(each.key());
    const auto found = map.entries().find(key);
    if (found != map.entries().end() && found->second.Current()->type() != type) map.Remove(key, change.writer, delta);
    Cell& cell = map.entries()[key].Of(type);
    Cell& changed = delta.entries()[key].Of(type);
    cell.presence().Renew(change.writer, changed.presence());
    Apply(cell, each.delta(), change, changed);
  }
}

void ApplyData(Vote& vote, const CrdtDelta& update, Change change, Vote& delta) {
  vote.Set(update.vote().self_vote(), change.writer, delta);
}

// The three are of one type.
void Apply(Cell& cell, const CrdtDelta& update, Change change, Cell& delta) {
  std::visit([&](auto& data) { ApplyData(data, update, change, std::get<std::decay_t<decltype(data)>>(delta.data())); },
             cell.data());
}

}  // namespace

absl::StatusOr<State> Update(State& state, const CrdtDelta& update, ReplicaId self, std::int64_t now) {
  const int type = TypeOf(update);
  if (type == CrdtDelta::DELTA_NOT_SET) return absl::InvalidArgumentError("Empty delta");
  if (state.deleted()) return absl::FailedPreconditionError("Entity deleted");
  Cell* cell = state.cells().Current();
  if (cell != nullptr && cell->type() != type) {
    return absl::InvalidArgumentError(
        absl::StrCat(TypeName(type), "Delta is incompatible with CRDT ", TypeName(cell->type())));
  }
  if (absl::Status status = Check(cell, update, self); !status.ok()) return status;

  State delta(State::Kind::kDelta);
  Writer writer(state.context(), self);
  Cell& changed = delta.cells().Of(type);
  if (cell == nullptr) {
    cell = &state.cells().Of(type);
    cell->presence().Renew(writer, changed.presence());
  }
  Apply(*cell, update, {writer, now}, changed);
  if (cell->empty()) cell->presence().Renew(writer, changed.presence());  // its first write has not come here yet
  if (writer.context().empty()) return State(State::Kind::kDelta);        // names no place either
  delta.context() = writer.TakeContext();
  state.context().Join(delta.context());
  return delta;
}

}  // namespace cloudstate::crdt
