#include <map>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "emulator/journal/archive.h"
#include "emulator/journal/archive_line.h"
#include "emulator/journal/sqlite.h"
#include "emulator/journal/sqlite_browser.h"

namespace cloudstate::journal {
namespace {

// An EntityFilter on the columns of `entity`: ?1 service, ?2 persistence id, ?3 part of the entity id.
#define ARCHIVED_ENTITY                                                  \
  "(?1 = '' OR entity.service = (SELECT id FROM name WHERE text = ?1)) " \
  "AND (?2 = '' OR entity.persistence_id = ?2) "                         \
  "AND (?3 = '' OR instr(entity.entity_id, ?3) > 0) "

constexpr int kRowsBetweenProgress = 1'000;

class Exporter {
 public:
  Exporter(Connection connection, const EntityFilter& filter, ArchiveOutput output, const ArchiveProgress& progress)
      : connection_(std::move(connection)), filter_(filter), output_(std::move(output)), progress_(progress) {}

  absl::StatusOr<ArchiveCounts> Run() {
    // One transaction: an emulator may go on writing. The moment that it shows is that of its first read.
    absl::Status begun = connection_.Execute("BEGIN; SELECT count(*) FROM replica_life");
    if (!begun.ok()) return begun;
    if (absl::Status status = PrepareNames(); !status.ok()) return status;
    line_.Raw("{\"archive\":\"cloudstate-dev journal\",\"version\":").Number(kArchiveVersion).Raw("}");
    if (absl::Status status = EndLine(); !status.ok()) return status;
    for (auto part : {&Exporter::Types, &Exporter::Entities, &Exporter::Events, &Exporter::Snapshots, &Exporter::Lives,
                      &Exporter::Replicas}) {
      if (absl::Status status = progress_(counts_); !status.ok()) return status;
      if (absl::Status status = (this->*part)(); !status.ok()) return status;
    }
    if (absl::Status status = End(); !status.ok()) return status;
    return counts_;
  }

 private:
  absl::Status PrepareNames() {
    Preparer prepare(connection_);
    name_ = prepare("SELECT text FROM name WHERE id = ?");
    cause_ = prepare("SELECT trace_id, service, method, type_url, payload FROM cause WHERE id = ?");
    return prepare.status();
  }

  // Writes a line for each row, which `write` has added to line_ but for its end.
  template <typename Write, typename... Arguments>
  absl::Status EachRow(std::string_view sql, std::int64_t& count, Write write, const Arguments&... arguments) {
    absl::StatusOr<Statement> statement = connection_.Prepare(sql);
    if (!statement.ok()) return statement.status();
    Cursor row = statement->Query(arguments...);
    while (row.Next()) {
      if (absl::Status status = write(row); !status.ok()) return status;
      line_.Raw("}}");
      if (absl::Status status = EndLine(); !status.ok()) return status;
      if (++count % kRowsBetweenProgress != 0) continue;
      if (absl::Status status = progress_(counts_); !status.ok()) return status;
    }
    return row.status();
  }

  absl::Status EndLine() {
    absl::Status status = output_.Write(text_);
    text_.clear();
    return status;
  }

  absl::Status Types() {
    return EachRow("SELECT name, seen, content FROM descriptor_set ORDER BY id", counts_.types, [&](const Cursor& row) {
      line_.Raw("{\"types\":{\"from\":").Text(row.Bytes(0)).Raw(",\"seen\":").Time(row.Int(1));
      line_.Raw(",\"descriptors\":").Bytes(row.Bytes(2));
      return absl::OkStatus();
    });
  }

  absl::Status Entities() {
    return EachRow(
        "SELECT persistence_id, entity_id, service, created, updated FROM entity WHERE " ARCHIVED_ENTITY
        "ORDER BY persistence_id, entity_id",
        counts_.entities,
        [&](const Cursor& row) {
          Begin("entity", row.Bytes(0), row.Bytes(1));
          if (absl::Status status = Name("service", row.Int(2)); !status.ok()) return status;
          line_.Raw(",\"created\":").Time(row.Int(3)).Raw(",\"updated\":").Time(row.Int(4));
          return absl::OkStatus();
        },
        filter_.service, filter_.persistence_id, filter_.id_contains);
  }

