#include "emulator/journal/sqlite_browser.h"

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "emulator/journal/schema.h"

namespace cloudstate::journal {
namespace {

// Conditions of an EntityFilter: ?1 service, ?2 persistence id, ?3 part of the entity id.
#define FILTER                                   \
  "(?1 = '' OR service.text = ?1) "              \
  "AND (?2 = '' OR entity.persistence_id = ?2) " \
  "AND (?3 = '' OR instr(entity.entity_id, ?3) > 0) "

#define ENTITY_ROWS                                                                                              \
  "SELECT entity.id, entity.persistence_id, entity.entity_id, service.text, entity.last_sequence, "              \
  "entity.event_bytes, (SELECT max(sequence) FROM snapshot WHERE snapshot.entity = entity.id), entity.created, " \
  "entity.updated FROM entity JOIN name AS service ON service.id = entity.service "

// The order of the joins is the order of the tables: the first one's index gives the order of rows, so that a page
// costs what it shows.
#define EVENT_COLUMNS                                                                                     \
  "SELECT event.position, entity.persistence_id, entity.entity_id, service.text, event.sequence, "        \
  "type.text, event.payload, event.time, cause.trace_id, cause_service.text, method.text, command.text, " \
  "cause.payload "
#define EVENT_NAMES                                                       \
  "CROSS JOIN name AS service ON service.id = event.service "             \
  "CROSS JOIN name AS type ON type.id = event.type_url "                  \
  "CROSS JOIN cause ON cause.id = event.cause "                           \
  "CROSS JOIN name AS cause_service ON cause_service.id = cause.service " \
  "CROSS JOIN name AS method ON method.id = cause.method "                \
  "CROSS JOIN name AS command ON command.id = cause.type_url "

EntityRow ReadEntity(const Cursor& row) {
  EntityRow entity{.key = {row.String(1), row.String(2)},
                   .service = row.String(3),
                   .last_sequence = row.Int(4),
                   .event_bytes = row.Int(5),
                   .snapshot_sequence = std::nullopt,
                   .created = absl::FromUnixNanos(row.Int(7)),
                   .updated = absl::FromUnixNanos(row.Int(8))};
  if (!row.IsNull(6)) entity.snapshot_sequence = row.Int(6);
  return entity;
}

EventRow ReadEvent(const Cursor& row) {
  return EventRow{.position = row.Int(0),
                  .key = {row.String(1), row.String(2)},
                  .service = row.String(3),
                  .sequence = row.Int(4),
                  .payload = {row.String(5), row.String(6)},
                  .time = absl::FromUnixNanos(row.Int(7)),
                  .cause = {.trace_id = row.String(8),
                            .service = row.String(9),
                            .method = row.String(10),
                            .command = {row.String(11), row.String(12)}}};
}

absl::Status CheckLimit(int limit) {
  if (limit > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("a limit of ", limit, " rows; give at least 1"));
}

absl::StatusOr<Connection> OpenAndCheck(const std::string& file, Connection::Mode mode) {
  absl::StatusOr<Connection> connection = Connection::Open(file, mode);
  if (!connection.ok()) return connection;
  if (absl::Status status = CheckVersion(*connection); !status.ok()) return status;
  return connection;
}

// Whether the file is all there is. Beside one that was not closed well lies a log with the newest events.
bool HasLog(const std::string& file) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file + "-wal", error);
  return !error && size > 0;
}

}  // namespace

absl::StatusOr<Connection> OpenForReading(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error) && !error) {
    return absl::NotFoundError(absl::StrCat("there is no journal at ", file,
                                            " yet. Run the emulator on that directory first, or name another one."));
  }
  absl::StatusOr<Connection> connection = OpenAndCheck(file, Connection::Mode::kReadOnly);
  // SQLite wants to make files beside a journal to agree with writers. Where it may not, and there is no log, there is
  // also no writer to agree with.
  if (!absl::IsPermissionDenied(connection.status()) || HasLog(file)) return connection;
  return OpenAndCheck(file, Connection::Mode::kImmutable);
}

absl::StatusOr<std::unique_ptr<SqliteBrowser>> SqliteBrowser::Open(const std::string& file) {
  absl::StatusOr<Connection> connection = OpenForReading(file);
  if (!connection.ok()) return connection.status();
  Preparer prepare(*connection);
  Statements all{
      .begin = prepare("BEGIN"),
      .commit = prepare("COMMIT"),
      .count_entities = prepare("SELECT count(*) FROM entity JOIN name AS service ON service.id = entity.service "
                                "WHERE " FILTER),
      .first_entities =
          prepare(ENTITY_ROWS "WHERE " FILTER "ORDER BY entity.persistence_id, entity.entity_id LIMIT ?4"),
      .more_entities = prepare(ENTITY_ROWS "WHERE " FILTER "AND (entity.persistence_id, entity.entity_id) > "
                                           "(SELECT persistence_id, entity_id FROM entity WHERE id = ?5) "
                                           "ORDER BY entity.persistence_id, entity.entity_id LIMIT ?4"),
      .entity = prepare(ENTITY_ROWS "WHERE entity.persistence_id = ? AND entity.entity_id = ?"),
      .events =
          prepare(EVENT_COLUMNS "FROM entity CROSS JOIN event ON event.entity = entity.id " EVENT_NAMES
                                "WHERE entity.persistence_id = ? AND entity.entity_id = ? AND event.sequence >= ? "
                                "ORDER BY event.sequence LIMIT ?"),
      .events_after = prepare(EVENT_COLUMNS "FROM event CROSS JOIN entity ON entity.id = event.entity " EVENT_NAMES
                                            "WHERE " FILTER "AND event.position > ?4 ORDER BY event.position LIMIT ?5"),
      .last_position = prepare("SELECT coalesce(max(position), 0) FROM event"),
      .snapshots =
          prepare("SELECT snapshot.sequence, type.text, snapshot.payload, snapshot.time FROM entity "
                  "JOIN snapshot ON snapshot.entity = entity.id JOIN name AS type ON type.id = snapshot.type_url "
                  "WHERE entity.persistence_id = ? AND entity.entity_id = ? ORDER BY snapshot.sequence"),
      .descriptor_sets = prepare("SELECT content FROM descriptor_set ORDER BY id DESC"),
  };
  if (!prepare.status().ok()) return prepare.status();
  return std::unique_ptr<SqliteBrowser>(new SqliteBrowser(*std::move(connection), std::move(all)));
}

