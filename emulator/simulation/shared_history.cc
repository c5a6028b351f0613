#include "emulator/simulation/shared_history.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "emulator/simulation/findings.h"
#include "emulator/simulation/shared_value.h"

namespace cloudstate::simulation {
namespace {

using crdt::CrdtDelta;
using Kind = SharedOperation::Kind;

bool IsVote(const SharedOperation& each) { return each.type == CrdtDelta::kVote && each.kind == Kind::kAdd; }

// Checks all that was seen of one entity.
class SharedCheck {
 public:
  SharedCheck(const SharedHistory& history, Findings& findings) : history_(history), findings_(findings) {}

  void Add(const SharedOperation& operation) { operations_.push_back(&operation); }
  void Add(const Sighting& sighting) { sightings_.push_back(&sighting); }

  void Run(const base::EntityKey& key) {
    for (const SharedOperation* each : operations_) {
      if (each->kind == Kind::kAdd || each->kind == Kind::kRemoveKey) cells_[each->key];
      if (each->kind == Kind::kAdd) cells_[each->key].push_back(each);
    }
    for (const Sighting* each : sightings_) Check(*each);
    const auto replicas = history_.replicas.find(key);
    if (replicas == history_.replicas.end()) return;
    for (const Sighting& each : replicas->second) Check(each);
    CheckAgreement(replicas->second);
  }

 private:
  using Adds = std::vector<const SharedOperation*>;

  const Operation& Of(const SharedOperation& each) const { return history_.operations[each.operation]; }

  // ---- what is known of an operation

  // It may have had its effect by the time of the sighting.
  bool Maybe(const SharedOperation& each, const Sighting& sighting) const {
    return Of(each).outcome != Operation::Outcome::kFailed && Of(each).invoked <= sighting.seen;
  }
  // It must have.
  bool Known(const SharedOperation& each, const Sighting& sighting) const {
    if (!each.applied) return false;
    return (each.life == sighting.life && Of(each).returned < sighting.asked) || (sighting.last && Survives(each));
  }
  // In the same life, where all that comes later sees it.
  bool Before(const SharedOperation& one, const SharedOperation& other) const {
    return one.applied && one.life == other.life && Of(one).returned < Of(other).invoked;
  }
  bool Survives(const SharedOperation& each) const {
    if (history_.alive.contains(each.life)) return true;
    if (!each.acknowledged || each.consistency == crdt::LOCAL) return false;
    const auto ended = static_cast<std::size_t>(
        std::ranges::count_if(each.up, [&](const auto& life) { return !history_.alive.contains(life); }));
    return each.consistency == crdt::ALL ? ended < each.up.size() : ended <= each.least_up / 2;
  }
  bool Removes(const SharedOperation& each, const SharedOperation& added) const {
    return each.kind == Kind::kRemove ? each.target == Of(added).id
                                      : each.kind == Kind::kRemoveKey && each.key == added.key;
  }
  bool Required(const SharedOperation& added, const Sighting& sighting) const {
    return added.changed && Known(added, sighting) && std::ranges::none_of(operations_, [&](const auto* each) {
             return Removes(*each, added) && Maybe(*each, sighting) && !Before(*each, added);
           });
  }
  // A removal that must have had its effect saw it.
  bool Gone(const SharedOperation& added, const Sighting& sighting) const {
    return std::ranges::any_of(operations_, [&](const auto* each) {
      return Removes(*each, added) && each->changed && Known(*each, sighting) &&
             (each->kind == Kind::kRemove || Before(added, *each));
    });
  }

  // ---- one sighting

  void Check(const Sighting& sighting) {
    const auto deletes = [](const SharedOperation* each) { return each->kind == Kind::kDelete; };
    if (sighting.deleted) {
      if (std::ranges::none_of(operations_,
                               [&](const auto* each) { return deletes(each) && Maybe(*each, sighting); })) {
        Impossible(sighting, "has been deleted, which nobody asked for");
      }
      return;
    }
    for (const SharedOperation* each : operations_) {
      if (deletes(each) && Known(*each, sighting)) Lost(sighting, *each);
    }
    if (sighting.value.has_value()) CheckTypes(sighting);
    for (const auto& [key, adds] : cells_) {
      if (!adds.empty()) CheckCell(key, adds, sighting);
    }
    CheckVote(sighting);
  }

