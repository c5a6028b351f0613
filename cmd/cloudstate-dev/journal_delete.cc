#include <unistd.h>

#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cmd/cloudstate-dev/command_line.h"
#include "cmd/cloudstate-dev/entity_reference.h"
#include "cmd/cloudstate-dev/json_output.h"
#include "cmd/cloudstate-dev/running_journal.h"
#include "cmd/cloudstate-dev/terminal.h"

namespace cloudstate::cli {
namespace {

struct JournalDeleteOptions {
  std::string entity;
  bool yes = false;
};

// Nobody is asked for what would be refused.
absl::Status CheckDeletable(Client& client) {
  const absl::StatusOr<dev::v1::Status> status = client.Call(&Client::Stub::GetStatus, dev::v1::GetStatusRequest());
  if (!status.ok() || !status->read_only()) return status.status();
  return absl::PermissionDeniedError("The emulator was started with --read-only: nothing can be deleted through it.");
}

// The question goes to standard error, the answer comes from standard input: where one of them is no terminal, nobody
// sees it or nobody can answer.
absl::StatusOr<bool> Confirm(const dev::v1::Entity& entity) {
  if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1) {
    return absl::InvalidArgumentError("Nobody can be asked whether that is meant: say so with --yes.");
  }
  std::cerr << "Delete " << Printable(EntityNameOf(entity)) << " with " << Counted(entity.last_sequence(), "event")
            << " for good? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  answer = absl::AsciiStrToLower(absl::StripAsciiWhitespace(answer));
  return answer == "y" || answer == "yes";
}

int Run(const Settings& settings, const JournalDeleteOptions& options) {
  absl::StatusOr<RunningEntity> found = FindRunningEntity(settings, options.entity);
  if (!found.ok()) return FailToFind(found.status());
  if (!options.yes) {
    if (absl::Status status = CheckDeletable(*found->client); !status.ok()) return Fail(status);
    absl::StatusOr<bool> confirmed = Confirm(found->entity);
    if (!confirmed.ok()) return Fail(confirmed.status(), kUsage);
    if (!*confirmed) {
      PrintError("Nothing was deleted.");
      return kFailed;
    }
  }
  dev::v1::DeleteEntityRequest request;
  request.set_persistence_id(found->entity.persistence_id());
  request.set_entity_id(found->entity.entity_id());
  auto deleted = found->client->Call(&Client::Stub::DeleteEntity, request);
  if (!deleted.ok()) return Fail(deleted.status());
  if (settings.json) {
    Print(ToJson(*deleted) + "\n");
  } else {
    Print(absl::StrCat("Deleted ", Printable(EntityNameOf(found->entity)), ": ",
                       Counted(deleted->deleted_events(), "event"), ", ",
                       Counted(deleted->deleted_snapshots(), "snapshot"), ".\n"));
  }
  return kOk;
}

}  // namespace

void AddJournalDelete(CLI::App& journal, Invocation& invocation) {
  auto options = std::make_shared<JournalDeleteOptions>();
  CLI::App* command = Command(journal, "delete", "Remove all that is stored of an entity, for good",
                              "  cloudstate-dev journal delete 'shopping-cart|cart-7'\n"
                              "  cloudstate-dev journal delete cart-7 --yes       without asking");
  command->add_option("ENTITY", options->entity, "PERSISTENCE_ID|ENTITY_ID, or the entity's id alone")->required();
  command->add_flag("--yes", options->yes, "Do not ask; needed where there is no terminal to ask on");
  command->callback([&invocation, options] {
    invocation.action = [&invocation, options] { return Run(invocation.settings, *options); };
  });
}

}  // namespace cloudstate::cli
