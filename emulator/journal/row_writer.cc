#include "emulator/journal/row_writer.h"

#include <cstddef>
#include <optional>
#include <utility>

namespace cloudstate::journal {
namespace {

constexpr std::size_t kMostCachedNames = 10'000;

}  // namespace

absl::StatusOr<RowWriter> RowWriter::Make(Connection& connection) {
  Preparer prepare(connection);
  Statements all{
      .find_name = prepare("SELECT id FROM name WHERE text = ?"),
      .add_name = prepare("INSERT INTO name (text) VALUES (?)"),
      .add_cause = prepare("INSERT INTO cause (trace_id, service, method, type_url, payload) VALUES (?, ?, ?, ?, ?)"),
      .add_event = prepare("INSERT INTO event (entity, sequence, service, time, cause, type_url, payload) "
                           "VALUES (?, ?, ?, ?, ?, ?, ?)"),
  };
  if (!prepare.status().ok()) return prepare.status();
  return RowWriter(std::move(all));
}

absl::StatusOr<std::int64_t> RowWriter::NameId(const std::string& text) {
  if (auto known = names_.find(text); known != names_.end()) return known->second;
  std::optional<std::int64_t> id;
  {
    Cursor found = statements_.find_name.Query(text);
    if (found.Next()) id = found.Int(0);
    if (!found.status().ok()) return found.status();
  }
  if (!id.has_value()) {
    absl::StatusOr<std::int64_t> added = statements_.add_name.Insert(text);
    if (!added.ok()) return added;
    id = *added;
  }
  if (names_.size() >= kMostCachedNames) names_.clear();
  names_.emplace(text, *id);
  return *id;
}

absl::StatusOr<std::int64_t> RowWriter::AddCause(const Cause& cause) {
  absl::StatusOr<std::int64_t> service = NameId(cause.service);
  if (!service.ok()) return service;
  absl::StatusOr<std::int64_t> method = NameId(cause.method);
  if (!method.ok()) return method;
  absl::StatusOr<std::int64_t> type_url = NameId(cause.command.type_url);
  if (!type_url.ok()) return type_url;
  return statements_.add_cause.Insert(cause.trace_id, *service, *method, *type_url, Blob{cause.command.value});
}

absl::Status RowWriter::AddEvent(const RowTarget& target, SequenceNumber sequence, const Payload& event) {
  absl::StatusOr<std::int64_t> type_url = NameId(event.type_url);
  if (!type_url.ok()) return type_url.status();
  return statements_.add_event.Run(target.entity, sequence, target.service, target.time, target.cause, *type_url,
                                   Blob{event.value});
}

}  // namespace cloudstate::journal
