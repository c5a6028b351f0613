#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "emulator/runtime/passing_journal.h"

namespace cloudstate::runtime {

// A journal that tells when something has been stored. Any thread.
class ObservedJournal final : public PassingJournal {
 public:
  using PassingJournal::PassingJournal;

  void Write(journal::Append append, absl::AnyInvocable<void(absl::Status)> done) override;

  // `stored` runs on the journal's thread after a write was acknowledged. After Unwatch has returned it does not run.
  std::uint64_t Watch(absl::AnyInvocable<void()> stored);
  void Unwatch(std::uint64_t watch);

 private:
  std::atomic<int> watching_ = 0;  // so that nobody's watching costs nothing
  std::mutex mutex_;
  std::map<std::uint64_t, absl::AnyInvocable<void()>> watchers_;
  std::uint64_t last_watch_ = 0;
};

}  // namespace cloudstate::runtime
