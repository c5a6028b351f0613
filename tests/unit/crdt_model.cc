#include "tests/unit/crdt_model.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "emulator/crdt/element.h"

namespace cloudstate::crdt {
namespace {

char NameOf(const google::protobuf::Any& any) { return any.value().empty() ? '\0' : any.value()[0]; }

std::string KeyNamed(char name) { return name == '\0' ? std::string() : std::string({'t', '\0', name}); }

bool IsBelow(const std::string& path, const std::string& above) {
  return path.size() > above.size() && path.compare(0, above.size(), above) == 0;
}

int TypeOf(const CrdtDelta& update) { return static_cast<int>(update.delta_case()); }

}  // namespace

Model::Known Model::Shown(const Known& known) const {
  Known replaced;
  for (std::size_t i = 0; i < log_.size(); ++i) {
    if (known[i]) replaced |= log_[i].replaced;
  }
  return known & ~replaced;
}

template <typename Picks>
Model::Known Model::Pick(const Known& shown, const Picks& picks) const {
  Known picked;
  for (std::size_t i = 0; i < log_.size(); ++i) {
    if (shown[i] && picks(log_[i])) picked.set(i);
  }
  return picked;
}

const Model::Operation* Model::Last(const Known& picked) const {
  for (std::size_t i = log_.size(); i > 0; --i) {
    if (picked[i - 1]) return &log_[i - 1];
  }
  return nullptr;
}

// The greatest timestamp; of equal ones, the lowest replica's; of that replica's, the last.
const Model::Operation* Model::Winner(const Known& writes) const {
  const Operation* winner = nullptr;
  for (std::size_t i = 0; i < log_.size(); ++i) {
    if (!writes[i]) continue;
    const Operation& write = log_[i];
    if (winner == nullptr || write.number > winner->number ||
        (write.number == winner->number && write.replica <= winner->replica)) {
      winner = &write;
    }
  }
  return winner;
}

void Model::Put(Operation operation, Scene& scene) {
  if (log_.size() == kMostOperations) std::abort();
  scene.shown &= ~operation.replaced;
  scene.shown.set(log_.size());
  scene.known.set(log_.size());
  operation.replica = scene.self;
  log_.push_back(std::move(operation));
}

void Model::Remove(const Known& what, Scene& scene) {
  if (what.any()) Put({.kind = Kind::kRemove, .path = {}, .replica = {}, .replaced = what}, scene);
}

int Model::TypeAt(const std::string& path, const Known& shown) const {
  int type = 0;
  for (std::size_t i = 0; i < log_.size(); ++i) {
    if (!shown[i] || log_[i].kind == Kind::kRemove) continue;
    const int here = log_[i].path == path ? log_[i].type : IsBelow(log_[i].path, path) ? int{CrdtDelta::kOrmap} : 0;
    if (here != 0 && (type == 0 || here < type)) type = here;
  }
  return type;
}

bool Model::Refuses(const CrdtDelta& update, const std::string& path, const Known& shown) const {
  if (update.has_flag() && !update.flag().value()) {
    return Pick(shown, [&](const Operation& each) { return each.kind == Kind::kEnable && each.path == path; }).any();
  }
  if (!update.has_ormap() || update.ormap().cleared()) return false;
  const auto refuses = [&](const ORMapEntryDelta& each) {
    const std::string place = path + NameOf(each.key());
    const bool removed = std::ranges::any_of(update.ormap().removed(),
                                             [&](const auto& key) { return NameOf(key) == NameOf(each.key()); });
    return !removed && TypeAt(place, shown) == TypeOf(each.delta()) && Refuses(each.delta(), place, shown);
  };
  return std::ranges::any_of(update.ormap().updated(), refuses) ||
         std::ranges::any_of(update.ormap().added(),
                             [&](const auto& each) { return !each.delta().has_flag() && refuses(each); });
}

bool Model::Update(const CrdtDelta& update, ReplicaId self, std::int64_t now, Known& known) {
  Scene scene{self, now, known, Shown(known)};
  const bool deleted = Pick(known, [](const Operation& each) { return each.kind == Kind::kDelete; }).any();
  const int type = TypeAt("", scene.shown);
  if (deleted || TypeOf(update) == 0 || (type != 0 && type != TypeOf(update))) return false;
  if (Refuses(update, "", scene.shown)) return false;
  if (type == 0) Touch("", TypeOf(update), scene);
  Apply(update, "", scene);
  if (TypeAt("", scene.shown) != TypeOf(update)) Touch("", TypeOf(update), scene);  // what was changed is there
  return true;
}

void Model::Delete(Known& known) {
  Scene scene{{}, 0, known, Shown(known)};
  Put({.kind = Kind::kDelete, .path = {}, .replica = {}, .replaced = {}}, scene);
}

void Model::Touch(const std::string& path, int type, Scene& scene) {
  const Known before = Pick(scene.shown, [&](const Operation& each) {
    return each.kind == Kind::kTouch && each.path == path && each.type == type;
  });
  Put({.kind = Kind::kTouch, .type = type, .path = path, .replica = {}, .replaced = before}, scene);
}

void Model::Write(const LWWRegisterDelta& write, const std::string& path, Scene& scene) {
  const Known writes =
      Pick(scene.shown, [&](const Operation& each) { return each.kind == Kind::kWrite && each.path == path; });
  const Operation* last = Winner(writes);
  std::int64_t timestamp = write.custom_clock_value();
  if (write.clock() == REVERSE) timestamp = -scene.now;
  if (write.clock() == DEFAULT) timestamp = scene.now;
  if (last != nullptr && (write.clock() == DEFAULT || write.clock() == CUSTOM_AUTO_INCREMENT)) {
    timestamp = std::max(timestamp, last->number + 1);
  }
  if (last != nullptr && (last->number > timestamp || (last->number == timestamp && last->replica < scene.self)))
    return;
  Put({.kind = Kind::kWrite,
       .type = CrdtDelta::kLwwregister,
       .path = path,
       .name = NameOf(write.value()),
       .replica = {},
       .number = timestamp,
       .replaced = writes},
      scene);
}

void Model::Apply(const CrdtDelta& update, const std::string& path, Scene& scene) {
  const int type = TypeOf(update);
  const auto at = [&](Kind kind, char name = 0) {
    return Pick(scene.shown, [&](const Operation& each) {
      return each.kind == kind && each.path == path && each.type == type && (name == 0 || each.name == name);
    });
  };
  const auto own = [&](Kind kind) {
    return at(kind) & Pick(scene.shown, [&](const Operation& each) { return each.replica == scene.self; });
  };
  const auto put = [&](Kind kind, const Known& replaced, std::int64_t number, char name = 0) {
    Put({.kind = kind, .type = type, .path = path, .name = name, .replica = {}, .number = number, .replaced = replaced},
        scene);
  };
  if (update.has_gcounter() || update.has_pncounter()) {
    const std::int64_t by =
        update.has_gcounter() ? static_cast<std::int64_t>(update.gcounter().increment()) : update.pncounter().change();
    const Known before = own(Kind::kCount);
    const Operation* last = Last(before);
    if (by != 0) put(Kind::kCount, before, (last == nullptr ? 0 : last->number) + by);
  } else if (update.has_gset()) {
    for (const auto& each : update.gset().added()) {
      if (at(Kind::kAdd, NameOf(each)).none()) put(Kind::kAdd, {}, 0, NameOf(each));
    }
  } else if (update.has_orset()) {
    if (update.orset().cleared()) Remove(at(Kind::kAdd), scene);
    for (const auto& each : update.orset().removed()) Remove(at(Kind::kAdd, NameOf(each)), scene);
    for (const auto& each : update.orset().added()) put(Kind::kAdd, at(Kind::kAdd, NameOf(each)), 0, NameOf(each));
  } else if (update.has_lwwregister()) {
    Write(update.lwwregister(), path, scene);
  } else if (update.has_flag()) {
    if (update.flag().value() && at(Kind::kEnable).none()) put(Kind::kEnable, {}, 1);
  } else if (update.has_vote()) {
    const Known before = own(Kind::kVote);
    const Operation* last = Last(before);
    const bool now = last != nullptr && last->number == 1;
    if (now != update.vote().self_vote()) put(Kind::kVote, before, update.vote().self_vote() ? 1 : 0);
  } else {
    ApplyToMap(update.ormap(), path, scene);
  }
}

void Model::ApplyToMap(const ORMapDelta& update, const std::string& path, Scene& scene) {
  const auto within = [&](const std::string& place) {
    return Pick(scene.shown, [&](const Operation& each) { return each.path == place || IsBelow(each.path, place); });
  };
  if (update.cleared()) {
    Remove(Pick(scene.shown, [&](const Operation& each) { return IsBelow(each.path, path); }), scene);
  }
  for (const auto& key : update.removed()) Remove(within(path + NameOf(key)), scene);
  for (const ORMapEntryDelta& each : update.updated()) {
    const std::string place = path + NameOf(each.key());
    if (TypeOf(each.delta()) == 0 || TypeAt(place, scene.shown) != TypeOf(each.delta())) continue;
    Touch(place, TypeOf(each.delta()), scene);
    Apply(each.delta(), place, scene);
  }
  for (const ORMapEntryDelta& each : update.added()) {
    const std::string place = path + NameOf(each.key());
    if (TypeOf(each.delta()) == 0) continue;
    if (TypeAt(place, scene.shown) != TypeOf(each.delta())) Remove(within(place), scene);
    Touch(place, TypeOf(each.delta()), scene);
    Apply(each.delta(), place, scene);
  }
}

std::size_t Model::DotsAt(const Known& known) const {
  return Pick(Shown(known), [](const Operation& each) { return each.kind != Kind::kRemove; }).count();
}

std::optional<Value> Model::ValueAt(const Known& known, ReplicaId self, const Voters& voters) const {
  if (Pick(known, [](const Operation& each) { return each.kind == Kind::kDelete; }).any()) return std::nullopt;
  const Known shown = Shown(known);
  const int type = TypeAt("", shown);
  return type == 0 ? std::nullopt : std::optional(ValueOf(type, "", shown, self, voters));
}

Value Model::ValueOf(int type, const std::string& path, const Known& shown, ReplicaId self,
                     const Voters& voters) const {
  Value value;
  value.type = type;
  const Known here = Pick(shown, [&](const Operation& each) { return each.path == path && each.type == type; });
  for (std::size_t i = 0; i < log_.size(); ++i) {
    if (!here[i]) continue;
    const Operation& each = log_[i];
    if (each.kind == Kind::kAdd) value.elements.insert(KeyNamed(each.name));
    if (each.kind == Kind::kEnable) value.enabled = true;
    if (each.kind != Kind::kCount) continue;
    if (type == CrdtDelta::kGcounter) value.count += static_cast<std::uint64_t>(each.number);
    if (type == CrdtDelta::kPncounter) value.number += each.number;
  }
  if (type == CrdtDelta::kLwwregister) {
    const Operation* winner = Winner(Pick(here, [](const Operation& each) { return each.kind == Kind::kWrite; }));
    if (winner != nullptr) value.registered = KeyNamed(winner->name);
  }
  if (type == CrdtDelta::kVote) {
    value.votes.total = static_cast<std::int32_t>(voters.size());
    for (const ReplicaId& voter : voters) {
      const Operation* last =
          Last(Pick(here, [&](const Operation& each) { return each.kind == Kind::kVote && each.replica == voter; }));
      const bool yes = last != nullptr && last->number == 1;
      if (yes) ++value.votes.votes_for;
      if (voter == self) value.votes.self = yes;
    }
  }
  if (type == CrdtDelta::kOrmap) {
    for (std::size_t i = 0; i < log_.size(); ++i) {
      if (!shown[i] || !IsBelow(log_[i].path, path)) continue;
      const std::string place = log_[i].path.substr(0, path.size() + 1);
      const std::string key = KeyNamed(place.back());
      if (!value.entries.contains(key)) {
        value.entries.emplace(key, ValueOf(TypeAt(place, shown), place, shown, self, voters));
      }
    }
  }
  return value;
}

}  // namespace cloudstate::crdt
