#include "emulator/journal/integrity.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/journal/sqlite.h"
#include "emulator/journal/sqlite_browser.h"

namespace cloudstate::journal {
namespace {

class Check {
 public:
  explicit Check(Connection connection) : connection_(std::move(connection)) {}

  IntegrityReport Run() {
    // One transaction: an emulator may go on writing.
    if (absl::Status status = connection_.Execute("BEGIN"); !status.ok()) Add(status.message());
    Structure();
    References();
    Sequences();
    Snapshots();
    Count("SELECT count(*) FROM entity", report_.entities);
    Count("SELECT count(*) FROM event", report_.events);
    Count("SELECT count(*) FROM snapshot", report_.snapshots);
    return std::move(report_);
  }

 private:
  void Add(absl::string_view problem) {
    if (report_.problems.size() < static_cast<std::size_t>(kMaxProblems)) report_.problems.emplace_back(problem);
  }

  // Calls `each` for the rows. That a damaged file can't be read is one more problem.
  template <typename Each>
  void Query(std::string_view sql, Each each) {
    absl::StatusOr<Statement> statement = connection_.Prepare(sql);
    if (!statement.ok()) return Add(statement.status().message());
    Cursor rows = statement->Query();
    while (rows.Next()) each(rows);
    if (!rows.status().ok()) Add(rows.status().message());
  }

  void Count(std::string_view sql, std::int64_t& count) {
    Query(sql, [&](const Cursor& row) { count = row.Int(0); });
  }

  void Structure() {
    Query("PRAGMA quick_check(20)", [&](const Cursor& row) {
      if (const std::string text = row.String(0); text != "ok") Add(absl::StrCat("The file's structure: ", text));
    });
  }

  void References() {
    Query("PRAGMA foreign_key_check", [&](const Cursor& row) {
      Add(absl::StrCat("Row ", row.Int(1), " of table ", row.String(0), " refers to a missing row of ", row.String(2),
                       "."));
    });
  }

  // An entity's sequence numbers are unique in the file, so their number and bounds tell that there is no gap.
  void Sequences() {
    Query(
        "SELECT entity.persistence_id, entity.entity_id, entity.last_sequence, count(event.sequence), "
        "coalesce(min(event.sequence), 1), coalesce(max(event.sequence), 0) "
        "FROM entity LEFT JOIN event ON event.entity = entity.id GROUP BY entity.id "
        "HAVING count(event.sequence) <> entity.last_sequence OR coalesce(min(event.sequence), 1) <> 1 "
        "OR coalesce(max(event.sequence), 0) <> entity.last_sequence",
        [&](const Cursor& row) {
          Add(absl::StrCat("Entity ", row.String(0), "|", row.String(1), " should have the events 1 to ", row.Int(2),
                           ", but has ", row.Int(3), " from ", row.Int(4), " to ", row.Int(5), "."));
        });
  }

  void Snapshots() {
    Query(
        "SELECT entity.persistence_id, entity.entity_id, snapshot.sequence, entity.last_sequence FROM snapshot "
        "JOIN entity ON entity.id = snapshot.entity WHERE snapshot.sequence > entity.last_sequence",
        [&](const Cursor& row) {
          Add(absl::StrCat("Entity ", row.String(0), "|", row.String(1), " has a snapshot at ", row.Int(2),
                           ", after its last event ", row.Int(3), "."));
        });
  }

  Connection connection_;
  IntegrityReport report_;
};

}  // namespace

absl::StatusOr<IntegrityReport> CheckIntegrity(const std::string& file) {
  absl::StatusOr<Connection> connection = OpenForReading(file);
  if (!connection.ok()) return connection.status();
  return Check(*std::move(connection)).Run();
}

}  // namespace cloudstate::journal
