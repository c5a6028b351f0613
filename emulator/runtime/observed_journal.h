#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "emulator/journal/journal.h"

namespace cloudstate::runtime {

// A journal that tells when something has been stored. Any thread.
class ObservedJournal final : public journal::Journal {
 public:
  explicit ObservedJournal(journal::Journal& journal) : journal_(journal) {}

  void Write(journal::Append append, absl::AnyInvocable<void(absl::Status)> done) override;
  void Load(const journal::EntityKey& key, std::optional<journal::SequenceNumber> after, std::size_t max_bytes,
            absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) override;
  void LoadLast(const journal::EntityKey& key, absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) override;
  void Delete(journal::EntityKey key, absl::AnyInvocable<void(absl::StatusOr<journal::Deleted>)> done) override;
  void Claim(std::vector<journal::ShardClaim> claims,
             absl::AnyInvocable<void(absl::StatusOr<std::vector<journal::ShardHolder>>)> done) override;
  bool Holds(const journal::Fence& fence) const override { return journal_.Holds(fence); }

  // `stored` runs on the journal's thread after a write was acknowledged. After Unwatch has returned it does not run.
  std::uint64_t Watch(absl::AnyInvocable<void()> stored);
  void Unwatch(std::uint64_t watch);

 private:
  journal::Journal& journal_;
  std::atomic<int> watching_ = 0;  // so that nobody's watching costs nothing
  std::mutex mutex_;
  std::map<std::uint64_t, absl::AnyInvocable<void()>> watchers_;
  std::uint64_t last_watch_ = 0;
};

}  // namespace cloudstate::runtime
