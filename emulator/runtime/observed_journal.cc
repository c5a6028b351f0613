#include "emulator/runtime/observed_journal.h"

#include <utility>

namespace cloudstate::runtime {

void ObservedJournal::Write(journal::Append append, absl::AnyInvocable<void(absl::Status)> done) {
  journal_.Write(std::move(append), [this, done = std::move(done)](absl::Status status) mutable {
    const bool stored = status.ok();
    done(std::move(status));
    if (!stored || watching_ == 0) return;
    std::lock_guard lock(mutex_);
    for (auto& [id, watcher] : watchers_) watcher();
  });
}

void ObservedJournal::Load(const journal::EntityKey& key, std::optional<journal::SequenceNumber> after,
                           std::size_t max_bytes, absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) {
  journal_.Load(key, after, max_bytes, std::move(done));
}

void ObservedJournal::LoadLast(const journal::EntityKey& key,
                               absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) {
  journal_.LoadLast(key, std::move(done));
}

void ObservedJournal::Delete(journal::EntityKey key, absl::AnyInvocable<void(absl::StatusOr<journal::Deleted>)> done) {
  journal_.Delete(std::move(key), std::move(done));
}

void ObservedJournal::Claim(std::vector<journal::ShardClaim> claims,
                            absl::AnyInvocable<void(absl::StatusOr<std::vector<journal::ShardHolder>>)> done) {
  journal_.Claim(std::move(claims), std::move(done));
}

std::uint64_t ObservedJournal::Watch(absl::AnyInvocable<void()> stored) {
  std::lock_guard lock(mutex_);
  ++watching_;
  watchers_.emplace(++last_watch_, std::move(stored));
  return last_watch_;
}

void ObservedJournal::Unwatch(std::uint64_t watch) {
  std::lock_guard lock(mutex_);
  --watching_;
  watchers_.erase(watch);
}

}  // namespace cloudstate::runtime
