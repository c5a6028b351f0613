#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "emulator/journal/archive.h"
#include "emulator/journal/archive_line.h"
#include "emulator/journal/directory_lock.h"
#include "emulator/journal/durable.h"
#include "emulator/journal/row_writer.h"
#include "emulator/journal/schema.h"
#include "emulator/journal/sqlite.h"
#include "emulator/journal/sqlite_journal.h"

namespace cloudstate::journal {
namespace {

constexpr int kLinesBetweenProgress = 1'000;
constexpr std::size_t kMostCached = 100'000;

// Fills an empty journal from the lines of an archive, in one transaction.
class Importer {
 public:
  Importer(Connection connection, ArchiveInput& input, const ArchiveProgress& progress)
      : connection_(std::move(connection)), input_(input), progress_(progress) {}

  absl::StatusOr<ArchiveCounts> Run() {
    // What is not whole is thrown away: nothing has to be undone, and only the end has to be on the disk.
    absl::Status status =
        connection_.Execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -64000; BEGIN");
    if (status.ok()) status = PrepareAll();
    if (status.ok()) status = Header();
    if (status.ok()) status = Lines();
    if (status.ok()) status = connection_.Execute("COMMIT");
    if (!status.ok()) return status;
    return counts_;
  }

 private:
  struct Key {
    std::string persistence_id, entity_id;
  };

  absl::Status PrepareAll() {
    absl::StatusOr<RowWriter> rows = RowWriter::Make(connection_);
    if (!rows.ok()) return rows.status();
    rows_ = *std::move(rows);
    Preparer prepare(connection_);
    add_types_ = prepare("INSERT INTO descriptor_set (name, seen, content) VALUES (?, ?, ?)");
    find_entity_ = prepare("SELECT id FROM entity WHERE persistence_id = ? AND entity_id = ?");
    add_entity_ = prepare(
        "INSERT OR IGNORE INTO entity (persistence_id, entity_id, service, last_sequence, event_bytes, "
        "created, updated) VALUES (?, ?, ?, 0, 0, ?, ?)");
    grow_entity_ = prepare(
        "UPDATE entity SET last_sequence = ?2, event_bytes = event_bytes + ?3 WHERE id = ?1 "
        "AND last_sequence = ?2 - 1");
    event_cause_ = prepare("SELECT cause FROM event WHERE entity = ? AND sequence = ?");
    add_snapshot_ = prepare(
        "INSERT OR IGNORE INTO snapshot (entity, sequence, time, cause, type_url, payload) "
        "SELECT id, ?2, ?3, ?4, ?5, ?6 FROM entity WHERE id = ?1 AND last_sequence >= ?2");
    add_life_ = prepare("INSERT OR IGNORE INTO replica_life (node, life) VALUES (?, ?)");
    add_replica_ = prepare("INSERT INTO replica (persistence_id, entity_id, node, state) VALUES (?, ?, ?, ?)");
    return prepare.status();
  }

  absl::Status Header() {
    absl::StatusOr<bool> more = input_.Next();
    if (!more.ok()) return more.status();
    ArchiveLineReader line(input_.line());
    std::int64_t version = 0;
    if (!*more || !line.Next("{\"archive\":\"cloudstate-dev journal\",\"version\":")) {
      return absl::InvalidArgumentError(
          absl::StrCat(input_.name(), " is no archive of a journal; `cloudstate-dev export` writes one."));
    }
    if (absl::Status status = line.Number(version).Raw("}").End(); !status.ok()) return Wrong(status.message());
    if (version == kArchiveVersion) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(input_.name(), " is an archive of version ", version,
                                                   "; this cloudstate-dev reads version ", kArchiveVersion,
                                                   ". Use the one that wrote it, or a newer one."));
  }

  absl::Status Lines() {
    for (;;) {
      absl::StatusOr<bool> more = input_.Next();
      if (!more.ok()) return more.status();
      if (!*more) return Cut();
      ArchiveLineReader line(input_.line());
      if (line.Next("{\"end\":{")) return End(line);
      if (absl::Status status = Line(line); !status.ok()) return status;
      if (input_.number() % kLinesBetweenProgress != 0) continue;
      if (absl::Status status = progress_(counts_); !status.ok()) return status;
    }
  }

