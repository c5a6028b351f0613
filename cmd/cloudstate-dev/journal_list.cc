#include <memory>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/entity_reference.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/stored_service.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/admin/views.h"

namespace cloudstate::cli {
namespace {

struct JournalListOptions {
  EntityFilterOptions filter;
  int limit = 100;
  bool all = false;
};

absl::StatusOr<dev::v1::ListEntitiesResponse> List(JournalSource& journal, const JournalListOptions& options) {
  dev::v1::ListEntitiesResponse listed;
  dev::v1::ListEntitiesRequest request;
  *request.mutable_filter() = options.filter.ToFilter();
  do {
    request.set_page_size(options.all ? 1'000 : std::min(options.limit - listed.entities_size(), 1'000));
    absl::StatusOr<dev::v1::ListEntitiesResponse> page = journal.ListEntities(request);
    if (!page.ok()) return page.status();
    listed.mutable_entities()->MergeFrom(page->entities());
    listed.set_next_page_token(page->next_page_token());
    if (request.page_token().empty()) listed.set_total(page->total());  // later pages may not know
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty() && (options.all || listed.entities_size() < options.limit));
  return listed;
}

std::string Format(const dev::v1::ListEntitiesResponse& listed, const Terminal& terminal) {
  if (listed.entities_size() == 0) return "Nothing is stored that fits. Entities appear here with their first event.\n";
  Table table({{"ENTITY"},
               {"EVENTS", Table::Align::kRight},
               {"BYTES", Table::Align::kRight},
               {"SNAPSHOT", Table::Align::kRight},
               {"UPDATED"},
               {"SERVICE"}});
  for (const dev::v1::Entity& entity : listed.entities()) {
    const bool has_snapshot = entity.snapshot_sequence() > 0;
    table.AddRow({{EntityNameOf(entity), Style::kBold},
                  {absl::StrCat(entity.last_sequence())},
                  {absl::StrCat(entity.event_bytes())},
                  {has_snapshot ? absl::StrCat("at ", entity.snapshot_sequence()) : "-"},
                  {FormatWhen(admin::FromTimestamp(entity.updated()), terminal)},
                  {entity.service(), Style::kDim}});
  }
  std::string text = table.Format(terminal);
  if (listed.total() > listed.entities_size()) {
    absl::StrAppend(&text, listed.total() - listed.entities_size(), " more of ", listed.total(),
                    ": --all shows them.\n");
  }
  return text;
}

int Run(const Settings& settings, JournalListOptions options) {
  absl::StatusOr<std::unique_ptr<JournalSource>> journal = JournalSource::Open(settings);
  if (!journal.ok()) return FailToOpen(journal.status());
  if (absl::Status named = UseStoredService(**journal, options.filter.service); !named.ok()) return Fail(named);
  absl::StatusOr<dev::v1::ListEntitiesResponse> listed = List(**journal, options);
  if (!listed.ok()) return Fail(listed.status());
  Print(settings.json ? ToJson(*listed) + "\n" : Format(*listed, StandardOutput()));
  return kOk;
}

}  // namespace

void AddJournalList(CLI::App& journal, Invocation& invocation) {
  auto options = std::make_shared<JournalListOptions>();
  CLI::App* command = Command(journal, "ls", "List the entities that have stored something",
                              "  cloudstate-dev journal ls\n"
                              "  cloudstate-dev journal ls --id-contains cart- --all\n"
                              "  cloudstate-dev journal ls --json | jq -r '.entities[].entityId'");
  options->filter.AddTo(*command);
  command->add_option("--limit", options->limit, "At most so many")->check(CLI::PositiveNumber)->capture_default_str();
  command->add_flag("--all", options->all, "All of them");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return Run(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
