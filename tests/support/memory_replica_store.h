#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "emulator/journal/replica_store.h"

namespace cloudstate::testing {

// A store of replicas in memory. Answers at once, unless the test holds the beginnings of lives back or lets it fail.
class MemoryReplicaStore final : public journal::ReplicaStore {
 public:
  const std::map<std::uint32_t, std::uint64_t>& FormerLives() const override { return former_lives; }

  void Inherit(std::uint32_t nodes, absl::AnyInvocable<void(absl::Status)> done) override {
    for (journal::ReplicaPiece& piece : pieces) piece.node = piece.node > nodes ? 1 : piece.node;
    done(failure);
  }

  void BeginLife(std::uint32_t node, std::uint64_t life,
                 absl::AnyInvocable<void(absl::StatusOr<std::vector<journal::ReplicaPiece>>)> done) override {
    if (hold_back) {
      held_.emplace_back(
          [this, node, life, done = std::move(done)]() mutable { BeginLife(node, life, std::move(done)); });
      return;
    }
    if (!failure.ok()) return done(failure);
    lives[node] = life;
    done(Of(node));
  }

  void Keep(std::vector<journal::ReplicaPiece> kept, absl::AnyInvocable<void(absl::Status)> done) override {
    if (!failure.ok()) return done(failure);
    for (journal::ReplicaPiece& piece : kept) {
      written += piece.state.size();
      if (piece.whole) {
        std::erase_if(pieces, [&](const auto& each) { return each.node == piece.node && each.key == piece.key; });
      }
      pieces.push_back(std::move(piece));
    }
    done(absl::OkStatus());
  }

  void KeepOnly(std::vector<std::uint32_t> nodes, absl::AnyInvocable<void(absl::Status)> done) override {
    if (failure.ok())
      std::erase_if(pieces, [&](const auto& each) { return std::ranges::count(nodes, each.node) == 0; });
    done(failure);
  }

  void Release() {
    hold_back = false;
    for (auto& each : std::exchange(held_, {})) each();
  }
  std::vector<journal::ReplicaPiece> Of(std::uint32_t node) const {
    std::vector<journal::ReplicaPiece> found;
    std::ranges::copy_if(pieces, std::back_inserter(found), [&](const auto& each) { return each.node == node; });
    return found;
  }

  absl::Status failure;
  bool hold_back = false;
  std::map<std::uint32_t, std::uint64_t> former_lives;
  std::map<std::uint32_t, std::uint64_t> lives;
  std::vector<journal::ReplicaPiece> pieces;
  std::size_t written = 0;  // bytes, over all time

 private:
  std::vector<absl::AnyInvocable<void()>> held_;
};

}  // namespace cloudstate::testing
