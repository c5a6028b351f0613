#include "emulator/journal/sqlite_browser.h"

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "emulator/journal/schema.h"

namespace cloudstate::journal {
namespace {

// Conditions of an EntityFilter on events: ?1 service, ?2 persistence id, ?3 part of the entity id.
#define FILTER                                   \
  "(?1 = '' OR service.text = ?1) "              \
  "AND (?2 = '' OR entity.persistence_id = ?2) " \
  "AND (?3 = '' OR instr(entity.entity_id, ?3) > 0) "

#define ENTITY_ROWS                                                                                              \
  "SELECT entity.persistence_id, entity.entity_id, service.text, entity.last_sequence, "                         \
  "entity.event_bytes, (SELECT max(sequence) FROM snapshot WHERE snapshot.entity = entity.id), entity.created, " \
  "entity.updated FROM entity CROSS JOIN name AS service ON service.id = entity.service "

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

#define SNAPSHOT_RANGE                                                                   \
  "WHERE entity.persistence_id = ? AND entity.entity_id = ? AND snapshot.sequence >= ? " \
  "ORDER BY snapshot.sequence LIMIT ?"

// Conditions of an EntityFilter on entities, only those that it has, so that SQLite sees which of them an index serves.
// ?1 to ?3 as above; ?4 and ?5 are the key to begin behind.
std::string EntityConditions(const EntityFilter& filter, bool behind_key) {
  std::vector<absl::string_view> all;
  if (!filter.service.empty()) all.emplace_back("service = (SELECT id FROM name WHERE text = ?1)");
  if (!filter.persistence_id.empty()) all.emplace_back("persistence_id = ?2");
  if (!filter.id_contains.empty()) all.emplace_back("instr(entity_id, ?3) > 0");
  if (behind_key && filter.persistence_id.empty()) all.emplace_back("(persistence_id, entity_id) > (?4, ?5)");
  if (behind_key && !filter.persistence_id.empty()) all.emplace_back("entity_id > ?5");
  return all.empty() ? "" : absl::StrCat(" WHERE ", absl::StrJoin(all, " AND "));
}

// Entities that are looked at one by one, in the order of their keys, for a page of a service.
constexpr int kLookedAt = 5'000;

enum class Search { kByKeys, kInOrder, kWholeTable };

// ?6 is the limit, ?7 how many are left out before. Which entities they are is found first, in the index of keys alone
// where that is enough.
std::string PageQuery(const EntityFilter& filter, bool behind_key, Search search) {
  constexpr char kOrder[] = " ORDER BY persistence_id, entity_id LIMIT ";
  std::string source = search == Search::kWholeTable ? "entity NOT INDEXED" : "entity";
  if (search == Search::kByKeys && !filter.service.empty()) {
    const EntityFilter keys{.service = "", .persistence_id = filter.persistence_id, .id_contains = ""};
    source = absl::StrCat("(SELECT * FROM entity", EntityConditions(keys, behind_key), kOrder, kLookedAt, ")");
  }
  return absl::StrCat(ENTITY_ROWS "WHERE entity.id IN (SELECT id FROM ", source, EntityConditions(filter, behind_key),
                      kOrder, "?6 OFFSET ?7) ORDER BY entity.persistence_id, entity.entity_id");
}

bool IsEmpty(const EntityFilter& filter) {
  return filter.service.empty() && filter.persistence_id.empty() && filter.id_contains.empty();
}

EntityRow ReadEntity(const Cursor& row) {
  EntityRow entity{.key = {row.String(0), row.String(1)},
                   .service = row.String(2),
                   .last_sequence = row.Int(3),
                   .event_bytes = row.Int(4),
                   .snapshot_sequence = std::nullopt,
                   .created = absl::FromUnixNanos(row.Int(6)),
                   .updated = absl::FromUnixNanos(row.Int(7))};
  if (!row.IsNull(5)) entity.snapshot_sequence = row.Int(5);
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

absl::StatusOr<std::vector<EventRow>> ReadEvents(Cursor rows) {
  std::vector<EventRow> events;
  for (std::size_t bytes = 0; bytes < kMostEventBytes && rows.Next(); bytes += BytesOf(events.back())) {
    events.push_back(ReadEvent(rows));
  }
  if (!rows.status().ok()) return rows.status();
  return events;
}

// Base64, so that it passes wherever text does; the length in front tells where the entity id begins.
std::string ToToken(const EntityKey& key) {
  return absl::WebSafeBase64Escape(absl::StrCat(key.persistence_id.size(), ":", key.persistence_id, key.entity_id));
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
      .entity = prepare(ENTITY_ROWS "WHERE entity.persistence_id = ? AND entity.entity_id = ?"),
      .events =
          prepare(EVENT_COLUMNS "FROM entity CROSS JOIN event ON event.entity = entity.id " EVENT_NAMES
                                "WHERE entity.persistence_id = ? AND entity.entity_id = ? AND event.sequence >= ? "
                                "ORDER BY event.sequence LIMIT ?"),
      .events_after = prepare(EVENT_COLUMNS "FROM event CROSS JOIN entity ON entity.id = event.entity " EVENT_NAMES
                                            "WHERE " FILTER "AND event.position > ?4 ORDER BY event.position LIMIT ?5"),
      .last_position = prepare("SELECT coalesce(max(position), 0) FROM event"),
      // Far fewer rows than events: those of an entity count from 1 without gaps.
      .count_events = prepare("SELECT coalesce(sum(last_sequence), 0) FROM entity"),
      .snapshots = prepare("SELECT snapshot.sequence, snapshot.time, type.text, snapshot.payload FROM entity "
                           "CROSS JOIN snapshot ON snapshot.entity = entity.id "
                           "CROSS JOIN name AS type ON type.id = snapshot.type_url " SNAPSHOT_RANGE),
      .brief_snapshots = prepare("SELECT snapshot.sequence, snapshot.time FROM entity "
                                 "CROSS JOIN snapshot ON snapshot.entity = entity.id " SNAPSHOT_RANGE),
      .descriptor_sets = prepare("SELECT content FROM descriptor_set ORDER BY id DESC"),
  };
  if (!prepare.status().ok()) return prepare.status();
  return std::unique_ptr<SqliteBrowser>(new SqliteBrowser(*std::move(connection), std::move(all)));
}

std::optional<SqliteBrowser::PageBegin> SqliteBrowser::FromToken(const std::string& token) {
  PageBegin begin;
  if (token.empty()) return begin;
  if (token.front() == '@') {
    if (!absl::SimpleAtoi(token.substr(1), &begin.skip) || begin.skip < 0) return std::nullopt;
    return begin;
  }
  std::string text;
  if (!absl::WebSafeBase64Unescape(token, &text)) return std::nullopt;
  const std::size_t colon = text.find(':') + 1;
  std::size_t size = 0;
  if (colon == 0 || !absl::SimpleAtoi(text.substr(0, colon - 1), &size) || size > text.size() - colon) {
    return std::nullopt;
  }
  begin.after = EntityKey{text.substr(colon, size), text.substr(colon + size)};
  return begin;
}

absl::StatusOr<EntityPage> SqliteBrowser::Entities(const EntityFilter& filter, const std::string& page, int page_size) {
  if (absl::Status status = CheckLimit(page_size); !status.ok()) return status;
  const std::optional<PageBegin> begin = FromToken(page);
  if (!begin.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", page, "' is no page of entities; start with the first, an empty one"));
  }
  // One transaction, so that rows and total are of the same moment.
  if (absl::Status status = statements_.begin.Run(); !status.ok()) return status;
  absl::StatusOr<EntityPage> result = ReadPage(filter, *begin, page_size);
  if (connection_.InTransaction()) {
    absl::Status status = statements_.commit.Run();
    if (result.ok() && !status.ok()) return status;
  }
  return result;
}

// A page is named after the last entity of the one before, which may have been deleted meanwhile.
absl::StatusOr<EntityPage> SqliteBrowser::ReadPage(const EntityFilter& filter, const PageBegin& begin, int page_size) {
  const bool behind_key = begin.after.has_value();
  const bool of_service = !filter.service.empty();
  // Of a service, what looks at few entities is tried first. If that does not fill the page, they are rare: the table
  // is read from end to end, since looking up a million rows in the order of their keys takes far longer. Only to sort
  // them takes longer still, where many are left out.
  const Search search = begin.skip > 0 ? Search::kInOrder : Search::kByKeys;
  absl::StatusOr<EntityPage> page = SearchPage(PageQuery(filter, behind_key, search), filter, begin, page_size);
  if (of_service && begin.skip == 0 && page.ok() && page->next.empty()) {
    page = SearchPage(PageQuery(filter, behind_key, Search::kWholeTable), filter, begin, page_size);
  }
  if (!page.ok()) return page;
  const bool is_first = !behind_key && begin.skip == 0;
  if (is_first && page->next.empty()) {
    page->total = static_cast<std::int64_t>(page->rows.size());
  } else if (is_first || IsEmpty(filter)) {
    absl::StatusOr<std::int64_t> total = Count(filter);
    if (!total.ok()) return total.status();
    page->total = *total;
  }
  return page;
}

// The rows of a page, without the total.
absl::StatusOr<EntityPage> SqliteBrowser::SearchPage(const std::string& sql, const EntityFilter& filter,
                                                     const PageBegin& begin, int page_size) {
  absl::StatusOr<Statement> query = connection_.Prepare(sql);
  if (!query.ok()) return query.status();
  const EntityKey after = begin.after.value_or(EntityKey());
  EntityPage page;
  Cursor rows = query->Query(filter.service, filter.persistence_id, filter.id_contains, after.persistence_id,
                             after.entity_id, std::int64_t{page_size} + 1, begin.skip);
  while (rows.Next()) {
    if (page.rows.size() == static_cast<std::size_t>(page_size)) {
      page.next = ToToken(page.rows.back().key);
      break;
    }
    page.rows.push_back(ReadEntity(rows));
  }
  if (!rows.status().ok()) return rows.status();
  return page;
}

absl::StatusOr<std::int64_t> SqliteBrowser::Count(const EntityFilter& filter) {
  absl::StatusOr<Statement> query =
      connection_.Prepare(absl::StrCat("SELECT count(*) FROM entity", EntityConditions(filter, false)));
  if (!query.ok()) return query.status();
  Cursor count = query->Query(filter.service, filter.persistence_id, filter.id_contains);
  if (count.Next()) return count.Int(0);
  return count.status();
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
  return ReadEvents(statements_.events.Query(key.persistence_id, key.entity_id, from, limit));
}

absl::StatusOr<Replay> SqliteBrowser::LoadUntil(const EntityKey& key, SequenceNumber until,
                                                std::optional<SequenceNumber> after, std::size_t max_bytes) {
  if (reader_ == nullptr) {
    absl::StatusOr<Connection> connection = OpenForReading(connection_.file());
    if (!connection.ok()) return connection.status();
    absl::StatusOr<std::unique_ptr<Reader>> reader = Reader::Make(*std::move(connection));
    if (!reader.ok()) return reader.status();
    reader_ = *std::move(reader);
  }
  return reader_->Load(key, after, max_bytes, until);
}

absl::StatusOr<std::vector<EventRow>> SqliteBrowser::EventsAfter(std::int64_t position, const EntityFilter& filter,
                                                                 int limit) {
  if (absl::Status status = CheckLimit(limit); !status.ok()) return status;
  return ReadEvents(
      statements_.events_after.Query(filter.service, filter.persistence_id, filter.id_contains, position, limit));
}

absl::StatusOr<std::int64_t> SqliteBrowser::LastPosition() {
  Cursor row = statements_.last_position.Query();
  if (row.Next()) return row.Int(0);
  return row.status();
}

absl::StatusOr<std::int64_t> SqliteBrowser::CountEvents() {
  Cursor row = statements_.count_events.Query();
  if (row.Next()) return row.Int(0);
  return row.status();
}

absl::StatusOr<std::vector<SnapshotRow>> SqliteBrowser::Snapshots(const EntityKey& key, const SnapshotRange& range) {
  if (range.limit) {
    if (absl::Status status = CheckLimit(*range.limit); !status.ok()) return status;
  }
  std::vector<SnapshotRow> snapshots;
  Statement& statement = range.payloads ? statements_.snapshots : statements_.brief_snapshots;
  Cursor rows = statement.Query(key.persistence_id, key.entity_id, range.from, range.limit.value_or(-1));
  while (rows.Next()) {
    SnapshotRow& row = snapshots.emplace_back(SnapshotRow{rows.Int(0), {}, absl::FromUnixNanos(rows.Int(1))});
    if (range.payloads) row.payload = Payload{rows.String(2), rows.String(3)};
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
