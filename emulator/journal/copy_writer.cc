#include "emulator/journal/copy_writer.h"

#include <array>
#include <string>

#include "absl/strings/str_cat.h"

namespace cloudstate::journal {
namespace {

// What copies are made of. The names that these tables refer to stay for ever.
constexpr std::array<const char*, 4> kCopied = {"entity", "cause", "event", "snapshot"};

std::string CopyOf(const char* table, std::uint64_t copy) { return absl::StrCat("temp.", table, "_of_copy_", copy); }

// Without conditions, so that whole tables go at once, however much is in them.
absl::Status Do(const ClearStored& clear, Connection& connection) {
  std::string sql = "DELETE FROM main.replica";
  for (const char* table : kCopied) absl::StrAppend(&sql, "; DELETE FROM main.", table);
  if (clear.restored.has_value()) {
    for (const char* table : kCopied) {
      absl::StrAppend(&sql, "; INSERT INTO main.", table, " SELECT * FROM ", CopyOf(table, *clear.restored));
    }
  }
  return connection.Execute(sql);
}

absl::Status Do(const KeepStored& keep, Connection& connection) {
  std::string sql;
  for (const char* table : kCopied) {
    absl::StrAppend(&sql, "CREATE TABLE ", CopyOf(table, keep.copy), " AS SELECT * FROM main.", table, ";");
  }
  if (absl::Status status = connection.Execute(sql); !status.ok()) return status;
  const std::string entities = CopyOf("entity", keep.copy);
  const auto count = connection.QueryInt(absl::StrCat("SELECT count(*) FROM ", entities));
  if (!count.ok()) return count.status();
  const auto events = connection.QueryInt(absl::StrCat("SELECT coalesce(sum(last_sequence), 0) FROM ", entities));
  if (!events.ok()) return events.status();
  *keep.amount = {.entities = *count, .events = *events};
  return absl::OkStatus();
}

absl::Status Do(const DropKept& drop, Connection& connection) {
  std::string sql;
  for (const std::uint64_t copy : drop.copies) {
    for (const char* table : kCopied) absl::StrAppend(&sql, "DROP TABLE IF EXISTS ", CopyOf(table, copy), ";");
  }
  return connection.Execute(sql);
}

}  // namespace

absl::Status ApplyCopyChange(const CopyChange& change, Connection& connection) {
  absl::Status status = std::visit([&connection](const auto& each) { return Do(each, connection); }, change);
  if (status.ok() || std::holds_alternative<ClearStored>(change)) return status;
  // SQLite's errors do not tell which of a connection's files has them.
  return {status.code(), absl::StrCat("SQLite's temporary database, which keeps saved states (in memory or where "
                                      "SQLITE_TMPDIR or TMPDIR says): ",
                                      status.message())};
}

}  // namespace cloudstate::journal
