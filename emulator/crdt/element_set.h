#pragma once

#include <string>

#include "absl/container/btree_map.h"
#include "emulator/crdt/dot_store.h"

namespace cloudstate::crdt {

// What the two kinds of sets have in common: elements, each with the dots of the writes that say that it is there.
class ElementSet {
 public:
  using Elements = absl::btree_map<std::string, DotSet>;  // by KeyOf

  const Elements& elements() const { return elements_; }
  Elements& elements() { return elements_; }
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
  // What a replica that is gone for good has added is added again by the writer.
  void Prune(ReplicaId gone, Writer& writer, ElementSet& delta) {
    for (auto& [key, dots] : elements_) {
      if (dots.HasWriteOf(gone)) dots.Renew(writer, delta.elements_[key]);
    }
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
