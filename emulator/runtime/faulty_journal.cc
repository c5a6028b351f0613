#include "emulator/runtime/faulty_journal.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace cloudstate::runtime {

void FaultyJournal::Write(journal::Append append, absl::AnyInvocable<void(absl::Status)> done) {
  const bool stores = !append.events.empty() || append.snapshot.has_value();
  if (stores && !faults_.empty()) {
    const auto fault = faults_.Strike(dev::v1::Fault::FAILED_WRITE, {.service = append.service,
                                                                     .persistence_id = {},
                                                                     .method = append.cause.method,
                                                                     .entity_id = append.key.entity_id});
    if (fault.has_value()) {
      return done(absl::ResourceExhaustedError(absl::StrCat("the journal is full: ", DescribeFault(*fault))));
    }
  }
  PassingJournal::Write(std::move(append), std::move(done));
}

absl::Status FaultyJournal::CheckRead(const journal::EntityKey& key) {
  const auto fault =
      faults_.Strike(dev::v1::Fault::FAILED_READ,
                     {.service = {}, .persistence_id = key.persistence_id, .method = {}, .entity_id = key.entity_id});
  if (!fault.has_value()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("the journal cannot be read: ", DescribeFault(*fault)));
}

// Only what a stream begins with: the pages behind it are of the same loading.
void FaultyJournal::Load(const journal::EntityKey& key, std::optional<journal::SequenceNumber> after,
                         std::size_t max_bytes, absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) {
  if (after.value_or(0) == 0) {
    if (absl::Status status = CheckRead(key); !status.ok()) return done(std::move(status));
  }
  PassingJournal::Load(key, after, max_bytes, std::move(done));
}

void FaultyJournal::LoadLast(const journal::EntityKey& key,
                             absl::AnyInvocable<void(absl::StatusOr<journal::Replay>)> done) {
  if (absl::Status status = CheckRead(key); !status.ok()) return done(std::move(status));
  PassingJournal::LoadLast(key, std::move(done));
}

}  // namespace cloudstate::runtime
