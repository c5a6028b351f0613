#pragma once

#include <cstdint>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cloudstate::journal {

// How much entities have stored.
struct StoredAmount {
  std::int64_t entities = 0;
  std::int64_t events = 0;

  bool operator==(const StoredAmount&) const = default;
};

// Beginning anew, and from something that was there before. Copies are kept beside the journal, by numbers that the
// caller chooses, and go with it. Each call takes effect between the writes asked for before it and those after it.
// Threads and errors are those of Journal; what fails has changed nothing.
//
// What takes stored state away also ends all claims of shards: who held one must have ended before. Positions of
// events, lives of nodes and descriptors go on.
class Copies {
 public:
  virtual ~Copies() = default;

  // All that entities have stored, and what nodes know of CRDT entities.
  virtual void ClearAll(absl::AnyInvocable<void(absl::Status)> done) = 0;

  // Of what entities have stored; not of what nodes know. `done` gets how much that is. Its errors are those of a
  // temporary database, and name it.
  virtual void KeepCopy(std::uint64_t copy, absl::AnyInvocable<void(absl::StatusOr<StoredAmount>)> done) = 0;

  // ClearAll, and then what was stored when the copy was kept is there again, positions included. The copy stays.
  virtual void RestoreCopy(std::uint64_t copy, absl::AnyInvocable<void(absl::Status)> done) = 0;

  virtual void DropCopies(std::vector<std::uint64_t> copies, absl::AnyInvocable<void(absl::Status)> done) = 0;
};

}  // namespace cloudstate::journal
