#pragma once

#include <variant>

#include "absl/strings/string_view.h"
#include "emulator/crdt/flag.h"
#include "emulator/crdt/g_counter.h"
#include "emulator/crdt/g_set.h"
#include "emulator/crdt/lww_register.h"
#include "emulator/crdt/or_map.h"
#include "emulator/crdt/or_set.h"
#include "emulator/crdt/pn_counter.h"
#include "emulator/crdt/vote.h"

namespace cloudstate::crdt {

// The eight types, each at the place of its number in CrdtDelta.
using Data = std::variant<std::monostate, GCounter, PNCounter, GSet, ORSet, LwwRegister, Flag, ORMap, Vote>;
inline constexpr int kTypes = static_cast<int>(std::variant_size_v<Data>) - 1;

// As the protocol writes it: "GCounter", "LWWRegister".
absl::string_view TypeName(int type);

// Data of one type, and the writes that say that it is there, even while it is empty.
class Cell {
 public:
  explicit Cell(int type);

  int type() const { return static_cast<int>(data_.index()); }
  const Data& data() const { return data_; }
  Data& data() { return data_; }
  const DotSet& presence() const { return presence_; }
  DotSet& presence() { return presence_; }

  bool empty() const;
  void Join(const Cell& theirs, const Joining& joining);
  // Removes all. The delta, of the same type, is left without data, but names all places that it has named.
  void Clear(Writer& writer, Cell& delta);
  // Whether there is anything to prune: data of that replica that nothing but the end of the entity can remove. What
  // can be removed stays under the dot of who wrote it: under another dot it would come back after the removal by a
  // replica that had not heard of that.
  bool CanPrune(ReplicaId gone) const;
  void Prune(ReplicaId gone, Writer& writer, Cell& delta);
  template <typename Visit>
  void VisitDots(const Visit& visit) const {
    presence_.VisitDots(visit);
    std::visit(
        [&](const auto& data) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(data)>, std::monostate>) data.VisitDots(visit);
        },
        data_);
  }

  bool operator==(const Cell&) const = default;

 private:
  DotSet presence_;
  Data data_;
};

template <typename Visit>
void Cells::VisitDots(const Visit& visit) const {
  for (const Cell& cell : cells_) cell.VisitDots(visit);
}

}  // namespace cloudstate::crdt