  void CheckTypes(const Sighting& sighting) {
    const auto expect = [&](const crdt::Value& value, int type) {
      if (value.type != type) Impossible(sighting, absl::StrCat("has a value of type ", value.type, ", not ", type));
    };
    const auto typed = std::ranges::find_if(operations_, [](const auto* each) {
      return each->kind == Kind::kAdd || (each->kind == Kind::kStay && each->type == CrdtDelta::kVote);
    });
    if (typed == operations_.end()) return Impossible(sighting, "has a value that nobody wrote");
    expect(*sighting.value, (*typed)->key == 0 ? (*typed)->type : static_cast<int>(CrdtDelta::kOrmap));
    std::size_t known = 0;
    for (const auto& [key, adds] : cells_) {
      const auto entry = sighting.value->entries.find(ElementKey(static_cast<std::uint64_t>(key)));
      if (key == 0 || entry == sighting.value->entries.end()) continue;
      ++known;
      expect(entry->second, key);
    }
    if (known < sighting.value->entries.size()) Impossible(sighting, "has a key that nobody wrote");
  }

  // Null where there is none.
  static const crdt::Value* CellOf(int key, const Sighting& sighting) {
    if (!sighting.value.has_value()) return nullptr;
    if (key == 0) return &*sighting.value;
    const auto entry = sighting.value->entries.find(ElementKey(static_cast<std::uint64_t>(key)));
    return entry == sighting.value->entries.end() ? nullptr : &entry->second;
  }

  void CheckCell(int key, const Adds& adds, const Sighting& sighting) {
    const crdt::Value* value = CellOf(key, sighting);
    switch (static_cast<CrdtDelta::DeltaCase>(adds.front()->type)) {
      case CrdtDelta::kGcounter:
        return CheckCounter(adds, value == nullptr ? 0 : static_cast<std::int64_t>(value->count), sighting);
      case CrdtDelta::kPncounter:
        return CheckCounter(adds, value == nullptr ? 0 : value->number, sighting);
      case CrdtDelta::kGset:
      case CrdtDelta::kOrset:
        return CheckSet(adds, value == nullptr ? crdt::Value().elements : value->elements, sighting);
      case CrdtDelta::kFlag:
        return CheckFlag(adds, value != nullptr && value->enabled, sighting);
      case CrdtDelta::kLwwregister:
        return CheckRegister(adds, value == nullptr ? "" : value->registered, sighting);
      default:
        return;
    }
  }

  void CheckPart(const SharedOperation& added, bool seen, const Sighting& sighting) {
    if (seen && !Maybe(added, sighting)) Impossible(sighting, absl::StrCat("has ", Text(added)));
    if (seen && Gone(added, sighting)) Lost(sighting, added, "has no removal of ");
    if (!seen && Required(added, sighting)) Lost(sighting, added);
  }

  // The amounts stand in the order of their size, and so the lowest bit that is set is that of the next one that
  // counts.
  void CheckCounter(const Adds& adds, std::int64_t count, const Sighting& sighting) {
    for (const SharedOperation* each : adds) {
      const bool seen = (count & each->amount & -each->amount) != 0;
      if (seen) count -= each->amount;
      CheckPart(*each, seen, sighting);
    }
    if (count != 0) Impossible(sighting, "has a number that is no sum of what was added");
  }

  void CheckSet(const Adds& adds, const absl::flat_hash_set<std::string>& elements, const Sighting& sighting) {
    std::size_t known = 0;
    for (const SharedOperation* each : adds) {
      const bool seen = elements.contains(ElementKey(Of(*each).id));
      known += seen ? 1 : 0;
      CheckPart(*each, seen, sighting);
    }
    if (known < elements.size()) Impossible(sighting, "has an element that nobody added");
  }

  void CheckFlag(const Adds& adds, bool enabled, const Sighting& sighting) {
    if (!enabled) {
      for (const SharedOperation* each : adds) CheckPart(*each, false, sighting);
    } else if (std::ranges::none_of(
                   adds, [&](const auto* each) { return Maybe(*each, sighting) && !Gone(*each, sighting); })) {
      Impossible(sighting, "has a flag that nobody raised");
    }
  }

  void CheckRegister(const Adds& adds, const std::string& registered, const Sighting& sighting) {
    const auto written =
        std::ranges::find_if(adds, [&](const auto* each) { return ElementKey(Of(*each).id) == registered; });
    if (written != adds.end()) CheckPart(**written, true, sighting);
    if (written == adds.end() && !registered.empty()) Impossible(sighting, "has what nobody wrote");
    for (const SharedOperation* each : adds) {
      if (Known(*each, sighting) && (registered.empty() || (written != adds.end() && Before(**written, *each)))) {
        Lost(sighting, *each);
      }
    }
  }

