#include "emulator/crdt/cell.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "emulator/base/planted_bug.h"

namespace cloudstate::crdt {
namespace {

template <typename T>
constexpr bool kIsType = !std::is_same_v<std::decay_t<T>, std::monostate>;

// Whether parts of it can be removed.
template <typename T>
constexpr bool kHasParts = std::is_same_v<T, ORSet> || std::is_same_v<T, ORMap>;

// Calls `run` with the data of both, which are of one type.
template <typename Ours, typename Theirs, typename Run>
void WithBoth(Ours& ours, Theirs& theirs, const Run& run) {
  std::visit(
      [&](auto& data) {
        if constexpr (kIsType<decltype(data)>) run(data, std::get<std::decay_t<decltype(data)>>(theirs));
      },
      ours);
}

template <std::size_t... Index>
Data Make(int type, std::index_sequence<Index...>) {
  Data data;
  (void)((static_cast<int>(Index) == type && (data.emplace<Index>(), true)) || ...);
  return data;
}

}  // namespace

absl::string_view TypeName(int type) {
  static constexpr std::array<absl::string_view, kTypes + 1> kNames = {
      "", "GCounter", "PNCounter", "GSet", "ORSet", "LWWRegister", "Flag", "ORMap", "Vote"};
  return kNames[static_cast<std::size_t>(type)];
}

Cell::Cell(int type) : data_(Make(type, std::make_index_sequence<std::variant_size_v<Data>>())) {}

bool Cell::empty() const {
  return presence_.empty() && std::visit(
                                  [](const auto& data) {
                                    if constexpr (kIsType<decltype(data)>) return data.empty();
                                    return true;
                                  },
                                  data_);
}

void Cell::Join(const Cell& theirs, const Joining& joining) {
  presence_.Join(theirs.presence_, joining);
  WithBoth(data_, theirs.data_, [&](auto& ours, const auto& others) { ours.Join(others, joining); });
}

void Cell::Clear(Writer& writer, Cell& delta) {
  presence_.Clear(writer);
  delta.presence_.Reset();
  WithBoth(data_, delta.data_, [&](auto& data, auto& removed) {
    if constexpr (std::is_same_v<std::decay_t<decltype(data)>, ORMap>) {
      data.Clear(writer, removed);
    } else if constexpr (std::is_base_of_v<ElementSet, std::decay_t<decltype(data)>>) {
      for (const auto& [key, dots] : data.elements()) {
        if (!base::IsPlanted(base::PlantedBug::kOldContentBack)) removed.elements()[key].Reset();
      }
      data.Clear(writer);
    } else {
      data.Clear(writer);
      removed = {};
    }
  });
}

bool Cell::CanPrune(ReplicaId gone) const {
  bool found = presence_.HasWriteOf(gone);
  std::visit(
      [&](const auto& data) {
        using Type = std::decay_t<decltype(data)>;
        if constexpr (kIsType<Type> && !kHasParts<Type>) {
          data.VisitDots([&](const Dot& dot) { found = found || dot.replica == gone; });
        }
      },
      data_);
  return found;
}

void Cell::Prune(ReplicaId gone, Writer& writer, Cell& delta) {
  presence_.Prune(gone, writer, delta.presence_);
  WithBoth(data_, delta.data_, [&](auto& data, auto& changed) {
    if constexpr (!kHasParts<std::decay_t<decltype(data)>>) data.Prune(gone, writer, changed);
  });
  if (empty()) presence_.Renew(writer, delta.presence_);  // it was there for a vote that is gone
}

Cells::Cells() = default;
Cells::Cells(const Cells&) = default;
Cells::Cells(Cells&&) noexcept = default;
Cells& Cells::operator=(const Cells&) = default;
Cells& Cells::operator=(Cells&&) noexcept = default;
Cells::~Cells() = default;

const Cell* Cells::Current() const {
  const auto found = std::ranges::find_if(cells_, [](const Cell& cell) { return !cell.empty(); });
  return found == cells_.end() ? nullptr : &*found;
}

Cell* Cells::Current() { return const_cast<Cell*>(std::as_const(*this).Current()); }

Cell& Cells::Of(int type) {
  const auto place = std::ranges::lower_bound(cells_, type, {}, &Cell::type);
  return place != cells_.end() && place->type() == type ? *place : *cells_.insert(place, Cell(type));
}

bool Cells::empty() const { return Current() == nullptr; }

void Cells::Join(const Cells& theirs, const Joining& joining) {
  if (joining.whole) {
    for (Cell& cell : cells_) {
      const bool named =
          std::ranges::any_of(theirs.cells_, [&](const Cell& each) { return each.type() == cell.type(); });
      if (!named) cell.Join(Cell(cell.type()), joining);
    }
  }
  for (const Cell& cell : theirs.cells_) Of(cell.type()).Join(cell, joining);
  if (!joining.keep_empty) std::erase_if(cells_, [](const Cell& cell) { return cell.empty(); });
}

void Cells::Clear(Writer& writer, Cells& delta) {
  for (Cell& cell : cells_) {
    cell.Clear(writer, delta.Of(cell.type()));
  }
  cells_.clear();
}

bool Cells::CanPrune(ReplicaId gone) const {
  return std::ranges::any_of(cells_, [&](const Cell& cell) { return cell.CanPrune(gone); });
}

void Cells::Prune(ReplicaId gone, Writer& writer, Cells& delta) {
  for (Cell& cell : cells_) {
    if (cell.CanPrune(gone)) cell.Prune(gone, writer, delta.Of(cell.type()));
  }
}

bool Cells::operator==(const Cells&) const = default;

}  // namespace cloudstate::crdt
