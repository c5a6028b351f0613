#include "emulator/crdt/state.h"

#include <utility>

#include "emulator/base/planted_bug.h"

namespace cloudstate::crdt {
namespace {

// SplitMix64's finalizer (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
std::uint64_t Mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

std::uint64_t Mix(const Dot& dot, std::uint64_t salt) {
  return Mix(Mix(Mix(salt ^ dot.replica.node) ^ dot.replica.life) ^ dot.number);
}

}  // namespace

bool State::Join(const State& theirs) {
  if (deleted_) return false;
  if (theirs.deleted_) {
    Delete();
    return true;
  }
  bool removed = false;
  cells_.Join(theirs.cells_, {.ours = context_,
                              .theirs = theirs.context_,
                              .whole = theirs.kind_ == Kind::kWhole,
                              .keep_empty = kind_ == Kind::kDelta,
                              .removed = removed});
  if (base::IsPlanted(base::PlantedBug::kContextNotJoined)) return removed;
  return context_.Join(theirs.context_) || removed;
}

State State::Delete() {
  deleted_ = true;
  cells_ = Cells();
  context_ = CausalContext();
  State delta(Kind::kDelta);
  delta.deleted_ = true;
  return delta;
}

State State::Prune(ReplicaId gone, ReplicaId self) {
  State delta(Kind::kDelta);
  Writer writer(context_, self);
  cells_.Prune(gone, writer, delta.cells_);
  delta.context_ = writer.TakeContext();
  context_.Join(delta.context_);
  return delta;
}

bool State::HoldsWritesOf(ReplicaId replica) const {
  bool found = false;
  cells_.VisitDots([&](const Dot& dot) { found = found || dot.replica == replica; });
  return found;
}

std::uint64_t State::Digest() const {
  if (deleted_) return ~std::uint64_t{0};
  // The dots that are left say what the data is, since what was written under a dot never changes. In any order.
  std::uint64_t digest = 0;
  cells_.VisitDots([&](const Dot& dot) { digest += Mix(dot, 1); });
  for (const auto& [replica, number] : context_.vector()) digest += Mix({replica, number}, 2);
  for (const Dot& dot : context_.cloud()) digest += Mix(dot, 3);
  return digest;
}

}  // namespace cloudstate::crdt
