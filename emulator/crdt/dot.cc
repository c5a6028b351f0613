#include "emulator/crdt/dot.h"

#include <algorithm>

#include "emulator/base/planted_bug.h"

namespace cloudstate::crdt {

bool CausalContext::Contains(const Dot& dot) const {
  const auto known = vector_.find(dot.replica);
  return (known != vector_.end() && dot.number <= known->second) || cloud_.contains(dot);
}

Dot CausalContext::Next(ReplicaId replica) const {
  const auto known = vector_.find(replica);
  return {replica, known == vector_.end() ? 1 : known->second + 1};
}

bool CausalContext::Knows(ReplicaId replica) const {
  const auto first = cloud_.lower_bound({replica, 0});
  return vector_.contains(replica) || (first != cloud_.end() && first->replica == replica);
}

void CausalContext::Add(const Dot& dot) {
  const auto known = vector_.find(dot.replica);
  if (known != vector_.end() && dot.number == known->second + 1) {  // as almost always
    ++known->second;
    if (!cloud_.empty()) Compact(dot.replica);
    return;
  }
  if (Contains(dot)) return;
  if (base::IsPlanted(base::PlantedBug::kGapSkipped)) {
    AddUpTo(dot);
    return;
  }
  cloud_.insert(dot);
  Compact(dot.replica);
}

bool CausalContext::AddUpTo(const Dot& dot) {
  std::uint64_t& last = vector_[dot.replica];
  if (dot.number <= last) return false;
  last = dot.number;
  Compact(dot.replica);
  return true;
}

bool CausalContext::Join(const CausalContext& other) {
  bool grown = false;
  for (const auto& [replica, number] : other.vector_) grown |= AddUpTo({replica, number});
  for (const Dot& dot : other.cloud_) {
    grown |= !Contains(dot);
    Add(dot);
  }
  return grown;
}

void CausalContext::Forget(ReplicaId replica) {
  vector_.erase(replica);
  std::erase_if(cloud_, [&](const Dot& dot) { return dot.replica == replica; });
}

void CausalContext::Compact(ReplicaId replica) {
  auto next = cloud_.lower_bound({replica, 0});
  if (next == cloud_.end() || next->replica != replica) return;
  const auto known = vector_.find(replica);
  std::uint64_t last = known == vector_.end() ? 0 : known->second;
  const std::uint64_t before = last;
  while (next != cloud_.end() && next->replica == replica && next->number <= last + 1) {
    last = std::max(last, next->number);
    next = cloud_.erase(next);
  }
  if (last != before) vector_[replica] = last;
}

}  // namespace cloudstate::crdt
