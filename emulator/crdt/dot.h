#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace cloudstate::crdt {

// Who writes: one life of one node. A node that starts again, and may have forgotten what it wrote last, is another
// one.
struct ReplicaId {
  std::uint32_t node = 0;
  std::uint64_t life = 0;
  auto operator<=>(const ReplicaId&) const = default;
};

// The name of one write: the replica's first, second, third.
struct Dot {
  ReplicaId replica;
  std::uint64_t number = 0;  // from 1
  auto operator<=>(const Dot&) const = default;
};

// Which writes are known, whether or not anything is left of what they wrote (Almeida, Shoker, Baquero, "Delta state
// replicated data types", 2018, section 7). Writes that are known without a gap take one number for each replica; those
// that came before their predecessors are kept one by one until these arrive.
class CausalContext {
 public:
  bool Contains(const Dot& dot) const;
  // Of the replica, for its next write. It knows all its own writes.
  Dot Next(ReplicaId replica) const;
  // Whether any write of the replica is known.
  bool Knows(ReplicaId replica) const;

  void Add(const Dot& dot);
  // Whether it has grown.
  bool Join(const CausalContext& other);
  // As if nothing of the replica had ever been known.
  void Forget(ReplicaId replica);

  bool empty() const { return vector_.empty() && cloud_.empty(); }
  const std::map<ReplicaId, std::uint64_t>& vector() const { return vector_; }
  const std::set<Dot>& cloud() const { return cloud_; }
  // All writes of the replica up to that one. Whether that is news.
  bool AddUpTo(const Dot& dot);

  bool operator==(const CausalContext&) const = default;

 private:
  void Compact(ReplicaId replica);

  std::map<ReplicaId, std::uint64_t> vector_;
  std::set<Dot> cloud_;  // none of it within the vector, or next to it
};

// Notes down what one change does to the causal history: the dots that it makes, and those whose writes it replaces.
class Writer {
 public:
  // `known` outlives this, and is what the replica knows before the change.
  Writer(const CausalContext& known, ReplicaId self) : self_(self), next_(known.Next(self)) {}

  ReplicaId self() const { return self_; }
  Dot Next() {
    const Dot dot = next_;
    ++next_.number;
    context_.Add(dot);
    return dot;
  }
  void Replace(const Dot& dot) { context_.Add(dot); }
  // The context of the delta that holds the change.
  const CausalContext& context() const { return context_; }
  CausalContext TakeContext() { return std::move(context_); }

 private:
  const ReplicaId self_;
  Dot next_;
  CausalContext context_;
};

}  // namespace cloudstate::crdt