  absl::Status Line(ArchiveLineReader& line) {
    if (line.Next("{\"event\":{")) return Event(line);
    if (line.Next("{\"entity\":{")) return Entity(line);
    if (line.Next("{\"snapshot\":{")) return Snapshot(line);
    if (line.Next("{\"replica\":{")) return Replica(line);
    if (line.Next("{\"types\":{")) return Types(line);
    if (line.Next("{\"life\":{")) return Life(line);
    return Wrong("it is none of the lines that an archive has");
  }

  absl::Status Types(ArchiveLineReader& line) {
    std::string from, content;
    std::int64_t seen = 0;
    line.Raw("\"from\":").Text(from).Raw(",\"seen\":").Time(seen).Raw(",\"descriptors\":").Bytes(content);
    if (absl::Status status = EndOf(line); !status.ok()) return status;
    ++counts_.types;
    return add_types_.Run(from, seen, Blob{content});
  }

  absl::Status Entity(ArchiveLineReader& line) {
    std::string service;
    std::int64_t created = 0, updated = 0;
    ReadKey(line).Raw(",\"service\":").Text(service).Raw(",\"created\":").Time(created);
    line.Raw(",\"updated\":").Time(updated);
    if (absl::Status status = EndOf(line); !status.ok()) return status;
    absl::StatusOr<std::int64_t> name = rows_->NameId(service);
    if (!name.ok()) return name.status();
    ++counts_.entities;
    if (absl::Status status = add_entity_.Run(key_.persistence_id, key_.entity_id, *name, created, updated);
        !status.ok()) {
      return status;
    }
    return connection_.ChangedRows() == 1 ? absl::OkStatus() : Wrong(absl::StrCat(KeyText(), " is there twice"));
  }

  absl::Status Event(ArchiveLineReader& line) {
    std::int64_t sequence = 0, time = 0;
    std::string service;
    ReadKey(line).Raw(",\"sequence\":").Number(sequence).Raw(",\"time\":").Time(time);
    line.Raw(",\"service\":").Text(service).Raw(",\"type\":").Text(payload_.type_url);
    line.Raw(",\"payload\":").Bytes(payload_.value);
    const bool has_cause = ReadCause(line);
    if (absl::Status status = EndOf(line); !status.ok()) return status;
    absl::StatusOr<std::int64_t> entity = EntityId();
    if (!entity.ok()) return entity.status();
    if (has_cause) {
      absl::StatusOr<std::int64_t> added = rows_->AddCause(cause_);
      if (!added.ok()) return added.status();
      last_cause_ = *added;
    }
    if (last_cause_ == 0) return Wrong("it has no cause, and there is no event before whose cause it could have");
    const auto bytes = static_cast<std::int64_t>(payload_.value.size());
    if (absl::Status status = grow_entity_.Run(*entity, sequence, bytes); !status.ok()) return status;
    if (connection_.ChangedRows() != 1) {
      return Wrong(absl::StrCat("event ", sequence, " does not follow the one before it of ", KeyText()));
    }
    absl::StatusOr<std::int64_t> name = rows_->NameId(service);
    if (!name.ok()) return name.status();
    ++counts_.events;
    return rows_->AddEvent({.entity = *entity, .service = *name, .cause = last_cause_, .time = time}, sequence,
                           payload_);
  }

  absl::Status Snapshot(ArchiveLineReader& line) {
    std::int64_t sequence = 0, time = 0;
    ReadKey(line).Raw(",\"sequence\":").Number(sequence).Raw(",\"time\":").Time(time);
    line.Raw(",\"type\":").Text(payload_.type_url).Raw(",\"payload\":").Bytes(payload_.value);
    const bool has_cause = ReadCause(line);
    if (absl::Status status = EndOf(line); !status.ok()) return status;
    absl::StatusOr<std::int64_t> entity = EntityId();
    if (!entity.ok()) return entity.status();
    absl::StatusOr<std::int64_t> cause = has_cause ? rows_->AddCause(cause_) : CauseOfEvent(*entity, sequence);
    if (!cause.ok()) return cause.status();
    absl::StatusOr<std::int64_t> type = rows_->NameId(payload_.type_url);
    if (!type.ok()) return type.status();
    ++counts_.snapshots;
    absl::Status status = add_snapshot_.Run(*entity, sequence, time, *cause, *type, Blob{payload_.value});
    if (!status.ok() || connection_.ChangedRows() == 1) return status;
    return Wrong(absl::StrCat("the snapshot at ", sequence, " of ", KeyText(),
                              " is there twice, or ahead of the entity's events"));
  }

