#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/entity_reference.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/payload_text.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/admin/views.h"

namespace cloudstate::cli {
namespace {

struct JournalShowOptions {
  std::string entity;
  std::string entity_id;  // where `entity` is the persistence id alone
  std::int64_t from = 1;
  int limit = 100;
  bool all = false;
};

// An entity's life, or the stretch of it that was asked for.
struct History {
  dev::v1::Entity entity;
  std::vector<dev::v1::Event> events;
  dev::v1::ListSnapshotsResponse snapshots;
  std::int64_t next_sequence = 0;  // of the events that were left out
};

absl::Status ReadEvents(JournalSource& journal, const JournalShowOptions& options, History& history) {
  dev::v1::ListEventsRequest request;
  request.set_persistence_id(history.entity.persistence_id());
  request.set_entity_id(history.entity.entity_id());
  request.set_from_sequence(options.from);
  const auto limit = static_cast<std::size_t>(options.limit);
  do {
    const std::size_t missing = options.all ? 1'000 : std::min<std::size_t>(limit - history.events.size(), 1'000);
    request.set_limit(static_cast<int>(missing));
    absl::StatusOr<dev::v1::ListEventsResponse> page = journal.ListEvents(request);
    if (!page.ok()) return page.status();
    for (dev::v1::Event& event : *page->mutable_events()) history.events.push_back(std::move(event));
    history.next_sequence = page->next_sequence();
    request.set_from_sequence(page->next_sequence());
  } while (history.next_sequence != 0 && (options.all || history.events.size() < limit));
  return absl::OkStatus();
}

absl::StatusOr<History> Read(JournalSource& journal, const JournalShowOptions& options) {
  History history;
  std::vector<std::string> words = {options.entity};
  if (!options.entity_id.empty()) words.push_back(options.entity_id);
  absl::StatusOr<dev::v1::Entity> entity = FindEntity(journal, words);
  if (!entity.ok()) return entity.status();
  history.entity = *std::move(entity);
  if (absl::Status status = ReadEvents(journal, options, history); !status.ok()) return status;
  dev::v1::ListSnapshotsRequest request;
  request.set_persistence_id(history.entity.persistence_id());
  request.set_entity_id(history.entity.entity_id());
  absl::StatusOr<dev::v1::ListSnapshotsResponse> snapshots = journal.ListSnapshots(request);
  if (!snapshots.ok()) return snapshots.status();
  history.snapshots = *std::move(snapshots);
  return history;
}

std::string FormatHead(const dev::v1::Entity& entity, const Terminal& terminal) {
  const std::string name = Printable(EntityNameOf(entity));
  const std::string snapshot =
      entity.snapshot_sequence() > 0 ? absl::StrCat(", snapshot at #", entity.snapshot_sequence()) : "";
  return absl::StrCat(Styled(name, Style::kBold, terminal), "  ", Printable(entity.service()), "\n",
                      Counted(entity.last_sequence(), "event"), ", ", entity.event_bytes(), " bytes", snapshot,
                      ", created ", FormatWhen(admin::FromTimestamp(entity.created()), terminal), ", updated ",
                      FormatWhen(admin::FromTimestamp(entity.updated()), terminal), "\n\n");
}

std::string FormatEvent(const dev::v1::Event& event, const Terminal& terminal) {
  const dev::v1::Cause& cause = event.cause();
  const std::string trace = cause.trace_id().empty() ? "" : absl::StrCat("  trace ", Printable(cause.trace_id()));
  return absl::StrCat("#", event.sequence(), "  ", FormatInstant(admin::FromTimestamp(event.time())), "  ",
                      FormatPayload(event.payload(), terminal), "\n",
                      Styled(absl::StrCat("      by ", Printable(ShortMethod(cause.service(), cause.method())), " ",
                                          Printable(cause.command().json()), trace),
                             Style::kDim, terminal),
                      "\n");
}

std::string FormatSnapshot(const dev::v1::Snapshot& snapshot, const Terminal& terminal) {
  return absl::StrCat(Styled(absl::StrCat("snapshot at #", snapshot.sequence()), Style::kGood, terminal), "  ",
                      FormatInstant(admin::FromTimestamp(snapshot.time())), "  ",
                      FormatPayload(snapshot.payload(), terminal), "\n");
}

std::string Format(const History& history, const Terminal& terminal) {
  std::string text = FormatHead(history.entity, terminal);
  auto snapshot = history.snapshots.snapshots().begin();
  const auto end = history.snapshots.snapshots().end();
  for (const dev::v1::Event& event : history.events) {
    // Snapshots from before the first event shown are left out with those events.
    while (snapshot != end && snapshot->sequence() < history.events.front().sequence()) ++snapshot;
    absl::StrAppend(&text, FormatEvent(event, terminal));
    for (; snapshot != end && snapshot->sequence() == event.sequence(); ++snapshot) {
      absl::StrAppend(&text, FormatSnapshot(*snapshot, terminal));
    }
  }
  if (history.next_sequence != 0) {
    absl::StrAppend(&text, "\nMore events follow: --from ", history.next_sequence, ", or --all.\n");
  }
  return text;
}

std::string FormatJson(const History& history) {
  auto join = [](const auto& messages) {
    return absl::StrJoin(messages, ",", [](std::string* out, const auto& message) { out->append(ToJson(message)); });
  };
  return absl::StrCat("{\"entity\":", ToJson(history.entity), ",\"events\":[", join(history.events),
                      "],\"snapshots\":[", join(history.snapshots.snapshots()), "],\"nextSequence\":\"",
                      history.next_sequence, "\"}\n");
}

int Run(const Settings& settings, const JournalShowOptions& options) {
  absl::StatusOr<std::unique_ptr<JournalSource>> journal = JournalSource::Open(settings);
  if (!journal.ok()) return FailToOpen(journal.status());
  absl::StatusOr<History> history = Read(**journal, options);
  if (!history.ok()) return Fail(history.status());
  Print(settings.json ? FormatJson(*history) : Format(*history, StandardOutput()));
  return kOk;
}

}  // namespace

void AddJournalShow(CLI::App& journal, Invocation& invocation) {
  auto options = std::make_shared<JournalShowOptions>();
  CLI::App* command =
      Command(journal, "show", "Show an entity's events and snapshots, and the commands that led to them",
              "  cloudstate-dev journal show 'shopping-cart|cart-7'\n"
              "  cloudstate-dev journal show cart-7          where only one entity has that id\n"
              "  cloudstate-dev journal show cart-7 --json | jq '.events[].payload.json'");
  command->add_option("ENTITY", options->entity, "PERSISTENCE_ID|ENTITY_ID, or the entity's id alone")->required();
  command->add_option("ENTITY_ID", options->entity_id, "Its id, where ENTITY is the persistence id");
  command->add_option("--from", options->from, "The first event, by its number")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--limit", options->limit, "At most so many events")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_flag("--all", options->all, "All events");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return Run(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
