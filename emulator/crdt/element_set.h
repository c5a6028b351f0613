#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "emulator/crdt/dot_store.h"

namespace cloudstate::crdt {

// What the two kinds of sets have in common: elements, each with the dots of the writes that say that it is there.
class ElementSet {
 public:
  using Elements = absl::flat_hash_map<std::string, DotSet>;  // by KeyOf; in another order in each run

  const Elements& elements() const { return elements_; }
  Elements& elements() { return elements_; }
  // By dots, of which no two are the same, then by key: for what depends on the order.
  std::vector<const Elements::value_type*> Sorted() const {
    std::vector<const Elements::value_type*> sorted;
    sorted.reserve(elements_.size());
    for (const auto& each : elements_) sorted.push_back(&each);
    std::ranges::sort(sorted, [](const auto* one, const auto* other) {
      const DotSet::Dots& dots = one->second.dots();
      const DotSet::Dots& others = other->second.dots();
      const auto order = std::lexicographical_compare_three_way(dots.begin(), dots.end(), others.begin(), others.end());
      return order == 0 ? one->first < other->first : order < 0;
    });
    return sorted;
  }
  bool empty() const { return elements_.empty(); }
  bool Contains(const std::string& key) const {
    const auto found = elements_.find(key);
    return found != elements_.end() && !found->second.empty();
  }

  void Renew(const std::string& key, Writer& writer, ElementSet& delta) {
    elements_[key].Renew(writer, delta.elements_[key]);
  }
  void Join(const ElementSet& theirs, const Joining& joining) { JoinByKey(elements_, theirs.elements_, joining); }
  void Clear(Writer& writer) {
    for (auto& [key, dots] : elements_) dots.Clear(writer);
    elements_.clear();
  }
  template <typename Visit>
  void VisitDots(const Visit& visit) const {
    for (const auto& [key, dots] : elements_) dots.VisitDots(visit);
  }

  bool operator==(const ElementSet&) const = default;

 private:
  Elements elements_;
};

}  // namespace cloudstate::crdt