  absl::Status Events() {
    std::int64_t last_cause = 0;
    return EachRow(
        "SELECT entity.persistence_id, entity.entity_id, event.sequence, event.time, event.service, event.type_url, "
        "event.payload, event.cause FROM event CROSS JOIN entity ON entity.id = event.entity WHERE " ARCHIVED_ENTITY
        "ORDER BY event.position",
        counts_.events,
        [&](const Cursor& row) {
          Begin("event", row.Bytes(0), row.Bytes(1));
          Sequence(row.Int(2), row.Int(3));
          if (absl::Status status = Name("service", row.Int(4)); !status.ok()) return status;
          if (absl::Status status = PayloadOf(row.Int(5), row.Bytes(6)); !status.ok()) return status;
          if (row.Int(7) == last_cause) return absl::OkStatus();
          last_cause = row.Int(7);
          return CauseOf(last_cause);
        },
        filter_.service, filter_.persistence_id, filter_.id_contains);
  }

  absl::Status Snapshots() {
    return EachRow(
        "SELECT entity.persistence_id, entity.entity_id, snapshot.sequence, snapshot.time, snapshot.type_url, "
        "snapshot.payload, snapshot.cause, event.cause FROM entity "
        "CROSS JOIN snapshot ON snapshot.entity = entity.id "
        "LEFT JOIN event ON event.entity = entity.id AND event.sequence = snapshot.sequence WHERE " ARCHIVED_ENTITY
        "ORDER BY entity.persistence_id, entity.entity_id, snapshot.sequence",
        counts_.snapshots,
        [&](const Cursor& row) {
          Begin("snapshot", row.Bytes(0), row.Bytes(1));
          Sequence(row.Int(2), row.Int(3));
          if (absl::Status status = PayloadOf(row.Int(4), row.Bytes(5)); !status.ok()) return status;
          return row.Int(6) == row.Int(7) ? absl::OkStatus() : CauseOf(row.Int(6));
        },
        filter_.service, filter_.persistence_id, filter_.id_contains);
  }

  absl::Status Lives() {
    return EachRow("SELECT node, life FROM replica_life ORDER BY node", counts_.lives, [&](const Cursor& row) {
      line_.Raw("{\"life\":{\"node\":").Number(static_cast<std::uint64_t>(row.Int(0)));
      line_.Raw(",\"life\":").Number(static_cast<std::uint64_t>(row.Int(1)));
      return absl::OkStatus();
    });
  }

  absl::Status Replicas() {
    return EachRow(
        "SELECT persistence_id, entity_id, node, state FROM replica WHERE ?1 = '' AND (?2 = '' OR persistence_id = ?2) "
        "AND (?3 = '' OR instr(entity_id, ?3) > 0) ORDER BY node, persistence_id, entity_id, id",
        counts_.replicas,
        [&](const Cursor& row) {
          Begin("replica", row.Bytes(0), row.Bytes(1));
          line_.Raw(",\"node\":").Number(static_cast<std::uint64_t>(row.Int(2)));
          line_.Raw(",\"state\":").Bytes(row.Bytes(3));
          return absl::OkStatus();
        },
        filter_.service, filter_.persistence_id, filter_.id_contains);
  }

  absl::Status End() {
    const std::uint32_t checksum = output_.checksum();
    line_.Raw(ArchiveEndText(counts_)).Raw(absl::StrCat(absl::Hex(checksum, absl::kZeroPad8))).Raw("\"}}");
    if (absl::Status status = EndLine(); !status.ok()) return status;
    return output_.Finish();
  }

