#pragma once

#include "emulator/runtime/fault_book.h"
#include "emulator/runtime/passing_journal.h"

namespace cloudstate::runtime {

// A journal that fails where a test wants it to: writes as if the disk were full, reads as if it could not be read.
// What fails is refused on the caller's thread. Any thread.
class FaultyJournal final : public PassingJournal {
 public:
  // Both outlive this.
  FaultyJournal(journal::Journal& journal, FaultBook& faults) : PassingJournal(journal), faults_(faults) {}

  void Write(journal::Append append, absl::AnyInvocable<void(absl::Status)> done) override;
  void Load(const journal::EntityKey& key, std::optional<journal::SequenceNumber> after, std::size_t max_bytes,
            absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) override;
  void LoadLast(const journal::EntityKey& key, absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) override;

 private:
  absl::Status CheckRead(const journal::EntityKey& key);

  FaultBook& faults_;
};

}  // namespace cloudstate::runtime
