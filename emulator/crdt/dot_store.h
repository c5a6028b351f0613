#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "emulator/base/planted_bug.h"
#include "emulator/crdt/dot.h"

namespace cloudstate::crdt {

// What the types are made of: values under the dots of the writes that put them there (Almeida, Shoker, Baquero, "Delta
// state replicated data types", 2018, section 7). Two replicas join by one rule: what both have stays; what only one
// has stays if the other has never known its dot, else the other has removed it.

// The two sides of a join. A delta names every place that it has changed, even those where nothing is left, so that
// what it does not name needs no visit; the dots in its context are of no other places.
struct Joining {
  const CausalContext& ours;    // before the join
  const CausalContext& theirs;  // before the join
  bool whole = true;            // theirs is a state, not a delta
  bool keep_empty = false;      // ours is a delta
  bool& removed;                // set when anything of ours goes
};

// Values under dots. A value never changes: another write is another dot.
template <typename Value>
class DotFun {
 public:
  using Values = std::map<Dot, Value>;

  const Values& values() const { return values_; }
  bool empty() const { return values_.empty(); }
  void Put(const Dot& dot, Value value) { values_.insert_or_assign(dot, std::move(value)); }
  // The replica's last write; null for none. There is at most one where each of its writes replaces its last, but for
  // deltas that have come before others.
  const typename Values::value_type* Of(ReplicaId replica) const {
    const auto after = values_.upper_bound({replica, std::numeric_limits<std::uint64_t>::max()});
    if (after == values_.begin()) return nullptr;
    const auto last = std::prev(after);
    return last->first.replica == replica ? &*last : nullptr;
  }
  // Puts `value` in place of the writes that `replaced` names, here and in the delta.
  template <typename Replaced>
  void Write(Value value, Writer& writer, DotFun& delta, const Replaced& replaced) {
    std::erase_if(delta.values_, [&](const auto& each) { return replaced(each.first); });  // if one change writes twice
    Drop(writer, replaced);
    const Dot dot = writer.Next();
    delta.Put(dot, value);
    Put(dot, std::move(value));
  }
  template <typename Dropped>
  void Drop(Writer& writer, const Dropped& dropped) {
    std::erase_if(values_, [&](const auto& each) {
      if (!dropped(each.first)) return false;
      writer.Replace(each.first);
      return true;
    });
  }
  void Clear(Writer& writer) {
    Drop(writer, [](const Dot&) { return true; });
  }
  template <typename Visit>
  void VisitDots(const Visit& visit) const {
    for (const auto& [dot, value] : values_) visit(dot);
  }

  void Join(const DotFun& theirs, const Joining& joining) {
    const auto removed = std::erase_if(values_, [&](const auto& each) {
      return !theirs.values_.contains(each.first) && joining.theirs.Contains(each.first);
    });
    joining.removed |= removed > 0;
    for (const auto& [dot, value] : theirs.values_) {
      if (!joining.ours.Contains(dot)) values_.try_emplace(dot, value);
    }
  }

  bool operator==(const DotFun&) const = default;

 private:
  Values values_;
};

// Dots alone: the writes that say that something is there.
class DotSet {
 public:
  using Dots = absl::InlinedVector<Dot, 1>;  // sorted; one, but for concurrent writes

  const Dots& dots() const { return dots_; }
  bool empty() const { return dots_.empty(); }
  bool HasWriteOf(ReplicaId replica) const {
    return std::ranges::any_of(dots_, [&](const Dot& dot) { return dot.replica == replica; });
  }
  void Put(const Dot& dot) {
    const auto place = std::ranges::lower_bound(dots_, dot);
    if (place == dots_.end() || *place != dot) dots_.insert(place, dot);
  }
  // Says it once more, in place of all that said it before.
  void Renew(Writer& writer, DotSet& delta) {
    Clear(writer);
    const Dot dot = writer.Next();
    delta.dots_.assign({dot});
    dots_.assign({dot});
  }
  void Clear(Writer& writer) {
    for (const Dot& dot : dots_) writer.Replace(dot);
    dots_.clear();
  }
  // As if nothing had ever been said.
  void Reset() { dots_.clear(); }
  // What a replica that is gone for good has said is said again by the writer.
  void Prune(ReplicaId gone, Writer& writer, DotSet& delta) {
    if (HasWriteOf(gone)) Renew(writer, delta);
  }
  template <typename Visit>
  void VisitDots(const Visit& visit) const {
    for (const Dot& dot : dots_) visit(dot);
  }

  void Join(const DotSet& theirs, const Joining& joining) {
    const auto left = std::remove_if(dots_.begin(), dots_.end(), [&](const Dot& dot) {
      if (std::ranges::binary_search(theirs.dots_, dot)) return false;
      if (base::IsPlanted(base::PlantedBug::kRemovalNotJoined)) return false;
      return joining.theirs.Contains(dot) || base::IsPlanted(base::PlantedBug::kUnseenRemoved);
    });
    joining.removed |= left != dots_.end();
    dots_.erase(left, dots_.end());
    for (const Dot& dot : theirs.dots_) {
      if (!joining.ours.Contains(dot)) Put(dot);
    }
  }

  bool operator==(const DotSet&) const = default;

 private:
  Dots dots_;
};

// Joins maps from keys to stores, by key. A store that has become empty goes, unless ours is a delta: there it says
// that something was removed.
template <typename Map>
void JoinByKey(Map& ours, const Map& theirs, const Joining& joining) {
  if (joining.whole) {
    static const auto* const kNothing = new typename Map::mapped_type();
    for (auto each = ours.begin(); each != ours.end();) {
      const auto place = each++;
      if (theirs.find(place->first) == theirs.end()) place->second.Join(*kNothing, joining);
      if (place->second.empty() && !joining.keep_empty) ours.erase(place);
    }
  }
  for (const auto& [key, store] : theirs) {
    const auto place = ours.try_emplace(key).first;
    place->second.Join(store, joining);
    if (place->second.empty() && !joining.keep_empty) ours.erase(place);
  }
}

}  // namespace cloudstate::crdt