  static std::string ArchiveEndText(const ArchiveCounts& counts) {
    return absl::StrCat("{\"end\":{\"types\":", counts.types, ",\"entities\":", counts.entities,
                        ",\"events\":", counts.events, ",\"snapshots\":", counts.snapshots, ",\"lives\":", counts.lives,
                        ",\"replicas\":", counts.replicas, ",\"crc32\":\"");
  }

  void Begin(std::string_view kind, std::string_view persistence_id, std::string_view entity_id) {
    line_.Raw("{\"").Raw(kind).Raw("\":{\"persistence_id\":").Text(persistence_id);
    line_.Raw(",\"entity_id\":").Text(entity_id);
  }

  void Sequence(std::int64_t sequence, std::int64_t time) {
    line_.Raw(",\"sequence\":").Number(static_cast<std::uint64_t>(sequence)).Raw(",\"time\":").Time(time);
  }

  absl::Status Name(std::string_view key, std::int64_t id) {
    absl::StatusOr<std::string_view> name = NameOf(id);
    if (!name.ok()) return name.status();
    line_.Raw(",\"").Raw(key).Raw("\":").Text(*name);
    return absl::OkStatus();
  }

  absl::Status PayloadOf(std::int64_t type_url, std::string_view payload) {
    if (absl::Status status = Name("type", type_url); !status.ok()) return status;
    line_.Raw(",\"payload\":").Bytes(payload);
    return absl::OkStatus();
  }

  absl::Status CauseOf(std::int64_t id) {
    Cursor row = cause_.Query(id);
    if (!row.Next()) return row.status().ok() ? Missing("cause", id) : row.status();
    line_.Raw(",\"cause\":{\"trace\":").Text(row.Bytes(0));
    if (absl::Status status = Name("service", row.Int(1)); !status.ok()) return status;
    if (absl::Status status = Name("method", row.Int(2)); !status.ok()) return status;
    if (absl::Status status = PayloadOf(row.Int(3), row.Bytes(4)); !status.ok()) return status;
    line_.Raw("}");
    return absl::OkStatus();
  }

  absl::StatusOr<std::string_view> NameOf(std::int64_t id) {
    if (auto known = names_.find(id); known != names_.end()) return known->second;
    Cursor row = name_.Query(id);
    if (!row.Next()) return row.status().ok() ? Missing("name", id) : row.status();
    if (names_.size() >= kMostNames) names_.clear();
    return names_[id] = row.String(0);
  }

  absl::Status Missing(std::string_view table, std::int64_t id) const {
    return absl::DataLossError(absl::StrCat("journal ", connection_.file(), " refers to row ", id, " of table ",
                                            std::string(table),
                                            ", which is missing. `cloudstate-dev doctor` tells what else is wrong."));
  }

  static constexpr std::size_t kMostNames = 10'000;

  Connection connection_;  // outlives the statements
  const EntityFilter& filter_;
  ArchiveOutput output_;
  const ArchiveProgress& progress_;
  Statement name_, cause_;
  std::map<std::int64_t, std::string> names_;  // a cache of the table, emptied when it grows large
  ArchiveCounts counts_;
  std::string text_;
  ArchiveLineWriter line_{text_};
};

#undef ARCHIVED_ENTITY

}  // namespace

absl::StatusOr<ArchiveCounts> ExportJournal(const std::string& file, const EntityFilter& filter, ArchiveOutput output,
                                            const ArchiveProgress& progress) {
  absl::StatusOr<Connection> connection = OpenForReading(file);
  if (!connection.ok()) return connection.status();
  return Exporter(*std::move(connection), filter, std::move(output), progress).Run();
}

absl::Status CopyJournal(const std::string& file, const std::string& target) {
  absl::StatusOr<Connection> connection = OpenForReading(file);
  if (!connection.ok()) return connection.status();
  if (absl::Status status = RemoveStaleSideFiles(target); !status.ok()) return status;
  absl::StatusOr<Statement> copy = connection->Prepare("VACUUM INTO ?");
  if (!copy.ok()) return copy.status();
  return copy->Run(target);
}

}  // namespace cloudstate::journal