  absl::Status Life(ArchiveLineReader& line) {
    std::int64_t node = 0;
    std::uint64_t life = 0;
    line.Raw("\"node\":").Number(node).Raw(",\"life\":").Number(life);
    if (absl::Status status = EndOf(line); !status.ok()) return status;
    ++counts_.lives;
    absl::Status status = add_life_.Run(node, static_cast<std::int64_t>(life));
    if (!status.ok() || connection_.ChangedRows() == 1) return status;
    return Wrong(absl::StrCat("node ", node, " has a life already"));
  }

  absl::Status Replica(ArchiveLineReader& line) {
    std::int64_t node = 0;
    ReadKey(line).Raw(",\"node\":").Number(node).Raw(",\"state\":").Bytes(payload_.value);
    if (absl::Status status = EndOf(line); !status.ok()) return status;
    ++counts_.replicas;
    return add_replica_.Run(key_.persistence_id, key_.entity_id, node, Blob{payload_.value});
  }

  absl::Status End(ArchiveLineReader& line) {
    ArchiveCounts told;
    std::string checksum;
    line.Raw("\"types\":").Number(told.types).Raw(",\"entities\":").Number(told.entities);
    line.Raw(",\"events\":").Number(told.events).Raw(",\"snapshots\":").Number(told.snapshots);
    line.Raw(",\"lives\":").Number(told.lives).Raw(",\"replicas\":").Number(told.replicas);
    line.Raw(",\"crc32\":").Text(checksum);
    if (absl::Status status = EndOf(line); !status.ok()) return status;
    if (!(told == counts_)) return Damaged("does not have as many lines of each kind as its last one says");
    if (checksum != absl::StrCat(absl::Hex(input_.checksum(), absl::kZeroPad8))) {
      return Damaged("does not have the checksum that its last line says: it was changed");
    }
    absl::StatusOr<bool> more = input_.Next();
    if (!more.ok()) return more.status();
    return *more ? Wrong("more follows behind the end") : progress_(counts_);
  }

  ArchiveLineReader& ReadKey(ArchiveLineReader& line) {
    return line.Raw("\"persistence_id\":").Text(key_.persistence_id).Raw(",\"entity_id\":").Text(key_.entity_id);
  }

  bool ReadCause(ArchiveLineReader& line) {
    if (!line.Next(",\"cause\":{\"trace\":")) return false;
    line.Text(cause_.trace_id).Raw(",\"service\":").Text(cause_.service).Raw(",\"method\":").Text(cause_.method);
    line.Raw(",\"type\":").Text(cause_.command.type_url).Raw(",\"payload\":").Bytes(cause_.command.value).Raw("}");
    return true;
  }

  absl::Status EndOf(ArchiveLineReader& line) const {
    const absl::Status status = line.Raw("}}").End();
    return status.ok() ? status : Wrong(status.message());
  }

  absl::StatusOr<std::int64_t> CauseOfEvent(std::int64_t entity, std::int64_t sequence) {
    Cursor row = event_cause_.Query(entity, sequence);
    if (row.Next()) return row.Int(0);
    if (!row.status().ok()) return row.status();
    return Wrong(absl::StrCat("it has no cause, and there is no event ", sequence, " of ", KeyText()));
  }

  absl::StatusOr<std::int64_t> EntityId() {
    std::string text = absl::StrCat(key_.persistence_id.size(), ":", key_.persistence_id, key_.entity_id);
    if (auto known = entities_.find(text); known != entities_.end()) return known->second;
    Cursor row = find_entity_.Query(key_.persistence_id, key_.entity_id);
    if (!row.Next()) return row.status().ok() ? Wrong(absl::StrCat("there is no entity ", KeyText())) : row.status();
    if (entities_.size() >= kMostCached) entities_.clear();
    return entities_[std::move(text)] = row.Int(0);
  }

  std::string KeyText() const { return absl::StrCat(key_.persistence_id, "|", key_.entity_id); }