  // Each life has its own vote, which was set by one of the operations there that no later one has followed. Somebody
  // who stays may have voted, and taken it back, at any time since.
  void CheckVote(const Sighting& sighting) {
    if (!sighting.votes) return;
    const bool vote = sighting.value.has_value() && sighting.value->votes.self;
    const auto overridden = [&](const SharedOperation* earlier) {
      return std::ranges::any_of(operations_, [&](const auto* each) {
        return IsVote(*each) && each->applied && each->life == sighting.life && Of(*each).returned < sighting.asked &&
               (each->amount != 0) != vote && (earlier == nullptr || Before(*earlier, *each));
      });
    };
    const auto explains = [&](const SharedOperation* each) {
      const bool here = each->life == sighting.life || (each->life.node == 0 && Of(*each).node == sighting.life.node);
      if (!here || !Maybe(*each, sighting)) return false;
      return each->kind == Kind::kStay || (IsVote(*each) && (each->amount != 0) == vote && !overridden(each));
    };
    if ((!vote && !overridden(nullptr)) || std::ranges::any_of(operations_, explains)) return;
    findings_.Add("own-writes", absl::StrCat(Describe(sighting), " has another vote of the node than the last one"));
  }

  // ---- the end

  void CheckAgreement(const std::vector<Sighting>& replicas) {
    int votes = 0;
    std::map<crdt::ReplicaId, const Sighting*> by_life;
    for (const Sighting& each : replicas) {
      by_life[each.life] = &each;
      votes += each.value.has_value() && each.value->votes.self ? 1 : 0;
      if (!AreSame(replicas.front(), each)) {
        Disagree(each, absl::StrCat(Describe(replicas.front()), " has ", TextOf(replicas.front())));
      }
    }
    for (const Sighting* each : sightings_) {
      const auto replica = each->last ? by_life.find(each->life) : by_life.end();
      if (replica == by_life.end()) continue;
      const Sighting& theirs = *replica->second;
      if (each->deleted == theirs.deleted && each->value == theirs.value) continue;
      Disagree(*each, absl::StrCat(Describe(theirs), " has ", TextOf(theirs)));
    }
    const Sighting& first = replicas.front();
    if (!first.value.has_value() || first.value->type != CrdtDelta::kVote) return;
    const crdt::Vote::Tally& tally = first.value->votes;
    if (tally.votes_for != votes || tally.total != static_cast<int>(replicas.size())) {
      Disagree(first, absl::StrCat("there are ", votes, " votes of ", replicas.size()));
    }
  }

  static bool AreSame(const Sighting& one, const Sighting& other) {
    if (one.deleted != other.deleted || one.value.has_value() != other.value.has_value()) return false;
    if (!one.value.has_value()) return true;
    crdt::Value theirs = *other.value;
    theirs.votes.self = one.value->votes.self;
    return theirs == *one.value;
  }

  // ---- words

  std::string Text(const SharedOperation& each) const { return findings_.Describe(Of(each)); }
  std::string Describe(const Sighting& sighting) const {
    if (!sighting.shared.has_value()) return absl::StrCat("the replica of node ", sighting.life.node, " in the end");
    return absl::StrCat(findings_.Describe(Of(history_.shared[*sighting.shared])), ", told at ",
                        findings_.Seconds(sighting.seen), ",");
  }
  static std::string TextOf(const Sighting& sighting) {
    return sighting.deleted ? "its end" : ValueText(sighting.value);
  }

  void Impossible(const Sighting& sighting, const std::string& what) {
    findings_.Add("possible-value", absl::StrCat(Describe(sighting), " ", what, ": ", TextOf(sighting)));
  }
  void Lost(const Sighting& sighting, const SharedOperation& what, absl::string_view how = "has no ") {
    findings_.Add(sighting.last ? "acknowledged-change-lost" : "own-writes",
                  absl::StrCat(Describe(sighting), " ", how, Text(what), ": ", TextOf(sighting)));
  }
  void Disagree(const Sighting& sighting, const std::string& with) {
    findings_.Add("one-value", absl::StrCat(Describe(sighting), " has ", TextOf(sighting), ", but ", with));
  }

  const SharedHistory& history_;
  Findings& findings_;
  std::vector<const SharedOperation*> operations_;
  std::vector<const Sighting*> sightings_;
  std::map<int, Adds> cells_;  // by key; in the order of their amounts
};

}  // namespace

std::vector<Violation> CheckShared(const SharedHistory& history) {
  absl::Time origin = absl::InfiniteFuture();
  for (const Operation& each : history.operations) origin = std::min(origin, each.invoked);
  Findings findings(origin);
  std::map<base::EntityKey, SharedCheck> checks;
  const auto check_of = [&](const SharedOperation& each) -> SharedCheck& {
    return checks.try_emplace(history.operations[each.operation].entity, history, findings).first->second;
  };
  for (const SharedOperation& each : history.shared) {
    const Operation& operation = history.operations[each.operation];
    if (operation.outcome == Operation::Outcome::kOpen) {
      findings.Add("open-call", absl::StrCat(findings.Describe(operation), " has not ended"));
    }
    check_of(each).Add(each);
  }
  for (const Sighting& each : history.sightings) check_of(history.shared[*each.shared]).Add(each);
  for (auto& [key, check] : checks) check.Run(key);
  return findings.Take();
}

}  // namespace cloudstate::simulation
