#pragma once

#include <map>
#include <string>
#include <vector>

#include "emulator/crdt/dot_store.h"

namespace cloudstate::crdt {

class Cell;

// The data of one place, a key of a map or a whole entity: a cell for each type that it holds. There is more than one
// only after concurrent writes of different types; then that of the lowest type counts, on every replica. By type.
class Cells {
 public:
  Cells();
  Cells(const Cells&);
  Cells(Cells&&) noexcept;
  Cells& operator=(const Cells&);
  Cells& operator=(Cells&&) noexcept;
  ~Cells();

  // The cell that counts; null for none.
  const Cell* Current() const;
  Cell* Current();
  // The cell of that type, made if there is none.
  Cell& Of(int type);
  const std::vector<Cell>& all() const { return cells_; }

  bool empty() const;
  void Join(const Cells& theirs, const Joining& joining);
  // Removes all, and names in the delta what it has removed.
  void Clear(Writer& writer, Cells& delta);
  bool CanPrune(ReplicaId gone) const;
  void Prune(ReplicaId gone, Writer& writer, Cells& delta);
  template <typename Visit>
  void VisitDots(const Visit& visit) const;

  bool operator==(const Cells&) const;

 private:
  std::vector<Cell> cells_;
};

// A map from keys to data of any type, all in one causal context: a write to a key wins over a concurrent removal of
// the key, and what a removal has seen does not come back, whatever is written under the key later (Almeida, Shoker,
// Baquero, "Delta state replicated data types", 2018, section 7.4). A counter under a key that one replica removes
// while another counts there keeps what the other has counted in all, and loses the rest.
class ORMap {
 public:
  using Entries = std::map<std::string, Cells>;  // by KeyOf

  const Entries& entries() const { return entries_; }
  Entries& entries() { return entries_; }
  bool empty() const { return entries_.empty(); }

  void Remove(const std::string& key, Writer& writer, ORMap& delta) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    found->second.Clear(writer, delta.entries_[key]);
    entries_.erase(found);
  }
  void RemoveAll(Writer& writer, ORMap& delta) {
    for (auto& [key, cells] : entries_) cells.Clear(writer, delta.entries_[key]);
    entries_.clear();
  }

  void Join(const ORMap& theirs, const Joining& joining) { JoinByKey(entries_, theirs.entries_, joining); }
  void Clear(Writer& writer, ORMap& delta) { RemoveAll(writer, delta); }
  template <typename Visit>
  void VisitDots(const Visit& visit) const {
    for (const auto& [key, cells] : entries_) cells.VisitDots(visit);
  }

  bool operator==(const ORMap&) const = default;

 private:
  Entries entries_;
};

}  // namespace cloudstate::crdt