  absl::Status Wrong(absl::string_view problem) const {
    return absl::InvalidArgumentError(absl::StrCat(input_.name(), ":", input_.number(), ": ", problem));
  }
  absl::Status Cut() const {
    return absl::DataLossError(absl::StrCat(input_.name(), " ends behind line ", input_.number(),
                                            ", which is not an archive's last one: the file has been cut. Copy or "
                                            "export it again."));
  }
  absl::Status Damaged(absl::string_view problem) const {
    return absl::DataLossError(absl::StrCat(input_.name(), " ", problem, ". Copy or export it again."));
  }

  Connection connection_;  // outlives the statements
  ArchiveInput& input_;
  const ArchiveProgress& progress_;
  std::optional<RowWriter> rows_;
  Statement add_types_, find_entity_, add_entity_, grow_entity_, event_cause_, add_snapshot_, add_life_, add_replica_;
  absl::flat_hash_map<std::string, std::int64_t> entities_;  // a cache, emptied when it grows large
  ArchiveCounts counts_;
  Key key_;          // of the line
  Payload payload_;  // of the line
  Cause cause_;      // the last one that was read
  std::int64_t last_cause_ = 0;
};

// Whether there is a journal that somebody may miss, which stays as it is. One without entities is closed well: nothing
// lies beside it.
absl::StatusOr<bool> HoldsSomething(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return false;
  absl::StatusOr<Connection> connection = Connection::Open(file, Connection::Mode::kCreate);
  if (!connection.ok()) return connection.status();
  for (const char* table : {"entity", "replica"}) {
    absl::StatusOr<bool> has = connection->HasRows(table);
    if (!has.ok() || *has) return has;
  }
  if (absl::Status status = Migrate(*connection); !status.ok()) return status;
  absl::StatusOr<std::string> mode = connection->QueryString("PRAGMA journal_mode = DELETE");
  return mode.ok() ? absl::StatusOr<bool>(false) : mode.status();
}

absl::StatusOr<ArchiveCounts> ImportFile(ArchiveInput& input, const std::string& file,
                                         const ArchiveProgress& progress) {
  absl::StatusOr<Connection> connection = Connection::Open(file, Connection::Mode::kCreate);
  if (!connection.ok()) return connection.status();
  if (absl::Status status = Migrate(*connection); !status.ok()) return status;
  return Importer(*std::move(connection), input, progress).Run();
}

// Beside the journal that it becomes in the end.
absl::StatusOr<ArchiveCounts> ImportInto(ArchiveInput& input, const std::string& directory,
                                         const ArchiveProgress& progress) {
  const std::string file = JournalFileIn(directory);
  absl::StatusOr<bool> holds = HoldsSomething(file);
  if (!holds.ok()) return holds.status();
  if (*holds) {
    return absl::FailedPreconditionError(
        absl::StrCat(directory,
                     " has a journal already, which is left as it is. Name another directory with "
                     "--data-dir, or move or delete this directory first."));
  }
  const std::string beside = file + ".import";
  std::error_code ignored;
  std::filesystem::remove(beside, ignored);  // of one that was killed
  const absl::Cleanup remove = [&] { std::filesystem::remove(beside, ignored); };
  absl::StatusOr<ArchiveCounts> counts = ImportFile(input, beside, progress);
  if (!counts.ok()) return counts;
  if (absl::Status status = MakeDurable(beside); !status.ok()) return status;
  if (absl::Status status = RemoveStaleSideFiles(file); !status.ok()) return status;
  std::error_code error;
  std::filesystem::rename(beside, file, error);
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot make ", file));
  if (absl::Status status = MakeDurable(directory); !status.ok()) return status;
  return counts;
}

}  // namespace

absl::StatusOr<ArchiveCounts> ImportJournal(ArchiveInput input, const std::string& directory,
                                            const ArchiveProgress& progress) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(),
                               absl::StrCat("cannot make the data directory ", directory, "; choose another one"));
  }
  absl::StatusOr<ArchiveCounts> counts;
  {
    absl::StatusOr<DirectoryLock> lock = DirectoryLock::Acquire(directory, Addresses());
    if (!lock.ok()) return lock.status();
    counts = ImportInto(input, directory, progress);
  }
  // Only if it is empty.
  if (!counts.ok() && made) std::filesystem::remove(directory, error);
  return counts;
}

}  // namespace cloudstate::journal