absl::StatusOr<EntityPage> SqliteBrowser::Entities(const EntityFilter& filter, const std::string& page, int page_size) {
  if (absl::Status status = CheckLimit(page_size); !status.ok()) return status;
  std::int64_t after = 0;
  if (!page.empty() && (!absl::SimpleAtoi(page, &after) || after <= 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", page, "' is no page of entities; start with the first, an empty one"));
  }
  // One transaction, so that rows and total are of the same moment.
  if (absl::Status status = statements_.begin.Run(); !status.ok()) return status;
  absl::StatusOr<EntityPage> result = ReadPage(filter, after, page_size);
  if (connection_.InTransaction()) {
    absl::Status status = statements_.commit.Run();
    if (result.ok() && !status.ok()) return status;
  }
  return result;
}

// A page is named after the last entity of the one before, by its id in the file: entities are never removed.
absl::StatusOr<EntityPage> SqliteBrowser::ReadPage(const EntityFilter& filter, std::int64_t after, int page_size) {
  EntityPage page;
  {
    Cursor count = statements_.count_entities.Query(filter.service, filter.persistence_id, filter.id_contains);
    if (count.Next()) page.total = count.Int(0);
    if (!count.status().ok()) return count.status();
  }
  const std::int64_t one_more = std::int64_t{page_size} + 1;
  Cursor rows =
      after == 0
          ? statements_.first_entities.Query(filter.service, filter.persistence_id, filter.id_contains, one_more)
          : statements_.more_entities.Query(filter.service, filter.persistence_id, filter.id_contains, one_more, after);
  std::int64_t last = 0;
  while (rows.Next()) {
    if (page.rows.size() == static_cast<std::size_t>(page_size)) {
      page.next = absl::StrCat(last);
      break;
    }
    last = rows.Int(0);
    page.rows.push_back(ReadEntity(rows));
  }
  if (!rows.status().ok()) return rows.status();
  return page;
}

absl::StatusOr<EntityRow> SqliteBrowser::Entity(const EntityKey& key) {
  Cursor row = statements_.entity.Query(key.persistence_id, key.entity_id);
  if (row.Next()) return ReadEntity(row);
  if (!row.status().ok()) return row.status();
  return absl::NotFoundError(absl::StrCat("the journal ", connection_.file(), " has no entity ", key.ToString(),
                                          ". `cloudstate-dev journal ls` lists those that it has."));
}

absl::StatusOr<std::vector<EventRow>> SqliteBrowser::Events(const EntityKey& key, SequenceNumber from, int limit) {
  if (absl::Status status = CheckLimit(limit); !status.ok()) return status;
  std::vector<EventRow> events;
  Cursor rows = statements_.events.Query(key.persistence_id, key.entity_id, from, limit);
  while (rows.Next()) events.push_back(ReadEvent(rows));
  if (!rows.status().ok()) return rows.status();
  return events;
}

absl::StatusOr<std::vector<EventRow>> SqliteBrowser::EventsAfter(std::int64_t position, const EntityFilter& filter,
                                                                 int limit) {
  if (absl::Status status = CheckLimit(limit); !status.ok()) return status;
  std::vector<EventRow> events;
  Cursor rows =
      statements_.events_after.Query(filter.service, filter.persistence_id, filter.id_contains, position, limit);
  while (rows.Next()) events.push_back(ReadEvent(rows));
  if (!rows.status().ok()) return rows.status();
  return events;
}

absl::StatusOr<std::int64_t> SqliteBrowser::LastPosition() {
  Cursor row = statements_.last_position.Query();
  if (row.Next()) return row.Int(0);
  return row.status();
}

absl::StatusOr<std::vector<SnapshotRow>> SqliteBrowser::Snapshots(const EntityKey& key) {
  std::vector<SnapshotRow> snapshots;
  Cursor rows = statements_.snapshots.Query(key.persistence_id, key.entity_id);
  while (rows.Next()) {
    snapshots.push_back({rows.Int(0), Payload{rows.String(1), rows.String(2)}, absl::FromUnixNanos(rows.Int(3))});
  }
  if (!rows.status().ok()) return rows.status();
  return snapshots;
}

absl::StatusOr<std::vector<std::string>> SqliteBrowser::DescriptorSets() {
  std::vector<std::string> sets;
  Cursor rows = statements_.descriptor_sets.Query();
  while (rows.Next()) sets.push_back(rows.String(0));
  if (!rows.status().ok()) return rows.status();
  return sets;
}

}  // namespace cloudstate::journal
