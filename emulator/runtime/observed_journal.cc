#include "emulator/runtime/observed_journal.h"

#include <utility>

namespace cloudstate::runtime {

void ObservedJournal::Write(journal::Append append, absl::AnyInvocable<void(absl::Status)> done) {
  PassingJournal::Write(std::move(append), [this, done = std::move(done)](absl::Status status) mutable {
    const bool stored = status.ok();
    done(std::move(status));
    if (!stored || watching_ == 0) return;
    std::lock_guard lock(mutex_);
    for (auto& [id, watcher] : watchers_) watcher();
  });
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
