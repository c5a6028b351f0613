#include "emulator/admin/views.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "emulator/admin/crdt_text.h"

namespace cloudstate::admin {
namespace {

constexpr int kDefaultPage = 100;
constexpr int kLargestPage = 1'000;

journal::EntityFilter ToFilter(const dev::v1::EventFilter& filter) {
  return {.service = filter.service(), .persistence_id = filter.persistence_id(), .id_contains = filter.id_contains()};
}

dev::v1::CausedCommand ToCausedCommand(const trace::CausedCommand& from) {
  dev::v1::CausedCommand caused;
  caused.set_parent(static_cast<std::int32_t>(from.parent));
  caused.set_origin(from.origin == trace::CommandOrigin::kSideEffect ? dev::v1::CausedCommand::SIDE_EFFECT
                                                                     : dev::v1::CausedCommand::FORWARD);
  caused.set_service(from.service);
  caused.set_method(from.method);
  caused.set_entity_id(from.entity_id);
  return caused;
}

std::string Subject(const trace::CausedCommand& command) {
  return absl::StrCat(command.service, ".", command.method, command.entity_id.empty() ? "" : " ", command.entity_id);
}

bool Matches(const dev::v1::CommandFilter& filter, const std::string& service, const std::string& method,
             const std::string& entity_id) {
  return (filter.service().empty() || filter.service() == service) &&
         (filter.method().empty() || filter.method() == method) &&
         (filter.entity_id().empty() || filter.entity_id() == entity_id);
}

// The newest rows, at most `limit` and of about kMostEventBytes.
struct Newest {
  std::size_t limit = 0;
  std::deque<journal::EventRow> rows = {};
  std::size_t bytes = 0;
  bool full = false;
};

// Puts the newest rows with `after` < position <= `until` before those that are there, as many as fit.
absl::Status PrependNewest(journal::Browser& browser, const journal::EntityFilter& filter, std::int64_t after,
                           std::int64_t until, Newest& newest) {
  std::deque<journal::EventRow> found;
  const auto too_many = [&] {
    const std::size_t count = found.size() + newest.rows.size();
    return count > newest.limit || (count > 1 && newest.bytes > journal::kMostEventBytes);
  };
  for (std::int64_t position = after; position < until;) {
    absl::StatusOr<std::vector<journal::EventRow>> rows = browser.EventsAfter(position, filter, kLargestPage);
    if (!rows.ok()) return rows.status();
    if (rows->empty()) break;
    position = rows->back().position;
    for (journal::EventRow& row : *rows) {
      if (row.position > until) break;
      newest.bytes += journal::BytesOf(row);
      found.push_back(std::move(row));
      for (; !found.empty() && too_many(); newest.full = true) {
        newest.bytes -= journal::BytesOf(found.front());
        found.pop_front();
      }
    }
  }
  newest.rows.insert(newest.rows.begin(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  newest.full = newest.full || newest.rows.size() == newest.limit;
  return absl::OkStatus();
}

}  // namespace

dev::v1::Entity ToEntity(const journal::EntityRow& row) {
  dev::v1::Entity entity;
  entity.set_persistence_id(row.key.persistence_id);
  entity.set_entity_id(row.key.entity_id);
  entity.set_service(row.service);
  entity.set_last_sequence(row.last_sequence);
  entity.set_event_bytes(row.event_bytes);
  entity.set_snapshot_sequence(row.snapshot_sequence.value_or(0));
  *entity.mutable_created() = ToTimestamp(row.created);
  *entity.mutable_updated() = ToTimestamp(row.updated);
  return entity;
}

absl::Status Views::RefreshTypes() {
  absl::StatusOr<std::vector<std::string>> sets = browser_.DescriptorSets();
  if (sets.ok()) decoder_.SetStored(*sets);
  return sets.status();
}

dev::v1::Event Views::Event(const journal::EventRow& row) const {
  dev::v1::Event event;
  event.set_position(row.position);
  event.set_persistence_id(row.key.persistence_id);
  event.set_entity_id(row.key.entity_id);
  event.set_service(row.service);
  event.set_sequence(row.sequence);
  *event.mutable_time() = ToTimestamp(row.time);
  *event.mutable_payload() = decoder_.Decode(row.payload);
  dev::v1::Cause& cause = *event.mutable_cause();
  cause.set_trace_id(row.cause.trace_id);
  cause.set_service(row.cause.service);
  cause.set_method(row.cause.method);
  *cause.mutable_command() = decoder_.Decode(row.cause.command);
  return event;
}

absl::StatusOr<dev::v1::ListEntitiesResponse> Views::ListEntities(const dev::v1::ListEntitiesRequest& request) {
  absl::StatusOr<int> size = PageSize(request.page_size());
  if (!size.ok()) return size.status();
  absl::StatusOr<journal::EntityPage> page = browser_.Entities(ToFilter(request.filter()), request.page_token(), *size);
  if (!page.ok()) return page.status();
  dev::v1::ListEntitiesResponse response;
  for (const journal::EntityRow& row : page->rows) *response.add_entities() = ToEntity(row);
  response.set_next_page_token(page->next);
  response.set_total(page->total);
  return response;
}

absl::StatusOr<dev::v1::Entity> Views::GetEntity(const dev::v1::GetEntityRequest& request) {
  absl::StatusOr<journal::EntityRow> row = browser_.Entity({request.persistence_id(), request.entity_id()});
  if (!row.ok()) return row.status();
  return ToEntity(*row);
}

absl::StatusOr<dev::v1::ListEventsResponse> Views::ListEvents(const dev::v1::ListEventsRequest& request) {
  absl::StatusOr<int> limit = PageSize(request.limit());
  if (!limit.ok()) return limit.status();
  if (absl::Status status = RefreshTypes(); !status.ok()) return status;
  const journal::EntityKey key{request.persistence_id(), request.entity_id()};
  absl::StatusOr<journal::EntityRow> entity = browser_.Entity(key);
  if (!entity.ok()) return entity.status();
  absl::StatusOr<std::vector<journal::EventRow>> rows =
      browser_.Events(key, std::max<journal::SequenceNumber>(request.from_sequence(), 1), *limit);
  if (!rows.ok()) return rows.status();
  dev::v1::ListEventsResponse response;
  for (const journal::EventRow& row : *rows) *response.add_events() = Event(row);
  if (!rows->empty() && rows->back().sequence < entity->last_sequence) {
    response.set_next_sequence(rows->back().sequence + 1);
  }
  return response;
}

absl::StatusOr<dev::v1::ListSnapshotsResponse> Views::ListSnapshots(const dev::v1::ListSnapshotsRequest& request) {
  if (absl::Status status = RefreshTypes(); !status.ok()) return status;
  const journal::EntityKey key{request.persistence_id(), request.entity_id()};
  if (absl::StatusOr<journal::EntityRow> entity = browser_.Entity(key); !entity.ok()) return entity.status();
  journal::SnapshotRange range{.from = request.from_sequence(), .limit = std::nullopt, .payloads = !request.brief()};
  if (request.limit() != 0) range.limit = request.limit();
  absl::StatusOr<std::vector<journal::SnapshotRow>> rows = browser_.Snapshots(key, range);
  if (!rows.ok()) return rows.status();
  dev::v1::ListSnapshotsResponse response;
  for (const journal::SnapshotRow& row : *rows) {
    dev::v1::Snapshot& snapshot = *response.add_snapshots();
    snapshot.set_sequence(row.sequence);
    *snapshot.mutable_time() = ToTimestamp(row.time);
    if (!request.brief()) *snapshot.mutable_payload() = decoder_.Decode(row.payload);
  }
  return response;
}

absl::StatusOr<dev::v1::ListNewestEventsResponse> Views::ListNewestEvents(
    const dev::v1::ListNewestEventsRequest& request) {
  absl::StatusOr<int> limit = PageSize(request.limit());
  if (!limit.ok()) return limit.status();
  if (absl::Status status = RefreshTypes(); !status.ok()) return status;
  absl::StatusOr<std::int64_t> last = browser_.LastPosition();
  if (!last.ok()) return last.status();

  // Backwards, in stretches that grow: without a filter the first one is enough.
  Newest newest{.limit = static_cast<std::size_t>(*limit)};
  std::int64_t stretch = *limit;
  for (std::int64_t until = *last; until > 0 && !newest.full; stretch *= 4) {
    const std::int64_t after = std::max<std::int64_t>(0, until - stretch);
    absl::Status status = PrependNewest(browser_, ToFilter(request.filter()), after, until, newest);
    if (!status.ok()) return status;
    until = after;
  }
  dev::v1::ListNewestEventsResponse response;
  for (const journal::EventRow& row : newest.rows) *response.add_events() = Event(row);
  response.set_last_position(*last);
  return response;
}

absl::StatusOr<Views::Following> Views::EventsAfter(std::int64_t position, const dev::v1::EventFilter& filter,
                                                    int limit) {
  // Read before the rows: what is stored in between is found the next time.
  absl::StatusOr<std::int64_t> last = browser_.LastPosition();
  if (!last.ok()) return last.status();
  Following following{.events = {}, .position = position};
  if (*last <= position) return following;
  if (absl::Status status = RefreshTypes(); !status.ok()) return status;
  absl::StatusOr<std::vector<journal::EventRow>> rows = browser_.EventsAfter(position, ToFilter(filter), limit);
  if (!rows.ok()) return rows.status();
  for (const journal::EventRow& row : *rows) following.events.push_back(Event(row));
  // Fewer than the limit tell nothing: a list of large ones ends early.
  following.complete = rows->empty() || rows->back().position >= *last;
  if (!rows->empty()) following.position = rows->back().position;
  if (following.complete) following.position = std::max(following.position, *last);
  return following;
}

dev::v1::CommandTrace BriefTrace(const trace::Trace& trace) {
  dev::v1::CommandTrace view;
  view.set_trace_id(trace.id);
  view.set_service(trace.service);
  view.set_method(trace.method);
  view.set_entity_id(trace.entity_id);
  view.set_protocol(trace.protocol);
  view.set_peer(trace.peer);
  if (std::int32_t node = 0; absl::SimpleAtoi(trace.node, &node)) view.set_node(node);
  *view.mutable_started() = ToTimestamp(trace.started);
  *view.mutable_duration() = ToDuration(trace.duration);
  view.set_open(trace.open);
  view.set_code(static_cast<int>(trace.outcome.code()));
  view.set_message(std::string(trace.outcome.message()));
  for (const trace::CausedCommand& caused : trace.caused) *view.add_caused() = ToCausedCommand(caused);
  return view;
}

absl::StatusOr<dev::v1::CommandTrace> Views::Trace(const trace::Trace& trace) {
  if (absl::Status status = RefreshTypes(); !status.ok()) return status;
  dev::v1::CommandTrace view = BriefTrace(trace);
  for (const trace::Step& from : trace.steps) {
    dev::v1::Step& step = *view.add_steps();
    *step.mutable_at() = ToDuration(from.at);
    step.set_kind(std::string(trace::StepName(from.kind)));
    step.set_command(static_cast<std::int32_t>(from.command));
    if (from.command != trace::kClientsCommand) step.set_subject(Subject(trace.caused[from.command - 1]));
    step.set_detail(from.detail);
    if (from.payload) *step.mutable_payload() = decoder_.Decode(*from.payload);
  }
  view.set_dropped_steps(static_cast<std::int64_t>(trace.dropped_steps));
  return view;
}

absl::Status Views::Describe(dev::v1::ListCrdtsResponse& listed) {
  if (absl::Status status = RefreshTypes(); !status.ok()) return status;
  for (dev::v1::Crdt& crdt : *listed.mutable_crdts()) admin::Describe(decoder_, crdt);
  return absl::OkStatus();
}

absl::Status Views::Describe(dev::v1::CrdtDetail& detail) {
  if (absl::Status status = RefreshTypes(); !status.ok()) return status;
  admin::Describe(decoder_, detail);
  return absl::OkStatus();
}

void Views::Describe(dev::v1::CrdtEvent& event) const { admin::Describe(decoder_, event); }

bool Matches(const dev::v1::CommandFilter& filter, const trace::Trace& trace) {
  if (filter.failed_only() && trace.outcome.ok()) return false;
  if (filter.has_at_least() && trace.duration < FromDuration(filter.at_least())) return false;
  return Matches(filter, trace.service, trace.method, trace.entity_id) ||
         std::ranges::any_of(trace.caused, [&](const trace::CausedCommand& caused) {
           return Matches(filter, caused.service, caused.method, caused.entity_id);
         });
}

absl::StatusOr<int> PageSize(int asked) {
  if (asked < 0) return absl::InvalidArgumentError(absl::StrCat("asked for ", asked, " items; ask for at least 1"));
  return asked == 0 ? kDefaultPage : std::min(asked, kLargestPage);
}

}  // namespace cloudstate::admin
