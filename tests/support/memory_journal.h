#pragma once

#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "emulator/journal/journal.h"

namespace cloudstate::testing {

// A journal in memory for tests of what stands above it. Answers at once, unless the test holds writes back or makes
// them fail.
class MemoryJournal final : public journal::Journal {
 public:
  struct Stored {
    std::vector<journal::Event> events;
    std::vector<journal::Snapshot> snapshots;
  };

  void Write(journal::Append append, absl::AnyInvocable<void(absl::Status)> done) override {
    Hold([this, append = std::move(append), done = std::move(done)]() mutable { done(Apply(append)); });
  }

  void Delete(journal::EntityKey key, absl::AnyInvocable<void(absl::StatusOr<journal::Deleted>)> done) override {
    Hold([this, key = std::move(key), done = std::move(done)]() mutable {
      if (!write_status.ok()) return done(write_status);
      const auto found = entities.find(key);
      if (found == entities.end() || (found->second.events.empty() && found->second.snapshots.empty())) {
        return done(absl::NotFoundError("nothing is stored of " + key.ToString()));
      }
      const journal::Deleted deleted{.events = static_cast<std::int64_t>(found->second.events.size()),
                                     .snapshots = static_cast<std::int64_t>(found->second.snapshots.size())};
      entities.erase(found);
      done(deleted);
    });
  }

  // In its place between the writes, also when those are held back.
  void Claim(std::vector<journal::ShardClaim> claims,
             absl::AnyInvocable<void(absl::StatusOr<std::vector<journal::ShardHolder>>)> done) override {
    Hold([this, claims = std::move(claims), done = std::move(done)]() mutable {
      std::vector<journal::ShardHolder> holders;
      for (const journal::ShardClaim& claim : claims) holders.push_back(fences_.Claim(claim));
      done(std::move(holders));
    });
  }

  bool Holds(const journal::Fence& fence) const override { return fences_.Holds(fence); }

  // This is stored now, and nobody holds a shard any more.
  void Replace(std::map<journal::EntityKey, Stored> stored) {
    entities = std::move(stored);
    fences_.Vacate();
  }

  // Carries out the writes that were held back.
  void Release() {
    while (!held_.empty()) {
      auto write = std::move(held_.front());
      held_.pop_front();
      write();
    }
  }

  void Load(const journal::EntityKey& key, std::optional<journal::SequenceNumber> after, std::size_t max_bytes,
            absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) override {
    const Stored& stored = entities[key];
    absl::StatusOr<journal::Replay> replay = BeginLoad(stored);
    if (!replay.ok()) return done(replay.status());
    journal::SequenceNumber from = after.value_or(0);
    if (!after.has_value() && !stored.snapshots.empty()) {
      replay->snapshot = stored.snapshots.back();
      from = replay->snapshot->sequence;
    }
    std::size_t bytes = 0;
    for (const journal::Event& event : stored.events) {
      if (event.sequence <= from) continue;
      if (bytes >= max_bytes) {
        replay->complete = false;
        break;
      }
      bytes += event.payload.value.size();
      replay->events.push_back(event);
    }
    done(std::move(replay));
  }

  void LoadLast(const journal::EntityKey& key,
                absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) override {
    const Stored& stored = entities[key];
    absl::StatusOr<journal::Replay> replay = BeginLoad(stored);
    if (!replay.ok()) return done(replay.status());
    if (!stored.events.empty()) replay->events.push_back(stored.events.back());
    done(std::move(replay));
  }

  std::map<journal::EntityKey, Stored> entities;
  std::vector<journal::Cause> causes;
  bool hold_writes = false;
  int loads = 0;
  absl::Status write_status;
  absl::Status load_status;

 private:
  void Hold(absl::AnyInvocable<void()> write) {
    held_.push_back(std::move(write));
    if (!hold_writes) Release();
  }

  absl::StatusOr<journal::Replay> BeginLoad(const Stored& stored) {
    ++loads;
    if (!load_status.ok()) return load_status;
    journal::Replay replay;
    replay.last_sequence = static_cast<journal::SequenceNumber>(stored.events.size());
    return replay;
  }

  absl::Status Apply(journal::Append& append) {
    if (!write_status.ok()) return write_status;
    if (absl::Status status = fences_.Check(append.fence); !status.ok()) return status;
    Stored& stored = entities[append.key];
    if (append.expected != static_cast<journal::SequenceNumber>(stored.events.size())) {
      return absl::AbortedError("another writer was there");
    }
    for (journal::Payload& event : append.events) {
      stored.events.push_back({static_cast<journal::SequenceNumber>(stored.events.size()) + 1, std::move(event)});
      causes.push_back(append.cause);
    }
    if (append.snapshot.has_value()) {
      stored.snapshots.push_back({static_cast<journal::SequenceNumber>(stored.events.size()), *append.snapshot});
    }
    return absl::OkStatus();
  }

  std::deque<absl::AnyInvocable<void()>> held_;
  journal::Fences fences_;
};

}  // namespace cloudstate::testing
