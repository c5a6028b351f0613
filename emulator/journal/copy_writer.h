#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "emulator/journal/copies.h"
#include "emulator/journal/sqlite.h"

namespace cloudstate::journal {

// What Copies is asked for.
struct ClearStored {
  std::optional<std::uint64_t> restored;  // the copy that comes in its place
};
struct KeepStored {
  std::uint64_t copy = 0;
  std::shared_ptr<StoredAmount> amount;  // shared with whoever answers
};
struct DropKept {
  std::vector<std::uint64_t> copies;
};
using CopyChange = std::variant<ClearStored, KeepStored, DropKept>;

// The part of the writer that keeps copies, within the writer's transactions: they are tables of the connection's own
// temporary database.
absl::Status ApplyCopyChange(const CopyChange& change, Connection& connection);

}  // namespace cloudstate::journal
