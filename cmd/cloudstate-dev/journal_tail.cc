#include <memory>

#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/entity_reference.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/payload_text.h"
#include "cmd/cloudstate-dev/stored_service.h"
#include "cmd/cloudstate-dev/terminal.h"
#include "emulator/admin/views.h"

namespace cloudstate::cli {
namespace {

struct JournalTailOptions {
  EntityFilterOptions filter;
  int count = 10;
  bool follow = false;
};

void PrintEvent(const dev::v1::Event& event, bool json, const Terminal& terminal) {
  if (json) {
    Print(ToJson(event) + "\n");
    return;
  }
  const std::string entity = Printable(EntityNameOf(event));
  Print(absl::StrCat(Styled(FormatInstant(admin::FromTimestamp(event.time())), Style::kDim, terminal), "  ", entity,
                     "  #", event.sequence(), "  ", FormatPayload(event.payload(), terminal), "\n"));
}

int Run(const Settings& settings, JournalTailOptions options) {
  absl::StatusOr<std::unique_ptr<JournalSource>> journal = JournalSource::Open(settings);
  if (!journal.ok()) return FailToOpen(journal.status());
  const absl::Status named = UseStoredService(**journal, options.filter.service);
  // What is not there yet may be what is waited for.
  if (!named.ok() && !(options.follow && absl::IsNotFound(named))) return Fail(named);
  const Terminal terminal = StandardOutput();
  dev::v1::ListNewestEventsRequest request;
  *request.mutable_filter() = options.filter.ToFilter();
  request.set_limit(std::max(options.count, 1));
  absl::StatusOr<dev::v1::ListNewestEventsResponse> newest = (*journal)->ListNewestEvents(request);
  if (!newest.ok()) return Fail(newest.status());
  if (options.count > 0) {
    for (const dev::v1::Event& event : newest->events()) PrintEvent(event, settings.json, terminal);
  }
  if (!options.follow) return kOk;
  dev::v1::WatchEventsRequest watch;
  *watch.mutable_filter() = options.filter.ToFilter();
  watch.set_after_position(newest->last_position());
  return Fail((*journal)->Watch(watch, [&](dev::v1::Event& event) { PrintEvent(event, settings.json, terminal); }));
}

}  // namespace

void AddJournalTail(CLI::App& journal, Invocation& invocation) {
  auto options = std::make_shared<JournalTailOptions>();
  CLI::App* command = Command(journal, "tail", "Show the newest events of all entities",
                              "  cloudstate-dev journal tail -n 20\n"
                              "  cloudstate-dev journal tail --follow --id-contains cart-7\n"
                              "  cloudstate-dev journal tail -f --json | jq .payload.json");
  options->filter.AddTo(*command);
  command->add_option("-n,--lines", options->count, "So many of the newest")
      ->check(CLI::Range(0, 1'000))
      ->capture_default_str();
  command->add_flag("-f,--follow", options->follow, "Go on with new ones as they are stored, until Ctrl-C");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return Run(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
