#include "emulator/journal/schema.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace cloudstate::journal {
namespace {

// Step i leads from version i to version i + 1. Steps that were released never change.
//
// Times are nanoseconds since 1970. Names that repeat in every row (type URLs, services, methods) are kept once, in
// `name`. Type URLs and payloads are exactly the bytes that were given.
constexpr const char* kSteps[kSchemaVersion] = {
    // 1: what entities store.
    R"sql(
CREATE TABLE name (
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
);
CREATE TABLE entity (
  id INTEGER PRIMARY KEY,
  persistence_id TEXT NOT NULL,
  entity_id TEXT NOT NULL,
  service INTEGER NOT NULL REFERENCES name (id),     -- the one that wrote last
  last_sequence INTEGER NOT NULL,                    -- also the number of events: they count from 1 without gaps
  event_bytes INTEGER NOT NULL,                      -- of all payloads
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  UNIQUE (persistence_id, entity_id)
);
CREATE TABLE cause (                                 -- the commands that led to writes
  id INTEGER PRIMARY KEY,
  trace_id TEXT NOT NULL,
  service INTEGER NOT NULL REFERENCES name (id),
  method INTEGER NOT NULL REFERENCES name (id),
  type_url INTEGER NOT NULL REFERENCES name (id),
  payload BLOB NOT NULL
);
CREATE TABLE event (
  position INTEGER PRIMARY KEY AUTOINCREMENT,        -- in the whole journal, in the order of commits
  entity INTEGER NOT NULL REFERENCES entity (id),
  sequence INTEGER NOT NULL,
  service INTEGER NOT NULL REFERENCES name (id),
  time INTEGER NOT NULL,
  cause INTEGER NOT NULL REFERENCES cause (id),
  type_url INTEGER NOT NULL REFERENCES name (id),
  payload BLOB NOT NULL,
  UNIQUE (entity, sequence)
);
CREATE TABLE snapshot (
  id INTEGER PRIMARY KEY,
  entity INTEGER NOT NULL REFERENCES entity (id),
  sequence INTEGER NOT NULL,                         -- of the last event that it includes
  time INTEGER NOT NULL,
  cause INTEGER NOT NULL REFERENCES cause (id),
  type_url INTEGER NOT NULL REFERENCES name (id),
  payload BLOB NOT NULL,
  UNIQUE (entity, sequence)
);
)sql",
    // 2: descriptors, so that payloads can be decoded when no user function runs, and views for people. `type` is the
    // type URL without its host.
    R"sql(
CREATE TABLE descriptor_set (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,                                -- where it came from
  seen INTEGER NOT NULL,                             -- the last time
  content BLOB NOT NULL                              -- a google.protobuf.FileDescriptorSet
);
CREATE VIEW type AS
  SELECT id, substr(text, length(rtrim(text, replace(text, '/', ''))) + 1) AS name FROM name;
CREATE VIEW events AS
  SELECT event.position, entity.persistence_id, entity.entity_id, event.sequence, type.name AS type,
         length(event.payload) AS bytes,
         strftime('%Y-%m-%dT%H:%M:%fZ', event.time / 1000000000.0, 'unixepoch') AS time,
         service.text AS service, method.text AS method, command.name AS command, cause.trace_id, event.payload
  FROM event
  JOIN entity ON entity.id = event.entity
  JOIN type ON type.id = event.type_url
  JOIN name AS service ON service.id = event.service
  JOIN cause ON cause.id = event.cause
  JOIN name AS method ON method.id = cause.method
  JOIN type AS command ON command.id = cause.type_url;
CREATE VIEW entities AS
  SELECT entity.persistence_id, entity.entity_id, service.text AS service, entity.last_sequence AS events,
         entity.event_bytes AS bytes,
         (SELECT max(sequence) FROM snapshot WHERE snapshot.entity = entity.id) AS snapshot_at,
         strftime('%Y-%m-%dT%H:%M:%fZ', entity.created / 1000000000.0, 'unixepoch') AS created,
         strftime('%Y-%m-%dT%H:%M:%fZ', entity.updated / 1000000000.0, 'unixepoch') AS updated
  FROM entity
  JOIN name AS service ON service.id = entity.service;
CREATE VIEW snapshots AS
  SELECT entity.persistence_id, entity.entity_id, snapshot.sequence, type.name AS type,
         length(snapshot.payload) AS bytes,
         strftime('%Y-%m-%dT%H:%M:%fZ', snapshot.time / 1000000000.0, 'unixepoch') AS time,
         method.text AS method, cause.trace_id, snapshot.payload
  FROM snapshot
  JOIN entity ON entity.id = snapshot.entity
  JOIN type ON type.id = snapshot.type_url
  JOIN cause ON cause.id = snapshot.cause
  JOIN name AS method ON method.id = cause.method;
)sql",
    // 3: what nodes know of CRDT entities. The pieces of a replica, joined, are its state (emulator/crdt/encoding.cc).
    R"sql(
