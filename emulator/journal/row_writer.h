#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "emulator/journal/journal.h"
#include "emulator/journal/sqlite.h"

namespace cloudstate::journal {

// Where an event or a snapshot belongs, by the ids of rows.
struct RowTarget {
  std::int64_t entity = 0;
  std::int64_t service = 0;
  std::int64_t cause = 0;
  std::int64_t time = 0;  // nanoseconds since 1970
};

// Adds names, causes and events to a journal that has the present schema. Outlived by the connection.
class RowWriter {
 public:
  static absl::StatusOr<RowWriter> Make(Connection& connection);

  // Of the name that is there, or is now.
  absl::StatusOr<std::int64_t> NameId(const std::string& text);
  absl::StatusOr<std::int64_t> AddCause(const Cause& cause);
  absl::Status AddEvent(const RowTarget& target, SequenceNumber sequence, const Payload& event);
  // Names that it has added may have been undone with a transaction.
  void ForgetNames() { names_.clear(); }

 private:
  struct Statements {
    Statement find_name, add_name, add_cause, add_event;
  };
  explicit RowWriter(Statements statements) : statements_(std::move(statements)) {}

  Statements statements_;
  absl::flat_hash_map<std::string, std::int64_t> names_;  // a cache of the table, emptied when it grows large
};

}  // namespace cloudstate::journal