CREATE TABLE replica (
  id INTEGER PRIMARY KEY,
  node INTEGER NOT NULL,
  persistence_id TEXT NOT NULL,
  entity_id TEXT NOT NULL,
  state BLOB NOT NULL
);
CREATE INDEX replica_of ON replica (node, persistence_id, entity_id);
CREATE TABLE replica_life (
  node INTEGER PRIMARY KEY,
  life INTEGER NOT NULL                              -- the last one, whose name no other may get
);
)sql",
};

// The version of a journal, 0 for an empty file.
absl::StatusOr<std::int64_t> ReadVersion(Connection& connection) {
  absl::StatusOr<std::int64_t> application = connection.QueryInt("PRAGMA application_id");
  if (!application.ok()) return application.status();
  absl::StatusOr<std::int64_t> version = connection.QueryInt("PRAGMA user_version");
  if (!version.ok()) return version.status();
  if (*application == kApplicationId) return *version;
  absl::StatusOr<std::int64_t> tables = connection.QueryInt("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return tables.status();
  if (*application == 0 && *version == 0 && *tables == 0) return 0;
  return absl::FailedPreconditionError(absl::StrCat(
      connection.file(), " is an SQLite file of another program, not a journal. Choose another data directory."));
}

absl::Status NewerVersion(const Connection& connection, std::int64_t version) {
  return absl::FailedPreconditionError(
      absl::StrCat("journal ", connection.file(), " was written by a newer cloudstate-dev (schema ", version,
                   "; this one knows ", kSchemaVersion, "). Use that one, or another data directory."));
}

absl::Status RunSteps(Connection& connection, std::int64_t version) {
  for (std::int64_t step = version; step < kSchemaVersion; ++step) {
    if (absl::Status status = connection.Execute(kSteps[step]); !status.ok()) return status;
  }
  return connection.Execute(
      absl::StrCat("PRAGMA application_id = ", kApplicationId, "; PRAGMA user_version = ", kSchemaVersion, "; COMMIT"));
}

}  // namespace

absl::Status Migrate(Connection& connection) {
  // The version is read inside the transaction, so that two processes do not both migrate.
  if (absl::Status status = connection.Execute("BEGIN IMMEDIATE"); !status.ok()) return status;
  absl::StatusOr<std::int64_t> version = ReadVersion(connection);
  absl::Status status = version.status();
  if (status.ok() && *version > kSchemaVersion) status = NewerVersion(connection, *version);
  if (status.ok()) status = *version == kSchemaVersion ? connection.Execute("COMMIT") : RunSteps(connection, *version);
  // The transaction may be gone already after a disk error; what counts is the first error.
  if (!status.ok() && connection.InTransaction()) connection.Execute("ROLLBACK").IgnoreError();
  return status;
}

absl::Status CheckVersion(Connection& connection) {
  absl::StatusOr<std::int64_t> version = ReadVersion(connection);
  if (!version.ok()) return version.status();
  if (*version > kSchemaVersion) return NewerVersion(connection, *version);
  if (*version < kSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "journal ", connection.file(), " was written by an older cloudstate-dev (schema ", *version,
        "; this one reads ", kSchemaVersion, "). Start the emulator on it once: that brings it up to date."));
  }
  return absl::OkStatus();
}

}  // namespace cloudstate::journal
